# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded logs as the lab reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.story import Line, Story
from tests.lab.watch import source_of

HERE = Path(__file__).parent / "recorded"
ROOT = "/srv/netboot/tftp"
SIZES: Mapping[str, int] = {
    f"{ROOT}/lpxelinux.0": 75_072,
    f"{ROOT}/ldlinux.c32": 119_524,
    f"{ROOT}/pxelinux.cfg/01-f4-4d-30-60-64-69": 361,
    f"{ROOT}/pxelinux.cfg/default": 118,
    f"{ROOT}/efi/shimx64.efi": 1_036_152,
    f"{ROOT}/efi/grubx64.efi": 2_344_384,
    f"{ROOT}/grub/grub.cfg": 418,
    f"{ROOT}/grub/machines/52:54:00:12:34:12.cfg": 365,
}
ISO = "/images/jammy/jammy.iso"
ISO_BYTES = 35_031_040
BOOT_BYTES = 8_247_232 + 1_530_182
UEFI_ISO = "/images/focal/focal.iso"
UEFI_ISO_BYTES = 36_763_648
LIFE_ISO = "/images/noble/noble.iso"
LIFE_ISO_BYTES = 64_520_192
LIFE_BOOT_BYTES = 8_247_232 + 2_117_685
UEFI_BOOT_BYTES = 8_247_232 + 1_530_180


@dataclass(frozen=True)
class Recorded:
    """A machine: when it was switched on, its addresses, and which log its server wrote."""

    mac: str
    power_on: float
    address: str
    server: str = "server.log"


MACHINES = {
    "nuc1": Recorded("f4:4d:30:60:64:69", 1795345354.2, "192.168.1.32"),
    "stranger": Recorded("52:54:00:12:34:56", 1795345371.6, "192.168.1.40"),
    # These were on at the same time; pxe shares its DHCP exchanges' numbers with a machine that is not told of.
    "uefi-pxe": Recorded("52:54:00:12:34:12", 1795350454.0, "192.168.1.20", "uefi-server.log"),
    "uefi-http": Recorded("52:54:00:12:34:13", 1795350454.0, "192.168.1.21", "uefi-server.log"),
    "life-bios": Recorded("52:54:00:12:35:01", 1795357729.8, "192.168.1.34", "life-server.log"),
    "uefi-http-stranger": Recorded("52:54:00:12:34:1d", 1795350454.0, "192.168.1.31", "uefi-server.log"),
}


def lines(machine: str) -> list[Line]:
    """What was read while the machine booted: router, server (of both machines), its own console."""
    its = MACHINES[machine]
    start = its.power_on
    ack = f"Nov 22 11:02:37 dnsmasq-dhcp[1]: 7 DHCPACK(br0) {its.address} {its.mac} "
    server = (HERE / its.server).read_text(encoding="utf-8").splitlines()
    serial = (HERE / f"{machine}-serial.log").read_bytes().decode().split("\n")[:-1]
    told = [Line(start + 3.2, "router", ack)]
    told += [source_of(Line(start + 99, "server", text)) for text in server]
    return told + [Line(start + 15.8, "serial", text) for text in serial]


def story(machine: str, told: list[Line] | None = None) -> Story:
    """The story of the machine, from its recorded lines or from others."""
    new = Story(MACHINES[machine].mac, MACHINES[machine].power_on, ROOT, SIZES)
    for line in lines(machine) if told is None else told:
        new.feed(line)
    return new
