# SPDX-License-Identifier: GPL-3.0-or-later
"""What `netboot why` costs: with a year of logs of 100 machines (a million lines) and with a day's, in one run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import COLLECTIONS, Row

MACHINES, DAYS, SHARE = 100, 365, 7
"""Each machine boots so often that a year has a million lines; so many days are read at once, as by a timer that was
off for a while."""
START, TURNS = 1_800_000_000, 5
PROGRAM = "ansible_collections.homelab.netboot.plugins.module_utils._program"
# Started anew for each question, as on the server; prints seconds and peak memory in MB. That is VmHWM of proc(5), as
# getrusage(2) counts what the process was before execve(2), too: the bench, which other measures have made large.
ASK = f"""
import sys, time
started = time.perf_counter()
from {PROGRAM}.events.kept import Kept
from {PROGRAM}.why.case import Case, Facts
from {PROGRAM}.why.verdict import judge
state, log, journal, mac = sys.argv[1:]

def lines(cursor):
    with open(journal) as file:
        file.seek(int(cursor or 0))
        found = file.read().splitlines()
        return found, str(file.tell())

names = {{f"52:54:00:00:00:{{n:02x}}": f"m{{n}}" for n in range({MACHINES})}}
with Kept(state, names, "/srv/netboot/tftp", log=log, journal=lines) as kept:
    kept.refresh()
    story = kept.story(mac)
    judge(Case(story, None, Facts(now=story[-1].time + 5000)), "m50")
seconds = time.perf_counter() - started
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
print(seconds, peak / 1024)
"""


def boot(when: int, number: int) -> tuple[list[str], list[str]]:
    """The lines of the journal and of the log that a boot of one machine writes: 27."""
    mac, address = f"52:54:00:00:00:{number:02x}", f"10.0.0.{number + 1}"
    dhcp, tftp = (f"{when}.{part} server dnsmasq-{name}[7]: " for part, name in ((1, "dhcp"), (3, "tftp")))
    told = [
        dhcp + f"{when} vendor class: PXEClient:Arch:00000:UNDI:002001",
        dhcp + f"{when} PXE(lan0) {mac} proxy",
    ]
    told += [dhcp + f"{when} sent size: {n} option: {n} nothing of interest" for n in range(10)]
    told += [dhcp + f"0 PXE(lan0) {address} {mac} lpxelinux.0"]
    told += [tftp + f"sent /srv/netboot/tftp/{path} to {address}" for path in ("lpxelinux.0", "ldlinux.c32")]
    told += [tftp + f"file /srv/netboot/tftp/pxelinux.cfg/{n} not found for {address}" for n in range(2)]
    told += [tftp + f"sent /srv/netboot/tftp/pxelinux.cfg/01-{mac.replace(':', '-')} to {address}"]
    paths = ["images/n/v/vmlinuz", "images/n/v/initrd", "images/n/v/n.iso"]
    paths += [
        f"machines/m{number}/-/{seed}" for seed in ("network-config", "meta-data", "user-data", "vendor-data")
    ]
    paths += [f"machines/m{number}/-/receipt", f"reports/m{number}.-.installed"]
    form = 'x {}.500 {} "GET /{} HTTP/1.1" 200 9 0.1 "agent"'
    return told, [form.format(when + 5 + n, address, path) for n, path in enumerate(paths)]


def days(first: int, count: int) -> Iterator[tuple[str, str]]:
    """Journal and log of each day: every machine boots once, 2,700 lines."""
    for day in range(first, first + count):
        parts = [boot(START + day * 86400 + number * 600, number) for number in range(MACHINES)]
        yield tuple("".join(f"{line}\n" for part in parts for line in part[kind]) for kind in (0, 1))  # type: ignore[misc]


class Place:
    """A server's logs and its state folder."""

    def __init__(self, top: Path) -> None:
        self.state, self.log, self.journal = top / "state", top / "access.log", top / "journal"
        self.state.mkdir(parents=True)
        self.day = 0
        self.memory = 0.0

    def write(self, count: int) -> None:
        """Some days go by."""
        with self.journal.open("a") as journal, self.log.open("a") as log:
            for told, asked in days(self.day, count):
                journal.write(told)
                log.write(asked)
        self.day += count

    def ask(self) -> float:
        """Seconds of one question, with what is new since the last."""
        argv = [
            sys.executable,
            "-c",
            ASK,
            *map(str, (self.state, self.log, self.journal)),
            "52:54:00:00:00:32",
        ]
        done = subprocess.run(
            argv, env={"PYTHONPATH": str(COLLECTIONS)}, capture_output=True, text=True, check=True
        )
        seconds, memory = map(float, done.stdout.split())
        self.memory = max(self.memory, memory)
        return seconds


def why_year_vs_day() -> list[Row]:
    """A question after a year of logs, and after a day's; and the memory that reading a week at once takes."""
    with tempfile.TemporaryDirectory() as top:
        year, day = Place(Path(top, "year")), Place(Path(top, "day"))
        day.write(1)
        day.ask()
        started = time.perf_counter()
        while year.day < DAYS:
            year.write(min(SHARE, DAYS - year.day))
            year.ask()
        print(f"  a year read in {time.perf_counter() - started:.0f} s, {SHARE} days at a time")
        lines = sum(1 for path in (year.journal, year.log) for _line in path.open())
        kept = sum(path.stat().st_size for path in year.state.rglob("*.json"))
        print(json.dumps({"lines": lines, "bytes kept": kept}))
        pairs = [(year.ask(), day.ask()) for _turn in range(TURNS)]
        ours, other = (min(pair[place] for pair in pairs) for place in (0, 1))
        means = f"`netboot why` after {lines:,} lines of logs vs. after a day's"
        limit = "memory while a week of logs is read, vs. the 100 MB that it may take"
        return [
            Row("why_year_vs_day", round(ours, 3), round(other, 3), "s", means, at_most=1.5),
            Row("why_memory", round(year.memory, 1), 100, "MB", limit, at_most=1.0),
        ]
