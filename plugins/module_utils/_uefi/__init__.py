# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Programs of UEFI machines: `names` says what they are called, `pe` reads one, `deb` takes it out of a
package, `pairs` chooses shim and GRUB.

Module efi_loaders is made of these.
"""
