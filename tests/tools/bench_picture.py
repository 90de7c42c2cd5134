# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw docs/bench.svg from the table of docs/bench.md: seconds of a run over the number of machines, logarithmic."""

from __future__ import annotations

import math
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE, PICTURE = ROOT / "docs/bench.md", ROOT / "docs/bench.svg"
#: Pixels of the picture, and its margins: left, top, right, bottom.
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 320, 60, 20, 130, 48
SECONDS = (5, 10, 20, 50, 100, 200)
RUNS = (("first run", "#0969da", ""), ("second run", "#bc4c00", ' stroke-dasharray="6 4"'))


def table(page: str) -> list[tuple[int, float, float]]:
    """Machines, seconds of the first run, and of the second.

    >>> table("| 1,000 | 19.2 s | 19.4 s | 116 MB |")
    [(1000, 19.2, 19.4)]
    """
    rows = re.findall(r"(?m)^\| ([\d,]+) \| ([\d.]+) s \| ([\d.]+) s \|", page)
    return [(int(count.replace(",", "")), float(first), float(second)) for count, first, second in rows]


def draw(rows: list[tuple[int, float, float]]) -> str:
    """The picture."""
    most = math.log10(rows[-1][0])
    low, high = math.log10(SECONDS[0]), math.log10(SECONDS[-1])

    def across(count: float) -> str:
        return f"{LEFT + math.log10(count) / most * (WIDTH - LEFT - RIGHT):.1f}"

    def up(seconds: float) -> str:
        return f"{TOP + (high - math.log10(seconds)) / (high - low) * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = []
    for seconds in SECONDS:
        parts.append(f'<path d="M{LEFT} {up(seconds)}H{WIDTH - RIGHT}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{up(seconds)}" dy="4" text-anchor="end">{seconds} s</text>')
    for count, _first, _second in rows:
        parts.append(
            f'<text x="{across(count)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{count:,}</text>'
        )
    for number, (name, colour, dashes) in enumerate(RUNS, 1):
        points = " ".join(f"{across(row[0])},{up(row[number])}" for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts += [
            f'<circle cx="{point.split(",")[0]}" cy="{point.split(",")[1]}" r="3" fill="{colour}"/>'
            for point in points.split()
        ]
        key = TOP + 20 * number
        parts.append(f'<path d="M{WIDTH - RIGHT + 12} {key}h28" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 46}" y="{key}" dy="4">{name}</text>')
    middle = (LEFT + WIDTH - RIGHT) // 2
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- made by tests/tools/bench_picture.py from the table of docs/bench.md -->
<title>Seconds of a run of site.yml over the number of machines</title>
<style>text {{ font: 12px sans-serif; fill: #24292f }} .grid {{ stroke: #d0d7de; fill: none }}</style>
<rect width="100%" height="100%" fill="#fff"/>
{body}
<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">machines</text>
</svg>
"""


if __name__ == "__main__":
    PICTURE.write_text(draw(table(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
