# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The two forms in which everything that happens is told."""

from __future__ import annotations

from typing import NamedTuple

#: DHCP. ASKS: somebody asks (name: vendor class, note: user class). OFFER: this MAC was offered something to boot.
#: LOADER: it was told its loader. LEASE: an address was given. UNANSWERED: asked for the network and got no answer.
#: LEFT: who asks is told nothing of booting, since it is another server's.
ASKS, CLASS, OFFER, LOADER, LEASE, UNANSWERED = "asks", "class", "offer", "loader", "lease", "unanswered"
LEFT = "left"
#: Files by TFTP. TFTP: sent. STOPPED: the machine broke off, or took no more. MISSING: not there. DENIED: not readable.
TFTP, STOPPED, MISSING, DENIED = "tftp", "stopped", "missing", "denied"
#: Files and reports by HTTP. HEAD asks only for a size.
HTTP, HEAD = "http", "head"
#: STATE: the program changed a machine's state (note: why). SERVICE: systemd started or stopped one (name: which).
STATE, SERVICE = "state", "service"
#: Steps of the installer, as it tells them (name: /progress/MACHINE.-/STEP, note: its description, or the error).
BEGINS, ENDS, WARNS, FAILS = "begins", "ends", "warns", "fails"
PROGRESS_KINDS = (BEGINS, ENDS, WARNS, FAILS)

#: HTTP's statuses: a whole answer; from here on it is none, and here on an error (RFC 9110, section 15).
OK, REDIRECT, ERROR = 200, 300, 400


class Record(NamedTuple):
    """What one line says. Fields that it says nothing of are empty.

    time: seconds since 1970. bytes: of the answer. status: HTTP's. note: User-Agent, user class, error or reason.
    exchange: dnsmasq's number of a DHCP exchange.
    """

    time: float
    kind: str
    name: str = ""
    mac: str = ""
    address: str = ""
    bytes: int = 0
    status: int = 0
    note: str = ""
    exchange: str = ""


class Event(NamedTuple):
    """What a machine did, or what happened to it. mac: empty where nobody can tell whose it is.

    machine: its name in the inventory; empty for strangers. The other fields are as in `Record`.
    """

    time: float
    kind: str
    name: str = ""
    mac: str = ""
    machine: str = ""
    address: str = ""
    bytes: int = 0
    status: int = 0
    note: str = ""

    @property
    def base(self) -> str:
        """The last part of a path."""
        return self.name.rpartition("/")[2]

    @property
    def is_fetched(self) -> bool:
        """Whether a file was sent as a whole, as far as the log says."""
        return self.kind == TFTP or (self.kind == HTTP and self.status in (200, 206))
