# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of firmware that a client can have, as rows; a further kind is a further row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .arch import AMD64, ARM64, Arch
from .common import BUILD

OVMF = Path("/usr/share/OVMF")
AAVMF = Path("/usr/share/AAVMF")
LAB_VARIABLES = BUILD / "vendor" / "variables.fd"
"""Of firmware that knows the lab's own vendor besides Microsoft (vendor.py)."""


@dataclass(frozen=True)
class Firmware:
    """How QEMU is told to be such a machine.

    emulator, machine: the program, and its arguments that choose board and firmware. arch: its processor. code,
    variables: OVMF's or AAVMF's image and the variables that a machine starts with, of which each gets its own copy;
    none for BIOS. nic, disk, vga: QEMU's models of the network card, the disk and the screen; vga is none where the
    board has none, and the firmware writes to the serial port only. rom: whether the card has its real boot ROM of
    iPXE; UEFI brings its own network stack. memory: MiB, enough for the lab's ISO. patience: seconds after which a
    boot counts as failed; several clients at once on two slow cores are allowed for.
    """

    name: str
    machine: tuple[str, ...]
    code: Path | None = None
    variables: Path | None = None
    nic: str = "e1000"
    rom: bool = True
    disk: str = "ide-hd"
    vga: str = "std"
    emulator: str = "qemu-system-x86_64"
    arch: Arch = AMD64
    memory: int = 512
    patience: float = 180


BIOS = Firmware("bios", ("-machine", "pc"))
UEFI = Firmware(
    "uefi",
    ("-machine", "q35"),
    code=OVMF / "OVMF_CODE_4M.fd",
    variables=OVMF / "OVMF_VARS_4M.fd",
    nic="virtio-net-pci",
    rom=False,
    memory=1024,
    patience=400,
)
SECURE = Firmware(
    "uefi-secure-boot",
    ("-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"),
    code=OVMF / "OVMF_CODE_4M.secboot.fd",
    variables=OVMF / "OVMF_VARS_4M.ms.fd",
    nic="virtio-net-pci",
    rom=False,
    memory=1024,
    patience=400,
)
# edk2 then offers no PXE and goes to HTTP Boot at once (edk2: OvmfPkg/Library/PxeBcPcdProducerLib)
ONLY_HTTP = (
    *("-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no"),
    *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=no"),
)
LAB_SECURE = replace(SECURE, name="uefi-secure-boot-lab", variables=LAB_VARIABLES)
HTTP_BOOT = replace(SECURE, name="uefi-http-boot-secure", machine=(*SECURE.machine, *ONLY_HTTP))
ARM64_UEFI = replace(
    UEFI,
    name="arm64",
    machine=("-machine", "virt"),
    code=AAVMF / "AAVMF_CODE.fd",
    variables=AAVMF / "AAVMF_VARS.fd",
    disk="virtio-blk-pci",
    vga="none",
    emulator="qemu-system-aarch64",
    arch=ARM64,
)
ARM64_SECURE = replace(
    ARM64_UEFI,
    name="arm64-secure-boot",
    code=AAVMF / "AAVMF_CODE.ms.fd",  # in Debian 13 the other one knows no Secure Boot
    variables=AAVMF / "AAVMF_VARS.ms.fd",
)
ARM64_HTTP_BOOT = replace(
    ARM64_SECURE, name="arm64-http-boot-secure", machine=(*ARM64_SECURE.machine, *ONLY_HTTP)
)
ROWS = {
    row.name: row
    for row in (BIOS, UEFI, SECURE, LAB_SECURE, HTTP_BOOT, ARM64_UEFI, ARM64_SECURE, ARM64_HTTP_BOOT)
}
