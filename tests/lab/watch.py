# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows the logs of router, server and machines while they are written, and ends machines in time."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from . import server as servers
from .client import Client
from .common import BUILD, LabError, run
from .lan import Lan
from .server import Server
from .story import Line, Story

TFTP_ROOT = "/srv/netboot/tftp"
ACCESS_LOG, STEPS_LOG = "/var/log/netboot/access.log", "/var/log/netboot/progress.log"
SERVED = r"""
log=/var/log/netboot/served.log; size=$(stat -c %s $log 2>/dev/null || echo 0)
tail -s 0.2 -c +$((size + 1)) -F $log 2>/dev/null | grep --line-buffered ' "GET /images/' |
    sed -u 's/^\(\S* \S* \S*\) \S* \(\S* \S* \S*\) \("[^"]*"\)/\1 \3 \2/' &
cat >/dev/null; kill $(jobs -p)
"""
"""What a cache sent of images, as a server's log has it (netboot_served, ACCESS_FORMAT); all else is in that one."""
SETTLE = 0.3
"""Seconds that router and server may take to write down a request after the machine has had its answer."""


class Tail:
    """New whole lines of a growing file."""

    def __init__(self, path: Path, source: str, at_end: bool = False) -> None:
        self.path = path
        self.source = source
        self.position = path.stat().st_size if at_end and path.exists() else 0
        self.rest = b""
        self.looked = time.time()

    def lines(self) -> list[Line]:
        """The lines that have come since the last call."""
        if not self.path.exists():
            return []  # nothing was written yet
        with self.path.open("rb") as handle:
            handle.seek(self.position)
            data = handle.read()
        self.position += len(data)
        *whole, self.rest = (self.rest + data).split(b"\n")
        # The router's lines carry no fractions of a second; the time of the last look keeps them before the
        # server's lines, which do, and which they caused.
        before, self.looked = self.looked, time.time()
        when = before if self.source == "router" else self.looked
        return [Line(when, self.source, text.decode("utf-8", "replace").rstrip("\r")) for text in whole]


class ServerLog(AbstractContextManager["ServerLog"]):
    """The server's journal and access log, followed through SSH into a file of ours.

    cache: what this one sends of images is followed, too, as if it were the server's.
    """

    def __init__(self, server: Server, lan: Lan, cache: Server | None = None) -> None:
        self.server, self.lan, self.cache = server, lan, cache
        self.path = BUILD / "lans" / lan.name / f"server-{server.name}.log"
        self.router = BUILD / "lans" / lan.name / "router.log"
        self.known: set[bytes] = set()
        self.process: subprocess.Popen[bytes] | None = None
        self.second: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ServerLog:
        self.known = self.last_lines()
        # Both begin where the logs are now, not where they are when the programs have started.
        # `cat` ends when the connection does; then the followers are ended too.
        script = (
            "journalctl -q -f -n all --since @$(date +%s) -o short-unix -u netboot-dnsmasq & "
            f"log={shlex.quote(ACCESS_LOG)}; size=$(stat -c %s $log 2>/dev/null || echo 0); "
            "tail -s 0.2 -c +$((size + 1)) -F $log 2>/dev/null & "
            f"log={shlex.quote(STEPS_LOG)}; size=$(stat -c %s $log 2>/dev/null || echo 0); "
            "tail -s 0.2 -c +$((size + 1)) -F $log 2>/dev/null & "
            "echo following; cat >/dev/null; kill $(jobs -p)"
        )
        command = servers.ssh(self.server, "bash", "-c", shlex.quote(script))
        if self.path.exists():
            self.path.replace(self.path.with_suffix(".before.log"))
        with self.path.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
            )
            if self.cache:
                also = servers.ssh(self.cache, "bash", "-c", shlex.quote(SERVED))
                self.second = subprocess.Popen(also, stdin=subprocess.PIPE, stdout=out, stderr=out)
        deadline = time.monotonic() + 15
        while b"following" not in self.path.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the server's logs cannot be followed; see {self.path}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self.process, self.second):
            if process is not None and process.stdin is not None:
                process.stdin.close()
                try:
                    process.wait(2)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def last_lines(self) -> set[bytes]:
        """The last line of each of the server's three logs, as they are now."""
        script = f"tail -q -n 1 {ACCESS_LOG} {STEPS_LOG}; journalctl -q -n 1 -o short-unix -u netboot-dnsmasq"
        said = run(*servers.ssh(self.server, "bash", "-c", shlex.quote(script)), check=False)
        return {line.encode() for line in said.splitlines()}

    def wait_until_complete(self, patience: float = 20) -> None:
        """Wait until all that the server has logged until now has arrived here; LabError when it does not."""
        deadline = time.monotonic() + patience
        missing = self.last_lines() - self.known
        while missing := missing - set(self.path.read_bytes().split(b"\n")):
            if time.monotonic() > deadline:
                raise LabError(
                    f"the server's log is incomplete in {self.path}: {missing.pop()!r} is not there"
                )
            time.sleep(0.1)

    def tails(self) -> list[Tail]:
        """From now on. The router is read first: it says which addresses are whose."""
        return [Tail(self.router, "router", at_end=True), Tail(self.path, "server", at_end=True)]


def tftp_sizes(server: Server) -> dict[str, int]:
    """The size of every file below the TFTP root, by path."""
    listing = run(
        *servers.ssh(server, "find", "-L", TFTP_ROOT, "-type", "f", "-printf", shlex.quote("%s %p\\n"))
    )
    pairs = (line.split(" ", 1) for line in listing.splitlines())
    return {path: int(size) for size, path in pairs}


@dataclass
class Boot:
    """A machine that is being watched. seconds: from power-on to the end. result: as Story.end, or time-out."""

    client: Client
    story: Story
    tail: Tail
    patience: float
    running: bool = True
    seconds: float = 0.0
    result: str = ""


def source_of(line: Line) -> Line:
    """The server's lines come mixed: the journal's begin with seconds, the access log's with a date, those
    of the installers' steps are JSON."""
    if line.source != "server":
        return line
    if line.text.startswith("{"):
        return Line(line.when, "progress", line.text)
    source = "dnsmasq" if line.text.partition(" ")[0].replace(".", "", 1).isdigit() else "nginx"
    return Line(line.when, source, line.text)


def follow(
    clients: Sequence[Client],
    log: ServerLog,
    sizes: dict[str, int],
    *,
    at_once: int = 0,
    idle: Callable[[list[Boot]], None] = lambda _boots: None,
    enough: Callable[[Story], bool] = lambda _story: False,
    patience: float | None = None,
) -> list[Boot]:
    """Switch machines on, watch them until each has ended or its time is over, switch them off.

    at_once: how many are on at the same time; when one has ended, the next is switched on. All when 0.
    idle: called about ten times a second, with those that were switched on until then.
    enough: a machine whose story is so is switched off, result `enough` (for a real installer).
    patience: seconds until a boot counts as failed; default: what the machine's firmware row says.
    """
    tails = log.tails()
    boots: list[Boot] = []
    told: list[Line] = []
    try:
        while len(boots) < len(clients) or not all(boot.result for boot in boots):
            on = sum(not boot.result for boot in boots)
            room = (at_once or len(clients)) - on
            for client in clients[len(boots) : len(boots) + room]:
                boots.append(switch_on(client, sizes, patience, told))
            time.sleep(0.1)
            told += read_logs(boots, tails)
            for boot in boots:
                if not boot.result:
                    boot.result = judge(boot, enough)
                    if boot.result:
                        boot.seconds = last_step(boot)
                        boot.client.__exit__(None, None, None)
            idle(boots)
        time.sleep(SETTLE)
        log.wait_until_complete()
        read_logs(boots, tails)
    finally:
        for client in clients:
            client.__exit__(None, None, None)
    return boots


def switch_on(client: Client, sizes: dict[str, int], patience: float | None, told: Sequence[Line]) -> Boot:
    """Begin to watch a machine; patience: as `follow` has it.

    told: what was logged until now. It says whose addresses are in use, so that those that go on are not taken for it.
    """
    client.__enter__()
    story = Story(client.machine.mac, client.power_on, TFTP_ROOT, sizes)
    for line in told:
        story.feed(line)
    limit = patience or client.machine.firmware.patience
    return Boot(client, story, Tail(client.serial, "serial"), limit)


def read_logs(boots: Sequence[Boot], tails: Sequence[Tail]) -> list[Line]:
    """Feed what was logged since the last call to every story that it is about; return it."""
    shared = [source_of(line) for tail in tails for line in tail.lines()]
    for boot in boots:
        boot.running = boot.client.running()  # before its console is read, so that its last words are
        for line in [*shared, *boot.tail.lines()]:
            boot.story.feed(line)
    return shared


def judge(boot: Boot, enough: Callable[[Story], bool]) -> str:
    """How the boot has ended; nothing as long as it goes on."""
    if boot.story.end:
        return boot.story.end
    if enough(boot.story):
        return "enough"
    if not boot.running:
        boot.client.check_started()
        return "failed: the machine switched itself off"
    if time.time() - boot.client.power_on > boot.patience:
        return f"failed: not ready after {boot.patience:.0f} s"
    return ""


def last_step(boot: Boot) -> float:
    """Seconds from power-on to the last thing that the machine said."""
    said = [step.when for step in boot.story.steps if step.kind in ("said", "disk")]
    return max(said, default=time.time() - boot.client.power_on)
