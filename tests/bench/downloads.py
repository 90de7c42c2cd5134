# SPDX-License-Identifier: GPL-3.0-or-later
"""Many downloads, so many at once, as JSON: `python -m tests.bench.downloads PATH SIZE COUNT AT_ONCE LINE ADDRESS…`

LINE: bytes a second that come from each address at the most, as by a line of its own; 0 for as many as come.

The kernel throws the bytes away (MSG_TRUNC, tcp(7)), so that clients cost next to nothing beside the server that they
measure. They are counted, not looked at.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

PATIENCE = 120.0  # s without a byte from anybody
PIECE = 1 << 17  # of one connection, before the others have their turn


@dataclass
class Outcome:
    """seconds: of all; each: of each download. failed: a reason for each that did not come as a whole."""

    seconds: float = 0.0
    each: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Download:
    """One file from one address."""

    def __init__(self, address: str, path: str) -> None:
        self.address = address
        self.link = socket.create_connection((address, 80), timeout=PATIENCE)
        self.started = time.perf_counter()
        self.link.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        self.link.setblocking(False)
        self.head, self.size = b"", 0

    def read(self) -> bool:
        """Take what is there; whether it was the end."""
        if b"\r\n\r\n" not in self.head:
            some = self.link.recv(4096)
            self.head += some
            self.size = len(self.head.partition(b"\r\n\r\n")[2])
            return not some
        got = self.link.recv_into(_ROOM, PIECE, socket.MSG_TRUNC)
        self.size += got
        return got == 0

    @property
    def status(self) -> str:
        return self.head[9:12].decode("latin-1")


_ROOM = bytearray(PIECE)


class Line:
    """What an address is reached by: so many bytes a second, 0 for no limit."""

    def __init__(self, speed: float) -> None:
        self.speed, self.carried, self.since = speed, 0, time.perf_counter()

    def carry(self, size: int) -> None:
        """Note what came."""
        self.carried += size

    def is_full(self) -> bool:
        """Whether more has come than the line carries; what it did not carry while nobody asked is lost."""
        if not self.speed:
            return False
        due = (time.perf_counter() - self.since) * self.speed
        self.carried = max(self.carried, int(due - self.speed / 10))
        return self.carried > due


class Fleet:
    """Fetches a file so often, in turn from each address; a new download begins when one has ended."""

    def __init__(self, path: str, size: int, count: int, line: float, addresses: Sequence[str]) -> None:
        self.path, self.size, self.count, self.addresses = path, size, count, addresses
        self.lines = {address: Line(line) for address in addresses}
        self.begun = 0
        self.outcome = Outcome()
        self.selector = selectors.DefaultSelector()

    def begin(self) -> None:
        """Start the next one, if there is one."""
        if self.begun < self.count:
            one = Download(self.addresses[self.begun % len(self.addresses)], self.path)
            self.selector.register(one.link, selectors.EVENT_READ, one)
            self.begun += 1

    def end(self, one: Download, error: str = "") -> None:
        """Note how one ended."""
        self.selector.unregister(one.link)
        one.link.close()
        self.outcome.each.append(time.perf_counter() - one.started)
        if error or one.status != "200" or one.size != self.size:
            said = f"{one.size} of {self.size} bytes, status {one.status} {error}"
            self.outcome.failed.append(said.rstrip())
        self.begin()

    def read(self, one: Download) -> None:
        """Read from one that has something."""
        before = one.size
        try:
            is_over = one.read()
        except OSError as problem:
            self.end(one, str(problem))
        else:
            self.lines[one.address].carry(one.size - before)
            if is_over:
                self.end(one)

    def run(self, at_once: int) -> Outcome:
        """Fetch all."""
        started = time.perf_counter()
        for _number in range(at_once):
            self.begin()
        while self.selector.get_map():
            ready = self.selector.select(PATIENCE)
            if not ready:
                raise SystemExit(f"nobody sent a byte for {PATIENCE:.0f} s")
            free = [key.data for key, _events in ready if not self.lines[key.data.address].is_full()]
            for one in free:
                self.read(one)
            if not free:
                time.sleep(0.001)
        self.outcome.seconds = time.perf_counter() - started
        return self.outcome


def main() -> None:
    """See the top of this file."""
    path, size, count, at_once, line, *addresses = sys.argv[1:]
    print(json.dumps(asdict(Fleet(path, int(size), int(count), float(line), addresses).run(int(at_once)))))


if __name__ == "__main__":
    main()
