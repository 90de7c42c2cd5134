# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What each machine fetched last, from the logs of nginx and dnsmasq. Pure but for `recent`, which reads them."""

from __future__ import annotations

import re
import subprocess
from typing import Iterable, Mapping, Tuple

from .contract import ACCESS_LINE, ACCESS_LOG, BOOT_SERVER, MACHINES, REPORTS

_BYTES = 4 << 20
_LINES = 20000

# dnsmasq's lines as `journalctl -o short-unix` tells them.
_SENT = re.compile(r"^(?P<when>[\d.]+) \S+ dnsmasq\S*: sent (?P<path>\S+) to (?P<ip>\S+)$")
_PXE = re.compile(
    r"^(?P<when>[\d.]+) \S+ dnsmasq\S*: .*PXE\(\S+\) (?P<ip>[\d.]+) (?P<mac>[0-9a-f:]{17}) (?P<path>\S+)$"
)
_NAMED = re.compile(rf"^/(?:{MACHINES}/(?P<seed>[^/]+)/|{REPORTS}/(?P<report>.+)\.-\.)")
_MAC = re.compile(r"([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?:\.\w+)?$")

Fetch = Tuple[float, str]
"""Seconds since 1970, path."""


def last(lines: Iterable[str], names: Mapping[str, str], root: str) -> dict[str, Fetch]:
    """The last thing that each machine fetched.

    names: MAC → machine. root: what is served; paths are told below it. Whose an address is, is learned from lines
    that name a machine or its MAC; it holds for later lines, until one says something else.
    """
    owners: dict[str, str] = {}
    found: dict[str, Fetch] = {}
    matches = (ACCESS_LINE.match(line) or _SENT.match(line) or _PXE.match(line) for line in lines)
    entries = [match for match in matches if match]
    for entry in sorted(entries, key=lambda match: float(match["when"])):
        fields = entry.groupdict()
        path = fields["path"].replace(f"{root}/tftp", "", 1)
        named, mac = _NAMED.match(path), _MAC.search(path)
        owner = (named and (named["seed"] or named["report"])) or names.get(
            fields.get("mac") or (mac[1].replace("-", ":")[-17:] if mac else "")
        )
        if owner:
            owners[fields["ip"]] = owner
        if fields["ip"] in owners and fields.get("status", "200") in ("200", "201", "204", "206"):
            found[owners[fields["ip"]]] = (float(fields["when"]), path)
    return found


def recent() -> Iterable[str]:
    """The end of both logs; empty where they cannot be read."""
    try:
        with open(ACCESS_LOG, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _BYTES))
            yield from file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        pass
    journal = ["journalctl", "-q", "--no-pager", "-o", "short-unix", "-n", str(_LINES), "-u", BOOT_SERVER]
    try:
        done = subprocess.run(
            journal, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return
    yield from done.stdout.decode("utf-8", "replace").splitlines()
