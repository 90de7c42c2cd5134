# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""dnsmasq's lines, as `journalctl -o short-unix` tells them (dnsmasq: src/rfc2131.c, src/tftp.c). Pure."""

from __future__ import annotations

import re

from .event import (
    ASKS,
    CLASS,
    DENIED,
    LEASE,
    LEFT,
    LOADER,
    MISSING,
    OFFER,
    SERVICE,
    STOPPED,
    TFTP,
    Record,
)

_LINE = re.compile(r"^(?P<when>\d+\.\d+) \S+ (?P<who>[a-z-]+)\[\d+\]: (?P<text>.*)$")
_XID = r"(?:(?P<exchange>\d+) )?"
_MAC = r"(?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5})"
_IP = r"(?P<address>\d+\.\d+\.\d+\.\d+)"
# UEFI is told its loader further down in the answer: a file for TFTP, or a URL for HTTP Boot.
_DHCP = (
    (OFFER, re.compile(rf"^{_XID}PXE\(\S+\) {_MAC} proxy$")),
    # where this server gives the addresses: to anybody, and with something to boot only to who asks for that
    (OFFER, re.compile(rf"^{_XID}DHCPOFFER\(\S+\) {_IP} {_MAC} *$")),
    (LEFT, re.compile(rf"^{_XID}tags: (?=.*\bgives\b).*\bleft\b")),
    (LOADER, re.compile(rf"^{_XID}PXE\(\S+\) {_IP} {_MAC} (?P<name>\S+)$")),
    (
        LOADER,
        re.compile(rf"^{_XID}(?:bootfile name: |sent size: +\d+ option: 67 bootfile-name +)(?P<name>\S+)$"),
    ),
    (ASKS, re.compile(rf"^{_XID}vendor class: (?P<name>.+)$")),
    (CLASS, re.compile(rf"^{_XID}user class: (?P<name>.+)$")),
    (LEASE, re.compile(rf"^{_XID}DHCPACK\(\S+\) {_IP} {_MAC}")),
)
_TFTP = (
    (TFTP, re.compile(rf"^sent (?P<name>\S+) to {_IP}$")),
    (MISSING, re.compile(rf"^file (?P<name>\S+) not found for {_IP}$")),
    (STOPPED, re.compile(rf"^error \d+ (?P<note>.*?) ?received from {_IP}$")),
    (STOPPED, re.compile(rf"^(?P<note>failed sending) (?P<name>\S+) to {_IP}$")),
    (DENIED, re.compile(r"^cannot access (?P<name>\S+): (?P<note>.*)$")),
)
_SYSTEMD = (
    (SERVICE, re.compile(r"^(?P<note>Started|Stopped|Failed to start) (?P<name>[\w.@-]+\.service)\b")),
)
_READERS = {"dnsmasq-dhcp": _DHCP, "dnsmasq-tftp": _TFTP, "systemd": _SYSTEMD}


def read(text: str) -> Record | None:
    """What a line says; None when it says nothing of a machine."""
    line = _LINE.match(text)
    if line is None:
        return None
    for kind, pattern in _READERS.get(line["who"], ()):
        found = pattern.match(line["text"])
        if found:
            fields = {key: value for key, value in found.groupdict().items() if value is not None}
            return Record(float(line["when"]), kind, **fields)  # type: ignore[arg-type]
    return None
