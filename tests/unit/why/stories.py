# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines' stories, from the server's logs that were recorded in the lab."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.homelab.netboot.plugins.module_utils._program.events import dnsmasq, nginx
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.joining import Joiner
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.story import boots, tell

HERE = Path(__file__).parent / "recorded"
ROOT = "/srv/netboot/tftp"
LIVES = {
    f"52:54:00:12:35:0{n}": f"life-{name}" for n, name in enumerate(("bios", "uefi", "guard", "lost"), 1)
}
NAMES = {
    **LIVES,
    **{f"52:54:00:12:36:{n:02x}": f"r{n:02}" for n in range(1, 31)},
    "f4:4d:30:60:64:69": "nuc1",
    "52:54:00:12:34:21": "real1",
    "52:54:00:12:34:22": "real2",
}


@functools.lru_cache(maxsize=None)
def text(log: str) -> tuple[str, ...]:
    """The lines of a log."""
    return tuple((HERE / f"{log}.log").read_text(encoding="utf-8").splitlines())


def told(lines: Iterable[str]) -> dict[str, list[Event]]:
    """MAC → story; what belongs to nobody under an empty MAC."""
    records = [record for record in (dnsmasq.read(line) or nginx.read(line) for line in lines) if record]
    joiner = Joiner(NAMES, ROOT)
    found: dict[str, list[Event]] = {}
    for record in sorted(records, key=lambda one: one.time):
        for event in joiner.feed(record):
            found.setdefault(event.mac, []).append(event)
    for event in joiner.end():
        found.setdefault("", []).append(event)
    return {mac: tell([], story) for mac, story in found.items()}


@functools.lru_cache(maxsize=None)
def stories(log: str) -> dict[str, list[Event]]:
    """The stories that a log tells."""
    return told(text(log))


def first_boot(log: str, mac: str) -> list[Event]:
    """The first boot of a machine in a log."""
    return boots(stories(log)[mac])[0]
