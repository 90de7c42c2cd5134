# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What a verdict is found from: one machine's story, its state, and what is so on the server. Pure."""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence

from .. import contract
from ..contract import MACHINES, REPORTS, SEED_FILES
from ..events.event import DENIED, ERROR, HTTP, LOADER, MISSING, OFFER, OK, REDIRECT, STATE, STOPPED, Event
from ..events.story import boots
from ..states import State

SHIM = re.compile(r"(?:^|/)efi/(?:\d+/)?shim\w*\.efi$")
GRUB = re.compile(r"(?:^|/)efi/(?:\d+/)?grub\w*\.efi$")
IPXE = re.compile(r"(?:^|/)efi/ipxe\w*\.efi$")
PXELINUX = re.compile(r"(?:^|/)l?pxelinux\.0$")
FIRST = re.compile("|".join(one.pattern for one in (SHIM, IPXE, PXELINUX)))
#: What shim asks for when it runs, whether it is there or not.
SHIM_ASKS = re.compile(r"(?:^|/)efi/(?:\d+/)?(?:revocations\w*|shim_certificate\w*)\.efi$")
CONFIGURATION = re.compile(
    r"(?:^|/)(?:pxelinux\.cfg/|grub/machines/|grub/(?:[0-9.]+/)?default\.cfg$|ipxe/machines/)"
)
KERNEL, INITRD = re.compile(r"(?:^|/)images/.*/vmlinuz\w*$"), re.compile(r"(?:^|/)images/.*/initrd\w*$")
ISO = re.compile(r"(?:^|/)images/.*\.iso$")
SEED = re.compile(rf"^/{MACHINES}/.*/(?:{'|'.join(SEED_FILES)})$")
USER_DATA = re.compile(rf"^/{MACHINES}/.*/{SEED_FILES[0]}$")
RECEIPT = re.compile(rf"^/{MACHINES}/.*/{contract.RECEIPT}$")
BEGUN, INSTALLED, FAILED = (re.compile(rf"^/{REPORTS}/.*\.{word}$") for word in contract.REPORT_WORDS)


@dataclass(frozen=True)
class Facts:
    """What is so on the server.

    now: seconds since 1970. stopped: services that do not run. sizes: bytes of files that are served, by their path
    below ROOT/http; 0 for one that is not there. changed: files of images that are not what they were when verified.
    full: folders on disks without space. entry: the machine's boot entry, as it is when it is armed. log: what its last
    installation said when it failed. strangers: the last offers to machines that the inventory does not name.
    unanswered: what nobody can tell whose it is: who was not answered, what dnsmasq may not read. kinds: numbers of the
    architectures that have a loader (RFC 4578, 2.1); empty where that is not known. is_known: whether the inventory
    names it. cache: the address of the cache that its entry leads to; what it fetches there is not seen here.
    """

    now: float
    stopped: Sequence[str] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    changed: Sequence[str] = ()
    full: Sequence[str] = ()
    entry: str = ""
    log: str = ""
    strangers: Sequence[Event] = ()
    unanswered: Sequence[Event] = ()
    kinds: Sequence[int] = ()
    is_known: bool = True
    cache: str = ""


class Case:
    """One machine. story: all that is kept of it. boot: its last boot."""

    def __init__(self, story: Sequence[Event], state: State | None, facts: Facts) -> None:
        self.story, self.state, self.facts = story, state, facts
        self.boots = [part for part in boots(story) if any(event.kind != STATE for event in part)]
        self.boot: Sequence[Event] = self.boots[-1] if self.boots else []

    def at(self, boot: Sequence[Event]) -> Case:
        """The same, told of an earlier boot."""
        other = Case(self.story, self.state, self.facts)
        other.boot = boot
        return other

    @property
    def installation(self) -> Sequence[Event]:
        """The last boot in which it had its user-data."""
        found = [
            boot for boot in self.boots if any(USER_DATA.search(one.name) and one.is_fetched for one in boot)
        ]
        return found[-1] if found else ()

    @property
    def armed_at(self) -> float:
        """When it was armed, in seconds since 1970."""
        noted = self.changes("armed")
        return noted[-1].time if noted else seconds_of(self.state.since if self.state else "")

    def find(self, pattern: re.Pattern[str], *kinds: str) -> list[Event]:
        """The last boot's events with such a name; of these kinds, where any are given."""
        return [
            event for event in self.boot if pattern.search(event.name) and (not kinds or event.kind in kinds)
        ]

    def got(self, pattern: re.Pattern[str]) -> Event | None:
        """The last such file that it got as a whole."""
        found = [event for event in self.find(pattern) if event.is_fetched and not self.is_cut(event)]
        return found[-1] if found else None

    def cut(self, pattern: re.Pattern[str]) -> list[Event]:
        """Such files of which it got a part."""
        return [event for event in self.find(pattern, HTTP) if event.is_fetched and self.is_cut(event)]

    def is_cut(self, event: Event) -> bool:
        """Whether fewer bytes were sent than the file has."""
        whole = self.facts.sizes.get(event.name.lstrip("/"), 0)
        return event.kind == HTTP and event.status == OK and event.bytes < whole

    def refused(self, pattern: re.Pattern[str], *statuses: int) -> list[Event]:
        """Requests that were answered with one of these statuses; with any above 399 where none is given."""
        found = self.find(pattern, HTTP)
        return [event for event in found if (event.status in statuses if statuses else event.status >= ERROR)]

    def missing(self, pattern: re.Pattern[str]) -> list[Event]:
        """Files that were not there, by TFTP or HTTP, and did not come later either."""
        if self.got(pattern):
            return []
        return [*self.find(pattern, MISSING), *self.refused(pattern, 404)]

    def done(self, pattern: re.Pattern[str]) -> Event | None:
        """A report that was taken."""
        found = [event for event in self.find(pattern, HTTP) if event.status < REDIRECT]
        return found[-1] if found else None

    def denied(self) -> list[Event]:
        """Files that dnsmasq may not read, around the time of this boot; its line does not say who asked."""
        return [
            event for event in self.facts.unanswered if event.kind == DENIED and event.time >= self.since - 5
        ]

    def stopped(self) -> list[Event]:
        """Transfers that were broken off."""
        return [event for event in self.boot if event.kind == STOPPED]

    def of(self, kind: str) -> list[Event]:
        """The last boot's events of one kind."""
        return [event for event in self.boot if event.kind == kind]

    @property
    def since(self) -> float:
        """When the last boot began."""
        return self.boot[0].time if self.boot else self.facts.now

    @property
    def last(self) -> float:
        """When it was last heard of."""
        own = [event.time for event in self.boot if event.kind != STATE]
        return own[-1] if own else 0.0

    @property
    def silence(self) -> float:
        """Seconds since then."""
        return self.facts.now - self.last

    @property
    def word(self) -> str:
        """Its state now."""
        return self.state.state if self.state else ""

    @property
    def reason(self) -> str:
        """Why it is in that state."""
        return self.state.reason if self.state else ""

    def changes(self, *words: str) -> list[Event]:
        """All changes to one of these states, at any time."""
        return [event for event in self.story if event.kind == STATE and event.name in words]

    @property
    def state_then(self) -> str:
        """Its state when it asked for its configuration; empty where nobody knows."""
        asked = self.find(CONFIGURATION)
        when = asked[-1].time if asked else self.last
        changes = [event for event in self.story if event.kind == STATE]
        before = [event.name for event in changes if event.time <= when]
        if before:
            return before[-1]
        return self.word if not changes and seconds_of(self.state.since if self.state else "") <= when else ""

    @property
    def is_uefi(self) -> bool:
        """Whether it came by shim and GRUB."""
        return bool(self.find(SHIM) or self.find(GRUB))

    @property
    def by_http(self) -> bool:
        """Whether the firmware was told a URL."""
        return any(event.name.startswith("http") for event in self.of(LOADER)) and not self.find(IPXE)

    @property
    def offers(self) -> list[Event]:
        """What it was offered."""
        return self.of(OFFER)


def seconds_of(since: str) -> float:
    """A state's `since`, ISO 8601 in UTC, in seconds since 1970; 0 where it is none."""
    try:
        return float(calendar.timegm(time.strptime(since, "%Y-%m-%dT%H:%M:%SZ")))
    except ValueError:
        return 0.0


Test = Callable[[Case], "Sequence[Event] | bool | None"]
