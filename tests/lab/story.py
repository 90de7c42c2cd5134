# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine did while it booted, told from the logs of router, server and machine. Pure.

The server's logs are read and joined by the collection's own reader (module_utils/_program/events), as on a user's
server. The lab adds what it knows besides: the router's log and the machine's serial console.

Sources and their lines: `dnsmasq`: the server's journal as `journalctl -o short-unix`; `nginx`, `progress`: the log
formats netboot and netboot_progress of the role pxe_http; `router`: the lab router's dnsmasq log; `serial`: the
machine's console.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.homelab.netboot.plugins.module_utils._program.events import dnsmasq, nginx, progress
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import event as kinds
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import Event, Record
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.joining import Joiner

from .disk import MARK

SEEDS = ("network-config", "meta-data", "user-data", "vendor-data")

_ESCAPE = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]")
_ACK = re.compile(r"DHCPACK\(\S+\) (?P<ip>[\d.]+) (?P<mac>[0-9a-f:]{17})")
_ASTRAY = re.compile(r"dnsmasq-tftp\[\d+\]: (?P<text>.* (?:for|to|from) (?P<ip>[\d.]+))$")
#: What others say on the console, and what the lab's own programs would call it. Linux: drivers/firmware/efi/libstub;
#: GRUB: grub-core/kern/efi/sb.c and its users.
_WORDS = {
    "EFI stub: UEFI Secure Boot is enabled.": "secure-boot by=kernel",
    "error: bad shim signature.": "refused why=bad shim signature",
}
#: The firmware refuses a loader: EFI_ACCESS_DENIED or EFI_SECURITY_VIOLATION, as OVMF tells them (edk2: BdsDxe).
_REFUSED = re.compile(r"BdsDxe: failed to (?:load|start) Boot\w+ .*(?:Access Denied|Security Violation)")
_READERS = {"dnsmasq": dnsmasq.read, "nginx": nginx.read, "progress": progress.read}
#: The events that are steps of a boot; the others are the server's own.
_STEPS = (kinds.OFFER, kinds.LOADER, kinds.TFTP, kinds.MISSING, kinds.HTTP, *kinds.PROGRESS_KINDS)


def plain(text: str) -> str:
    """What a console shows, without the signs that colour it or move the cursor."""
    return _ESCAPE.sub("", text)


@dataclass(frozen=True)
class Line:
    """One line of a log. when: seconds since 1970, when it was read; a time in the line itself goes before."""

    when: float
    source: str
    text: str


@dataclass(frozen=True)
class Step:
    """One step of a machine. when: seconds since power-on. size: bytes that the machine fetched.

    kind: offer, address, astray, loader, tftp, missing, http, said, disk, firmware; begins, ends, …: of the installer.
    """

    when: float
    kind: str
    source: str
    name: str
    size: int = 0
    status: int = 0
    agent: str = ""


@dataclass
class Story:
    """The steps of one machine, in the order in which they were told.

    root: the TFTP root; sizes: bytes of every file below it, by its path (dnsmasq logs no sizes).
    """

    mac: str
    power_on: float
    root: str = "/srv/netboot/tftp"
    sizes: Mapping[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    ips: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.joiner = Joiner({}, self.root, lambda path: self.sizes.get(path, 0))

    def feed(self, line: Line) -> list[Step]:
        """Add what a line tells of this machine, and what is known of earlier lines now."""
        if line.source == "serial":
            told = [self._serial(line)]
        elif line.source == "router":
            told = list(self._router(line))
        else:
            record = _READERS[line.source](line.text)
            told = [self._step(event) for event in self.joiner.feed(record)] if record else []
            if record and record.kind == kinds.LEASE and record.mac == self.mac:
                told += [Step(record.time - self.power_on, "address", "server", record.address)]
        steps = [step for step in told if step is not None and step.when >= 0]
        self.steps += steps
        return steps

    def _step(self, event: Event) -> Step | None:
        if event.mac != self.mac or event.kind not in _STEPS:
            return None
        when = event.time - self.power_on
        if event.kind == kinds.OFFER:
            return None if self.of("offer") else Step(when, "offer", "server", "proxy")
        if event.address:
            self.ips.add(event.address)
        return Step(when, event.kind, "server", event.name, event.bytes, event.status, event.note)

    def _router(self, line: Line) -> Iterator[Step | None]:
        astray = _ASTRAY.search(line.text)
        if astray and astray["ip"] in self.ips:
            yield Step(line.when - self.power_on, "astray", "router", astray["text"])
        found = _ACK.search(line.text)
        if found is None:
            return
        # everybody's, so that an address that is another machine's now is not taken for this one's
        record = Record(line.when, kinds.LEASE, mac=found["mac"], address=found["ip"])
        yield from (self._step(event) for event in self.joiner.feed(record))
        if found["mac"] == self.mac:
            self.ips.add(found["ip"])
            yield Step(line.when - self.power_on, "address", "router", found["ip"])

    def _serial(self, line: Line) -> Step | None:
        text = plain(line.text).strip()
        when = line.when - self.power_on
        if text.startswith(MARK):
            return Step(when, "disk", "machine", text)
        if text.startswith("LAB "):
            return Step(when, "said", "machine", text.removeprefix("LAB "))
        if text.startswith("netboot: "):  # the last words of an installation that was stopped
            return Step(when, "said", "machine", text)
        if text in _WORDS:
            return Step(when, "said", "machine", _WORDS[text])
        if _REFUSED.match(text):
            return Step(when, "firmware", "machine", text)
        return None

    def of(self, kind: str) -> list[Step]:
        """The steps of one kind."""
        return [step for step in self.steps if step.kind == kind]

    @property
    def bytes_tftp(self) -> int:
        """Bytes fetched by TFTP, without repeated packets."""
        return sum(step.size for step in self.of("tftp"))

    @property
    def bytes_http(self) -> int:
        """Bytes of HTTP bodies."""
        return sum(step.size for step in self.of("http"))

    @property
    def end(self) -> str:
        """How it ended: done, restarts, local disk, refused by the firmware, failed: …; until then nothing."""
        for step in self.steps:
            if step.kind == "firmware":
                return "refused by the firmware"
            if step.kind == "disk":
                return "local disk"
            if step.kind == "said" and step.name in ("done", "restarts"):
                return step.name
            if step.kind == "said" and step.name.startswith("failed why="):
                return "failed: " + step.name.removeprefix("failed why=")
        return ""

    @property
    def ending(self) -> str:
        """How it ended, for a person; of a boot that only stopped, what came last."""
        last = max(self.steps, key=lambda step: step.when, default=None)
        return self.end or (
            f"silence after {last.kind} {last.name} at {last.when:.0f} s"
            if last
            else "silence from the beginning"
        )

    @property
    def secure_boot(self) -> str:
        """Who said that Secure Boot is on: kernel, grub (of the marked disk), or nobody: empty."""
        words = (step.name.partition("secure-boot by=")[2] for step in self.of("said"))
        return next((word for word in words if word), "")

    def seeds(self) -> dict[str, list[int]]:
        """The HTTP statuses with which cloud-init's four files were answered."""
        found: dict[str, list[int]] = {}
        for step in self.of("http"):
            name = step.name.rpartition("/")[2]
            if step.name.startswith("/machines/") and name in SEEDS:
                found.setdefault(name, []).append(step.status)
        return found

    def config_search(self) -> list[tuple[str, bool]]:
        """PXELINUX's configuration files as it asked for them, and whether each was there.

        A request that it repeats at once, because the answer took long (UDP), counts as one.
        """
        marker = "pxelinux.cfg/"
        asked = [
            (step.name.partition(marker)[2], step.kind == "tftp")
            for step in self.steps
            if step.kind in ("tftp", "missing") and marker in step.name
        ]
        return [request for request, _repeated in itertools.groupby(asked)]


def tell(story: Story, lines: Iterable[Line]) -> Story:
    """Feed all lines; for logs that were recorded."""
    for line in lines:
        story.feed(line)
    return story
