# SPDX-License-Identifier: GPL-3.0-or-later
"""The processors that the lab's machines have, as data; a further one is a further row here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    """A processor. debian: its name in Debian, and in the ISO's .disk/info; efi: in UEFI; grub: in GRUB's packages.

    drivers: the modules that its machines need besides those of `initrd.MODULES`.
    """

    debian: str
    efi: str
    grub: str
    drivers: tuple[str, ...]

    @property
    def shim(self) -> str:
        """The file name of its shim, wherever shim lies."""
        return f"shim{self.efi}.efi"

    @property
    def grub_file(self) -> str:
        """The file name of its GRUB, which shim looks for beside itself."""
        return f"grub{self.efi}.efi"


# the last six are for the file systems of an installed system, and for its firmware's boot entries
AMD64 = Arch(
    "amd64",
    "x64",
    "x86_64-efi",
    (
        "e1000",
        "e1000e",
        "ata_piix",
        "ahci",
        "sd_mod",
        "crc32c_generic",
        "ext4",
        "vfat",
        "nls_cp437",
        "nls_ascii",
        "efivarfs",
    ),
)
ARM64 = Arch("arm64", "aa64", "arm64-efi", ("virtio_blk",))
