# SPDX-License-Identifier: GPL-3.0-or-later
"""Extracting kernel and initrd from an ISO of 1.3 GB with 600 files: time, memory, and the second run."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

from tests.bench import BUILD, COLLECTIONS, SIZES, Row
from tests.unit.isos import make_iso

sys.path.insert(0, str(COLLECTIONS))
from ansible_collections.homelab.netboot.plugins.module_utils._image import extraction

FOLDER = BUILD / "bench"
ISO = FOLDER / "bench.iso"
PLAIN = FOLDER / "plain"  # the same two files outside of the ISO, for cp
DEST = FOLDER / "dest"
FILES = {"casper/vmlinuz": "vmlinuz", "casper/initrd": "initrd"}
FILLERS, FILLER_SIZE = 598, 2 << 20
RUNS = 9
MEMORY_LIMIT = 60.0  # MB (of 10^6 bytes): what the module may take


def make_input() -> None:
    """Build the ISO once; later runs use it again."""
    if ISO.exists():
        return
    print(f"  building {ISO.name} (1.3 GB, once)", flush=True)
    PLAIN.mkdir(parents=True, exist_ok=True)
    for name, size in SIZES.items():
        (PLAIN / name).write_bytes(os.urandom(size))
    filler = FOLDER / "filler"
    with filler.open("wb") as file:
        file.truncate(FILLER_SIZE)
    files = {f"pool/{number % 20:02}/file{number:03}": filler for number in range(FILLERS)}
    files.update({source: PLAIN / name for source, name in FILES.items()})
    unfinished = ISO.with_suffix(".part")
    make_iso(unfinished, files, joliet=True)
    unfinished.rename(ISO)


def extract() -> None:
    """Do the module's own work: open, look up, copy, hash, fsync, rename, write the manifest."""
    plan = extraction.decide(str(ISO), str(DEST), FILES)
    extraction.act(plan, lambda step, path: None)
    extraction.remember(plan)


def cp() -> None:
    """Copy the same bytes with cp, then sync(1): like the module, an fsync of each file and of the folder."""
    DEST.mkdir()
    subprocess.run(["cp", *(str(PLAIN / name) for name in SIZES), str(DEST)], check=True)
    subprocess.run(["sync", *(str(DEST / name) for name in SIZES), str(DEST)], check=True)


def seconds(work: Callable[[], None]) -> float:
    """Time it, into a folder that is not there, with nothing of the run before left to be written."""
    shutil.rmtree(DEST, ignore_errors=True)
    subprocess.run(["sync", "--file-system", str(FOLDER)], check=True)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def extract_vs_cp() -> Row:
    make_input()
    pairs = []
    for run in range(RUNS + 1):  # the first is not counted: it brings both inputs into the page cache
        print(f"  run {run} of {RUNS}", flush=True)
        pairs.append((seconds(extract), seconds(cp)))
    ours, other = (statistics.median(times) for times in zip(*pairs[1:]))
    means = f"kernel and initrd: the module's work / cp and sync; median of {RUNS}"
    return Row("extract_vs_cp", round(ours, 4), round(other, 4), "s", means, at_most=1.3)


# VmHWM belongs to the program that runs; ru_maxrss would also count what this process had when it forked.
_AND_TELL_ITS_PEAK = """
import runpy, sys
try:
    runpy.run_module(sys.argv.pop(), run_name="__main__")
finally:
    sys.stderr.write(open("/proc/self/status").read())
"""


def extract_peak_memory() -> Row:
    """Run the module as Ansible does, in a process of its own, and take that process's peak (proc(5): VmHWM)."""
    make_input()
    shutil.rmtree(DEST, ignore_errors=True)
    module = "ansible_collections.homelab.netboot.plugins.modules.iso_boot_files"
    done = subprocess.run(
        [sys.executable, "-c", _AND_TELL_ITS_PEAK, module],
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"src": str(ISO), "dest": str(DEST)}}),
        capture_output=True,
        text=True,
        check=False,
    )
    peak = re.search(r"^VmHWM:\s*(\d+) kB$", done.stderr, re.MULTILINE)
    if not peak or not json.loads(done.stdout).get("changed"):
        raise RuntimeError(f"the module failed: {done.stdout}{done.stderr}")
    means = "peak of the whole module process, Python and Ansible's part included / what it may take"
    return Row(
        "extract_peak_memory", round(int(peak[1]) * 1024 / 1e6, 1), MEMORY_LIMIT, "MB", means, at_most=1
    )


def extract_second_run() -> Row:
    """Count what is read from the image, by the kernel's books (/proc/self/io) while it is open."""
    make_input()
    shutil.rmtree(DEST, ignore_errors=True)
    first = bytes_read()
    second = bytes_read()
    means = "bytes read from the ISO by a run that changes nothing / by the first run"
    return Row("extract_second_run", second, first, "B", means, at_most=0)


def bytes_read() -> int:
    """Extract once; bytes that this read, or 0 if the image was not even opened."""
    opened: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open" and str(arguments[0]) == str(ISO):
            opened.append(event)

    watching = True
    sys.addaudithook(watch)  # it cannot be removed, hence the flag
    before = _read_by_this_process()
    extract()
    after = _read_by_this_process()
    watching = False
    return after - before if opened else 0


def _read_by_this_process() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])
