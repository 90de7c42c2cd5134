# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of firmware that a client can have, as rows; a further kind is a further row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

OVMF = Path("/usr/share/OVMF")


@dataclass(frozen=True)
class Firmware:
    """How QEMU is told to be such a machine.

    machine: arguments that choose board and firmware. code, variables: OVMF's image and the variables that a
    machine starts with, of which each gets its own copy; none for BIOS. nic: QEMU's model of the network card.
    rom: whether the card has its real boot ROM of iPXE; UEFI brings its own network stack. memory: MiB, enough
    for the lab's ISO. patience: seconds after which a boot counts as failed; several clients at once on two
    slow cores are allowed for. system: what the marked disk holds.
    """

    name: str
    machine: tuple[str, ...]
    code: Path | None = None
    variables: Path | None = None
    nic: str = "e1000"
    rom: bool = True
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
HTTP_BOOT = replace(
    SECURE,
    name="uefi-http-boot-secure",
    # OVMF then offers no PXE and goes to HTTP Boot at once (edk2: OvmfPkg/Library/PxeBcPcdProducerLib)
    machine=(
        *SECURE.machine,
        *("-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=no"),
        *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=no"),
    ),
)
ROWS = {row.name: row for row in (BIOS, UEFI, SECURE, HTTP_BOOT)}
