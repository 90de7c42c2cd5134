# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine did while it booted, told from the logs of router, server and machine. Pure.

Sources and their lines: `dnsmasq`: the server's journal as `journalctl -o short-unix`; `nginx`: the log
format netboot of the role pxe_http; `router`: the lab router's dnsmasq log; `serial`: the machine's console.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .disk import MARK

SEEDS = ("network-config", "meta-data", "user-data", "vendor-data")

_JOURNAL = re.compile(r"^(?P<when>\d+\.\d+) \S+ dnsmasq(?:-\w+)?\[\d+\]: (?P<text>.*)$")
_NGINX = re.compile(
    r'^\S+ (?P<when>\d+\.\d+) (?P<ip>\S+) "(?P<method>\S+) (?P<path>\S+)[^"]*" '
    r'(?P<status>\d+) (?P<bytes>\d+) (?P<seconds>\S+) "(?P<agent>.*)"$'
)
_OFFER = re.compile(r"^(?P<xid>\d+) PXE\(\S+\) (?P<mac>[0-9a-f:]{17}) proxy$")
# UEFI is told its loader further down in the answer: a file for TFTP, or a URL for HTTP Boot.
_BOOTFILE = re.compile(
    r"^(?P<xid>\d+) (?:bootfile name: |sent size: +\d+ option: 67 bootfile-name +)(?P<file>\S+)$"
)
_LOADER = re.compile(r"PXE\(\S+\) (?P<ip>[\d.]+) (?P<mac>[0-9a-f:]{17}) (?P<file>\S+)$")
_SENT = re.compile(r"^sent (?P<path>\S+) to (?P<ip>[\d.]+)$")
_STOPPED = re.compile(r"^error \d+ .*received from (?P<ip>[\d.]+)$")
_MISSING = re.compile(r"^file (?P<path>\S+) not found for (?P<ip>[\d.]+)$")
_ESCAPE = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]")
_ACK = re.compile(r"DHCPACK\(\S+\) (?P<ip>[\d.]+) (?P<mac>[0-9a-f:]{17})")


@dataclass(frozen=True)
class Line:
    """One line of a log. when: seconds since 1970, when it was read; a time in the line itself goes before."""

    when: float
    source: str
    text: str


@dataclass(frozen=True)
class Step:
    """One step of a machine. when: seconds since power-on. size: bytes that the machine fetched."""

    when: float
    kind: str  # offer, address, loader, tftp, missing, http, said, disk
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
    xid: str = ""  # of the DHCP exchange of which the server's log tells just now, when it is this machine's
    stopped: bool = False  # it broke off a file that it was being sent

    def feed(self, line: Line) -> Step | None:
        """Add what a line tells of this machine; None when it tells nothing of it."""
        reader = {
            "dnsmasq": self._dnsmasq,
            "nginx": self._nginx,
            "router": self._router,
            "serial": self._serial,
        }
        step = reader[line.source](line)
        if step is not None and step.when >= 0:
            self.steps.append(step)
            return step
        return None

    def _dnsmasq(self, line: Line) -> Step | None:
        entry = _JOURNAL.match(line.text)
        if entry is None:
            return None
        when, text = float(entry["when"]) - self.power_on, entry["text"]
        if found := _OFFER.match(text):
            # machines that are switched on together may choose the same number: the lines' order tells them apart
            mine = found["mac"] == self.mac
            self.xid = found["xid"] if mine else ""
            return Step(when, "offer", "server", "proxy") if mine and not self.of("offer") else None
        if (found := _BOOTFILE.match(text)) and found["xid"] == self.xid:
            return Step(when, "loader", "server", found["file"])
        if (found := _LOADER.search(text)) and found["mac"] == self.mac:
            self.ips.add(found["ip"])
            return Step(when, "loader", "server", found["file"])
        return self._tftp(when, text)

    def _tftp(self, when: float, text: str) -> Step | None:
        if (found := _STOPPED.match(text)) and found["ip"] in self.ips:
            self.stopped = True  # UEFI asks for a file's size so; dnsmasq logs the file as sent all the same
        elif (found := _SENT.match(text)) and found["ip"] in self.ips:
            stopped, self.stopped = self.stopped, False
            path = found["path"]
            return (
                None if stopped else Step(when, "tftp", "server", self._name(path), self.sizes.get(path, 0))
            )
        elif (found := _MISSING.match(text)) and found["ip"] in self.ips:
            return Step(when, "missing", "server", self._name(found["path"]))
        return None

    def _name(self, path: str) -> str:
        return path.removeprefix(self.root).lstrip("/")

    def _nginx(self, line: Line) -> Step | None:
        found = _NGINX.match(line.text)
        if found is None or found["ip"] not in self.ips or found["method"] == "HEAD":
            return None  # UEFI's HTTP asks for the size of each file before it fetches it
        when = float(found["when"]) - self.power_on
        size, status = int(found["bytes"]), int(found["status"])
        path = re.sub("/+", "/", found["path"])  # shim asks for efi//grubx64.efi
        return Step(when, "http", "server", path, size, status, found["agent"])

    def _router(self, line: Line) -> Step | None:
        found = _ACK.search(line.text)
        if found is None or found["mac"] != self.mac:
            return None
        self.ips.add(found["ip"])
        return Step(line.when - self.power_on, "address", "router", found["ip"])

    def _serial(self, line: Line) -> Step | None:
        text = _ESCAPE.sub("", line.text).strip()
        when = line.when - self.power_on
        if text.startswith(MARK):
            return Step(when, "disk", "machine", text)
        if text.startswith("LAB "):
            return Step(when, "said", "machine", text.removeprefix("LAB "))
        if text.startswith("netboot: "):  # the last words of an installation that was stopped
            return Step(when, "said", "machine", text)
        if text == "EFI stub: UEFI Secure Boot is enabled.":  # Linux: drivers/firmware/efi/libstub
            return Step(when, "said", "machine", "secure-boot by=kernel")
        if text == "error: bad shim signature.":  # GRUB: grub-core/kern/efi/sb.c and its users
            return Step(when, "said", "machine", "refused why=bad shim signature")
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
        """How it ended: done, local disk, failed: …, or nothing as long as it has not."""
        for step in self.steps:
            if step.kind == "disk":
                return "local disk"
            if step.kind == "said" and step.name == "done":
                return "done"
            if step.kind == "said" and step.name.startswith("failed why="):
                return "failed: " + step.name.removeprefix("failed why=")
        return ""

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
