# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What some machines need differently, by symptom. A further quirk is a further row, and where it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quirk:
    """A row of the table in docs/variables.md, which is made from these."""

    symptom: str
    effect: str


TFTP_ONLY = "tftp-only"
IPXE = "ipxe"
NO_BOOTIF = "no-bootif"
RASPBERRY_PI = "raspberry-pi"

QUIRKS: Mapping[str, Quirk] = {
    TFTP_ONLY: Quirk(
        "The loader starts and then hangs, or says that it cannot load `http://…/vmlinuz`; nginx logs no request for "
        "it, or one that was broken off.",
        "Kernel and initrd come by TFTP: BIOS gets `pxelinux.0` instead of `lpxelinux.0`, GRUB and iPXE use TFTP. "
        "Slower; the ISO still comes by HTTP, but then the installer fetches it.",
    ),
    IPXE: Quirk(
        "UEFI: shim or GRUB starts and then hangs, or stops at `grub>`, while other machines boot.",
        "iPXE, which uses the firmware's own network driver, instead of shim and GRUB. It is not signed: Secure Boot "
        "must be off.",
    ),
    NO_BOOTIF: Quirk(
        "The installer's kernel runs, but finds no network, though the machine has booted from it (USB "
        "adapters, docks, MAC address pass-through).",
        "The kernel's argument `BOOTIF` is left out: the installer asks all network cards for an address.",
    ),
    RASPBERRY_PI: Quirk(
        "A Raspberry Pi 4 without an SD card asks for PXE again and again, and never for a file.",
        "Its boot ROM is answered in the words that it looks for, and then asks for the files of its UEFI by TFTP; "
        "[where these lie](images.md#raspberry-pi). The UEFI is served as any other.",
    ),
}


def has(machine: Mapping[str, Any], quirk: str) -> bool:
    """Return whether a machine, as the filter P(homelab.netboot.machines#filter) returns it, has the quirk."""
    return quirk in machine["quirks"]
