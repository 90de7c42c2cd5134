# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Shim and GRUB: where they come from, who signed them, and whether they start given kernels."""
