# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the measures, print a table and write build/bench.json (only what this run measured)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from typing import Callable

from tests.bench import (
    BUILD,
    Row,
    Skipped,
    boot_server,
    caches,
    extract,
    installs,
    iso_task,
    machines,
    status_page,
    stories,
    transfers,
)
from tests.lab.common import LabError

MEASURES: dict[str, Callable[[], Row | list[Row]]] = {
    "extract_vs_cp": extract.extract_vs_cp,
    "extract_peak_memory": extract.extract_peak_memory,
    "extract_second_run": extract.extract_second_run,
    "iso_task_first": iso_task.iso_task_first,
    "iso_task_unchanged": iso_task.iso_task_unchanged,
    "iso_bytes_read": iso_task.iso_bytes_read,
    "bytes_per_install": installs.bytes_per_install,
    "why_year_vs_day": stories.why_year_vs_day,
    "page_1000_vs_1": status_page.page_1000_vs_1,
    "http_vs_tftp": transfers.http_vs_tftp,
    "clients_50_http": transfers.clients_50_http,
    "clients_50_tftp": transfers.clients_50_tftp,
    "caches_1000": caches.caches_1000,
    "apt_cache_10": caches.apt_cache_10,
    "second_run": machines.second_run,
    "machines_1000": machines.machines_1000,
    "machines_10000": machines.machines_10000,
}


def main() -> int:
    """The exit code: 1 when a measure failed, or missed what is expected of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, nargs="+", help="measure just these")
    only = parser.parse_args().only
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that they, too, end in cleaning up
        signal.signal(number, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    try:
        rows, notes, code = measure(only or list(MEASURES))
    finally:
        boot_server.remove()
    print()
    print(table(rows))
    if load > cores / 2:
        notes.append(f"other programs ran, too: load {load:.1f} on {cores} cores when the measures began")
    for line in notes:
        print(line)
    BUILD.mkdir(exist_ok=True)
    keys = ("name", "ours", "other", "unit", "ratio")
    text = json.dumps([{key: getattr(row, key) for key in keys} for row in rows], indent=2)
    (BUILD / "bench.json").write_text(text + "\n")
    return code


def measure(names: list[str]) -> tuple[list[Row], list[str], int]:
    """The rows, what is to be said of measures that have none, and the exit code."""
    rows: list[Row] = []
    notes: list[str] = []
    code = 0
    for name in names:
        print(name, flush=True)
        try:
            found = MEASURES[name]()
            found = found if isinstance(found, list) else [found]
            rows += found
            missed = [f"{row.name}: MISSED, {row.missed}" for row in found if row.missed]
            notes += missed
            code = max(code, bool(missed))
        except Skipped as reason:
            notes.append(f"{name}: skipped, {reason}")
        except LabError as error:
            notes.append(f"{name}: FAILED, {error}")
            code = 1
    return rows, notes, code


def table(rows: list[Row]) -> str:
    """Align the columns; numbers to the right."""
    cells = [["measure", "ours", "other", "unit", "ratio", "limit", "what it means"]]
    for row in rows:
        figures = [f"{row.ours:g}", f"{row.other:g}", row.unit, f"{row.ratio:.2f}"]
        cells.append([row.name, *figures, row.limit, row.means])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    right = {1, 2, 4}
    return "\n".join(
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in cells
    )


if __name__ == "__main__":
    sys.exit(main())
