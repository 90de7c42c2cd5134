# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded logs as the lab reads them."""

from __future__ import annotations

from collections.abc import Mapping
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
}
ISO = "/images/jammy/jammy.iso"
ISO_BYTES = 35_031_040
BOOT_BYTES = 8_247_232 + 1_530_182
POWER_ON = {"nuc1": 1795345354.2, "stranger": 1795345371.6}
MACS = {"nuc1": "f4:4d:30:60:64:69", "stranger": "52:54:00:12:34:56"}
ADDRESSES = {"nuc1": "192.168.1.32", "stranger": "192.168.1.40"}


def lines(machine: str) -> list[Line]:
    """What was read while the machine booted: router, server (of both machines), its own console."""
    start = POWER_ON[machine]
    ack = f"Nov 22 11:02:37 dnsmasq-dhcp[1]: 7 DHCPACK(br0) {ADDRESSES[machine]} {MACS[machine]} "
    server = (HERE / "server.log").read_text(encoding="utf-8").splitlines()
    serial = (HERE / f"{machine}-serial.log").read_text(encoding="utf-8").splitlines()
    told = [Line(start + 3.2, "router", ack)]
    told += [source_of(Line(start + 99, "server", text)) for text in server]
    return told + [Line(start + 15.8, "serial", text) for text in serial]


def story(machine: str, told: list[Line] | None = None) -> Story:
    """The story of the machine, from its recorded lines or from others."""
    new = Story(MACS[machine], POWER_ON[machine], ROOT, SIZES)
    for line in lines(machine) if told is None else told:
        new.feed(line)
    return new
