# SPDX-License-Identifier: GPL-3.0-or-later
"""What each additional machine costs: site.yml for 1 to 10,000 of them, and for ten when there is nothing to do.

The server has its packages and its image already (`boot_server.py`), so what is measured is what machines cost. From
one size to the next the inventory grows: the first run of 1,000 machines finds 100 of them already done.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.bench import BUILD, Row, boot_server, transfers
from tests.lab import playbook, server
from tests.lab.common import LabError, run
from tests.lab.server import Server

FOLDER = BUILD / "bench"
PLAYBOOK, PING = "tests/bench/seeds.yml", "tests/bench/ping.yml"
SEEDS = 4  # files of each machine: user-data, meta-data, vendor-data, network-config
PAIRS = 5
SIZES = (1, 10, 100, 1000)
LARGEST = 10_000
TEMPLATED = (
    50  # machines whose seeds are also written by a loop; more would take minutes, and prove nothing else
)
# How much longer than for one machine a run may take. Seconds would mean nothing: they are another machine's.
THOUSAND_LIMIT, LARGEST_LIMIT = 2.5, 15.0
MEMORY_LIMIT = 1500.0  # MB
PINGS_LIMIT = 7.0  # a run with nothing to do / a play of one ping
FASTER = 100
NEVER = 3600.0  # seconds; longer than any run


@dataclass
class Run:
    """One run of site.yml. tasks: name → state, seconds, in their order; megabytes: the controller's peak."""

    seconds: float = 0.0
    tasks: list[playbook.Task] = field(default_factory=list)
    megabytes: float = 0.0

    @property
    def acting(self) -> list[playbook.Task]:
        """Those that were not skipped."""
        return [task for task in self.tasks if task.state != "skipping"]

    @property
    def results(self) -> int:
        """Those of all tasks; of a loop each item's."""
        return sum(task.results for task in self.tasks)


def inventory(count: int) -> dict[str, Any]:
    """An inventory as a user writes it: a MAC address a machine, all else in the group.

    >>> inventory(2)["netboot_machines"]["hosts"]["m00001"]
    {'netboot_mac': '52:54:00:00:00:01'}
    """
    hosts = {
        f"m{n:05}": {"netboot_mac": f"52:54:00:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"}
        for n in range(count)
    }
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D bench"]
    return {"netboot_machines": {"hosts": hosts, "vars": {"netboot_ssh_keys": keys}}}


def write_inventory(count: int) -> Path:
    """Write it to a file."""
    path = FOLDER / f"machines-{count}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(inventory(count)), encoding="utf-8")
    return path


def site(box: Server, count: int, name: str, pause: float = 0.25) -> Run:
    """Run site.yml for so many machines, watching tasks, and memory after each pause of so many seconds."""
    found = Run()

    def tell(task: playbook.Task | str) -> None:
        if isinstance(task, playbook.Task):
            found.tasks.append(task)

    with watched(pause) as peak:
        found.seconds = boot_server.play(
            box, "site.yml", write_inventory(count), FOLDER / f"{name}.log", tell
        )
    found.megabytes = peak[0] / 1e6
    memory = f"{found.megabytes:.0f} MB, " if found.megabytes else ""
    print(f"  {name}: {found.seconds:.1f} s, {memory}{len(found.acting)} tasks", flush=True)
    return found


@contextmanager
def watched(pause: float) -> Iterator[list[int]]:
    """Bytes of memory that this process's children and theirs took at most together, in the list's only item.

    By proportional set size (proc(5), smaps_rollup): pages that forks share count once.
    """
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(pause):
            peak[0] = max(peak[0], sum(map(_pss, descendants(os.getpid()))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def descendants(pid: int) -> list[int]:
    """The processes below one, at this moment."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []  # it has ended
    children = [int(word) for text in lists for word in text.split()]
    return children + [below for child in children for below in descendants(child)]


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


@functools.cache
def both(count: int) -> tuple[Run, Run]:
    """First and second run for so many machines, after those for fewer. LabError when the second changes anything."""
    for smaller in (size for size in SIZES if size < count):
        both(smaller)
    box = boot_server.get()
    first, second = (site(box, count, f"machines-{count}-{turn}") for turn in ("first", "second"))
    changed = [task.name for task in second.tasks if task.state == "changed"]
    if changed:
        raise LabError(f"the second run for {count} machines changed something: {', '.join(changed)}")
    if count != SIZES[0] and second.results != (least := both(SIZES[0])[1].results):
        raise LabError(
            f"{second.results} results of tasks for {count} machines, {least} for one: a task loops"
        )
    return first, second


def seeds(count: int, way: str) -> float:
    """Seconds to write the seeds of so many machines, by the tasks with this tag of seeds.yml."""
    box = boot_server.get()
    run(*server.ssh(box, "rm", "-rf", "/var/tmp/bench"))
    return boot_server.play(
        box, PLAYBOOK, write_inventory(count), FOLDER / f"seeds-{way}.log", lambda task: None, "--tags", way
    )


def machines_1000() -> list[Row]:
    """A run for 1,000 machines against one for one machine, first and second; and one task against a loop."""
    means = "site.yml, {} run: for 1,000 machines / for one"
    of_first, of_second = (
        (round(many.seconds, 1), round(one.seconds, 1)) for many, one in zip(both(1000), both(1), strict=True)
    )
    set_, loop = seeds(1000, "set"), seeds(TEMPLATED, "loop")
    files = SEEDS * 1000
    return [
        Row("machines_1000", *of_first, "s", means.format("first"), at_most=THOUSAND_LIMIT),
        Row("machines_1000_second", *of_second, "s", means.format("second"), at_most=THOUSAND_LIMIT),
        Row(
            "machines_1000_loop",
            round(loop * 1000 / TEMPLATED, 1),
            round(set_, 2),
            "s",
            f"{files:,} seeds: template in a loop / file_set; a play of one task each, the loop measured for "
            f"{TEMPLATED} machines ({loop:.1f} s) and scaled",
            at_least=FASTER,
        ),
    ]


def machines_10000() -> list[Row]:
    """The largest inventory: time, memory, and whether time grows with it and no faster."""
    first, second = both(LARGEST)
    print(growth({size: both(size) for size in (*SIZES, LARGEST)}))
    peak = max(first.megabytes, second.megabytes)
    # not from one machine on: the first run of all has other things to do, too
    each = [
        (both(size)[0].seconds - both(from_)[0].seconds) / (size - from_) * 1000
        for from_, size in ((1000, LARGEST), (100, 1000))
    ]
    return [
        Row(
            "machines_10000",
            round(first.seconds, 1),
            round(both(1)[0].seconds, 1),
            "s",
            f"site.yml, first run: for {LARGEST:,} machines / for one",
            at_most=LARGEST_LIMIT,
        ),
        Row(
            "machines_10000_memory",
            round(peak),
            MEMORY_LIMIT,
            "MB",
            "ansible-playbook and its children at most, pages that they share counted once / what it may be",
            at_most=1,
        ),
        Row(
            "machines_10000_growth",
            round(each[0], 2),
            round(each[1], 2),
            "ms",
            "first run: what each additional machine costs from 1,000 to 10,000 / from 100 to 1,000; 1 is linear",
            at_most=1.5,
        ),
    ]


def growth(runs: dict[int, tuple[Run, Run]]) -> str:
    """The table of sizes: seconds of both runs, peak memory, and the number of tasks, which must not grow."""
    lines = ["  machines  first run  second run  peak memory  tasks"]
    for size, (first, second) in runs.items():
        peak = max(first.megabytes, second.megabytes)
        lines.append(
            f"  {size:>8,}  {first.seconds:>7.1f} s  {second.seconds:>8.1f} s  {peak:>8.0f} MB  {len(second.acting):>5}"
        )
    return "\n".join(lines)


def second_run() -> Row:
    """Nothing to do for ten machines, against the least that a run costs: a play of one ping."""
    both(10)
    box, runs = boot_server.get(), []

    def ours() -> float:
        runs.append(site(box, 10, "machines-10-again", NEVER))  # nobody watches the ping's memory either
        return runs[-1].seconds

    def ping() -> float:
        log = FOLDER / "ping.log"
        return boot_server.play(box, PING, write_inventory(10), log, lambda _task: None)

    found = transfers.pairs(PAIRS, ours, ping, "s")
    for task in sorted(runs[-1].tasks, key=lambda task: -task.seconds)[:8]:
        print(f"    {task.seconds:5.2f} s  {task.name}")
    changed = [task.name for one in runs for task in one.tasks if task.state == "changed"]
    if changed:
        raise LabError(f"a run with nothing to do changed something: {', '.join(changed)}")
    tasks = len(runs[-1].acting)
    means = f"site.yml for ten machines with nothing to do, {tasks} tasks / a play of one ping; median pair of {PAIRS}"
    return transfers.median_row("second_run", found, "s", means, at_most=PINGS_LIMIT)
