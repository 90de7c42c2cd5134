# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What UEFI loaders are called, and where packages have them: written here only, for controller and server."""

from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    AUTHORITIES,
    LOADERS_NOTE,
)

#: Processors, as UEFI calls them (efi_arch) and as Debian does (arch).
DEBIAN_ARCHS = {"x64": "amd64", "aa64": "arm64"}
#: By efi_arch: what a shim is offered as, and GRUB, which it looks for under that name beside itself.
PAIRS = {"x64": ("shimx64.efi", "grubx64.efi"), "aa64": ("shimaa64.efi", "grubaa64.efi")}
SHIMS = {efi_arch: shim for efi_arch, (shim, dummy) in PAIRS.items()}
#: By efi_arch: what iPXE is offered as.
IPXES = {"x64": "ipxe.efi", "aa64": "ipxeaa64.efi"}
YEARS, MANIFEST = AUTHORITIES, LOADERS_NOTE

#: IMAGE and this: a note in the pairs' folder that shim and GRUB do not start the image's kernel. Its UEFI machines get
#: iPXE; the note says why.
BY_IPXE = ".by-ipxe"

#: Where the packages shim-signed of Debian and Ubuntu put the shim, below "/", without its ending.
SHIM_FILES = {efi_arch: f"usr/lib/shim/{shim}" for efi_arch, shim in SHIMS.items()}
#: Debian's has the first of them, Ubuntu's the others. Who signed is read from the files: C(.dualsigned) may mean
#: Microsoft and Canonical as well as Microsoft's 2011 and 2023.
SHIM_ENDINGS = (".signed", ".signed.latest", ".dualsigned")
#: Where the packages grub-efi-amd64-signed and grub-efi-arm64-signed put GRUB for the network, below "/".
GRUB_FILES = {
    "x64": "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
    "aa64": "usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed",
}
