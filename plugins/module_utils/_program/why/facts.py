# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Looks at the server: what a verdict needs besides a machine's story. Reads, changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import replace
from typing import Collection, Iterator, Sequence

from ..contract import BOOT, BOOT_SERVER, HTTP, WEB_SERVER
from ..events.event import OFFER, Event
from ..events.kept import Kept
from ..files import read
from ..settings import Settings
from .case import Facts

SERVICES = (BOOT_SERVER, WEB_SERVER)
#: Bytes that must be free for states, seeds and reports.
LEAST_FREE = 1 << 20
#: What systemctl(1) ends with then.
NOT_ACTIVE = 3
LOG_BYTES = 1 << 16
DNSMASQ = "/etc/netboot/dnsmasq.conf"
#: dnsmasq's names of architectures (src/option.c).
KINDS = {"x86PC": 0, "IA32_EFI": 6, "X86-64_EFI": 7, "BC_EFI": 9, "ARM32_EFI": 10, "ARM64_EFI": 11}


def look(settings: Settings, kept: Kept) -> Facts:
    """What is so now, for all machines."""
    return Facts(
        now=time.time(),
        stopped=tuple(_stopped()),
        full=tuple(place for place in (settings.root, settings.state, settings.spool) if _is_full(place)),
        strangers=tuple(_strangers(kept, own_macs())),
        unanswered=tuple(kept.story("")[-50:]),
        kinds=kinds(_text(DNSMASQ)),
    )


def of_machine(known: Facts, settings: Settings, name: str, story: Sequence[Event]) -> Facts:
    """The same, with what is so for one machine. name: in the inventory; empty for a stranger."""
    below = (event.name.lstrip("/") for event in story if event.is_fetched)
    paths = sorted({path for path in below if path.startswith("images/") and ".." not in path.split("/")})
    places = {path: os.path.join(settings.root, HTTP, path) for path in paths}
    entry = _entry(os.path.join(settings.state, "plan", BOOT, name)) if name else ""
    return replace(
        known,
        sizes={path: _size(place) for path, place in places.items()},
        changed=tuple(path for path, place in places.items() if _is_changed(place)),
        entry=entry,
        cache=next((cache for cache in settings.caches if f"http://{cache}/" in entry), ""),
        log=_text(os.path.join(settings.state, "logs", name + ".log")) if name else "",
        is_known=bool(name),
    )


def kinds(configuration: str) -> tuple[int, ...]:
    """The architectures that dnsmasq's configuration names a loader for."""
    names = re.findall(r"(?m)^pxe-service=(?:tag:[^,]*,)*([^,]+),", configuration)
    by_tag = re.findall(
        r"(?m)^(?:dhcp-vendorclass=[^,]*,HTTPClient:Arch:|dhcp-match=set:arch\d+,option:client-arch,)(\d+)",
        configuration,
    )
    numbers = [KINDS.get(name, int(name) if name.isdigit() else -1) for name in names]
    numbers += [int(one) for one in by_tag]
    return tuple(sorted(set(numbers) - {-1}))


def _stopped() -> Iterator[str]:
    """Services that do not run; where systemd does not answer, none."""
    for service in SERVICES:
        try:
            argv = ["systemctl", "is-active", "--quiet", service]
            done = subprocess.run(
                argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return
        if done.returncode == NOT_ACTIVE:
            yield service


def own_macs() -> set[str]:
    """The MAC addresses of this host's interfaces."""
    top = "/sys/class/net"
    try:
        return {_text(os.path.join(top, name, "address")).strip() for name in os.listdir(top)}
    except OSError:
        return set()


def _strangers(kept: Kept, own: Collection[str]) -> list[Event]:
    """The last offer to each machine that the inventory does not name, newest last, at most five.

    Without this host itself: `netboot doctor` and the playbook ask in its name.
    """
    found = []
    for mac in kept.macs():
        if mac not in kept.names and mac not in own:
            found += [event for event in kept.story(mac) if event.kind == OFFER][-1:]
    return sorted(found, key=lambda event: event.time)[-5:]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _is_changed(path: str) -> bool:
    """Whether a file of an image was written since it was verified (its version's note, see _image/store.py)."""
    folder, base = os.path.split(path)
    try:
        noted = json.loads(read(os.path.join(folder, "manifest.json")))["files"][base]["stamp"]
        now = os.stat(path)
        return [now.st_size, now.st_mtime_ns] != list(noted[:2])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_full(place: str) -> bool:
    try:
        disk = os.statvfs(place)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < LEAST_FREE or (disk.f_files > 0 and disk.f_favail == 0)


def _entry(folder: str) -> str:
    """The first boot entry of a machine, as the plan has it."""
    for top, _folders, names in sorted(os.walk(folder)):
        for name in sorted(names):
            return _text(os.path.join(top, name))
    return ""


def _text(path: str) -> str:
    try:
        return read(path, LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
