# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the measures, print a table and write build/bench.json (only what this run measured)."""

from __future__ import annotations

import argparse
import json
from typing import Callable

from tests.bench import BUILD, Row, Skipped, extract, installs

MEASURES: dict[str, Callable[[], Row]] = {
    "extract_vs_cp": extract.extract_vs_cp,
    "extract_peak_memory": extract.extract_peak_memory,
    "extract_second_run": extract.extract_second_run,
    "bytes_per_install": installs.bytes_per_install,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="measure just this one")
    only = parser.parse_args().only
    rows, skipped = [], []
    for name in [only] if only else MEASURES:
        print(name, flush=True)
        try:
            rows.append(MEASURES[name]())
        except Skipped as reason:
            skipped.append(f"{name}: skipped, {reason}")
    print()
    print(table(rows))
    for line in skipped:
        print(line)
    BUILD.mkdir(exist_ok=True)
    keys = ("name", "ours", "other", "unit", "ratio")
    text = json.dumps([{key: getattr(row, key) for key in keys} for row in rows], indent=2)
    (BUILD / "bench.json").write_text(text + "\n")


def table(rows: list[Row]) -> str:
    """Align the columns; numbers to the right."""
    cells = [["measure", "ours", "other", "unit", "ratio", "what it means"]]
    for row in rows:
        cells.append([row.name, f"{row.ours:g}", f"{row.other:g}", row.unit, f"{row.ratio:.2f}", row.means])
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
    main()
