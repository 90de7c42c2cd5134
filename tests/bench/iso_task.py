# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole Ansible task that takes kernel and initrd out of an ISO, beside that of community.general.iso_extract.

Both on this host, by pipelining as site.yml has it, once in a play, as users have it; one after the other, the order
changing. The clock runs from a task's name to its result: that has all that Ansible does for it, but not the start of
the play.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections import defaultdict
from typing import Any

import yaml

from tests.bench import BUILD, COLLECTIONS, ROOT, SIZES, Row
from tests.bench.extract import DEST, FILES, ISO, bytes_read, make_input
from tests.lab import install, playbook
from tests.tools import community_general

FOLDER = BUILD / "bench"
RUNS = 9
SEVEN = shutil.which("7zz") or "7z"  # Debian 12 has it by the first name only
OURS, OTHER, LEAST = "ours", "iso_extract", "ping"
KEPT = ", then sync"
#: What is met: see docs/bench.md. Of an unchanged run, what the module adds to Ansible's own part has the limit.
FIRST_LIMIT, KEPT_LIMIT, UNCHANGED_LIMIT, ADDED_LIMIT = 1.3, 1.0, 0.9, 0.5
READ_LIMIT = 1.05  # folders and tables included
#: Task of each: what it is called with.
TASKS: dict[str, dict[str, Any]] = {
    OURS: {
        "homelab.netboot.iso_boot_files": {"src": str(ISO), "dest": str(FOLDER / OURS), "files": FILES},
    },
    OTHER: {
        "community.general.iso_extract": {
            "image": str(ISO),
            "dest": str(FOLDER / OTHER),
            "files": list(FILES),
            "executable": SEVEN,
        },
    },
    LEAST: {"ansible.builtin.ping": {}},
}


def iso_task_first() -> list[Row]:
    """Into an empty folder: the whole task, and until a power cut would find the files whole.

    Ours ends when they are on the disk. What the other one leaves to the system is what sync(1) takes after it, beyond
    what it takes after a ping.
    """
    times = _times("first", empty=True)
    means = f"the whole task, first run / community.general.iso_extract; median of {RUNS}"
    until = "the same, until both files are on the disk"
    ours, other = (round(times[one] + times[one + KEPT] - times[LEAST + KEPT], 4) for one in (OURS, OTHER))
    return [
        Row("iso_task_first", times[OURS], times[OTHER], "s", means, at_most=FIRST_LIMIT),
        Row("iso_task_first_kept", ours, other, "s", until, at_most=KEPT_LIMIT),
    ]


def iso_task_unchanged() -> list[Row]:
    """Into a folder that has both files of the same ISO: the whole task, and what it takes beyond a ping's."""
    times = _times("unchanged", empty=False)
    means = f"the same when nothing is to do; a ping alone takes {times[LEAST] / times[OTHER]:.2f}"
    ours, other = (round(times[one] - times[LEAST], 4) for one in (OURS, OTHER))
    added = f"what both add to a ping's {times[LEAST]:.2f} s"
    return [
        Row("iso_task_unchanged", times[OURS], times[OTHER], "s", means, at_most=UNCHANGED_LIMIT),
        Row("iso_task_unchanged_added", ours, other, "s", added, at_most=ADDED_LIMIT),
    ]


def iso_bytes_read() -> list[Row]:
    """By the kernel's books, of the module's own work: it hashes what it copies while it copies."""
    make_input()
    size = sum(SIZES.values())
    rows = []
    for name, before in (("empty", b""), ("same_size", b"another")):
        shutil.rmtree(DEST, ignore_errors=True)
        if before:
            DEST.mkdir()
            for file in FILES.values():
                (DEST / file).write_bytes(before)
                os.truncate(DEST / file, SIZES[file])
        means = "bytes read to take out and hash two files / their size"
        means += "; other files of their sizes are there" if before else ""
        rows.append(Row(f"iso_bytes_read_{name}", bytes_read(), size, "B", means, at_most=READ_LIMIT))
    return rows


def _times(name: str, *, empty: bool) -> dict[str, float]:
    """Run the plays; the median of each task's seconds."""
    install.setup()
    make_input()
    for one in (OURS, OTHER):
        shutil.rmtree(FOLDER / one, ignore_errors=True)
        (FOLDER / one).mkdir(parents=True)
    seconds: dict[str, list[float]] = defaultdict(list)
    for run in range(-1, RUNS):  # the first fills the folders, and is not counted
        print(f"  run {run + 1} of {RUNS}", flush=True)
        for task in _run(name, (OURS, OTHER, LEAST) if run % 2 else (LEAST, OTHER, OURS), empty=empty):
            if run >= 0:
                is_ok = task.name == LEAST or (task.name in TASKS and not empty)
                assert task.state == ("ok" if is_ok else "changed"), task
                seconds[task.name].append(task.seconds)
    return {one: round(statistics.median(found), 4) for one, found in seconds.items()}


def _run(name: str, order: tuple[str, ...], *, empty: bool) -> list[playbook.Task]:
    """Run one play of all three, each after its own preparation; its tasks that count."""
    tasks: list[dict[str, Any]] = []
    for one in order:
        remove = f"rm -f {FOLDER}/{one}/* {FOLDER}/{one}/.iso*; " if empty else ""
        sync = f"sync --file-system {FOLDER}"
        tasks += [
            {
                "name": "settle",
                "ansible.builtin.shell": remove + sync,
            },  # nothing of before is left to be written
            {"name": one, **TASKS[one]},
            {"name": one + KEPT, "ansible.builtin.shell": sync},
        ]
    play = {"name": name, "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    book = FOLDER / f"iso-task-{name}.yml"
    book.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    found: list[playbook.Task] = []

    def tell(task: playbook.Task | str) -> None:
        if isinstance(task, playbook.Task) and task.name.removesuffix(KEPT) in TASKS:
            found.append(task)

    os.environ["ANSIBLE_COLLECTIONS_PATH"] = f"{COLLECTIONS}:{community_general.folder()}"
    variables = {"ansible_python_interpreter": sys.executable, "ansible_pipelining": True}
    argv = playbook.command([], variables, os.path.relpath(book, ROOT))
    playbook.run_site(argv, FOLDER / f"iso-task-{name}.log", tell)
    return found
