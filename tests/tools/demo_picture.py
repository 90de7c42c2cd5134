# SPDX-License-Identifier: GPL-3.0-or-later
"""Make docs/demo.svg, the moving picture of the README, from a real run of `make demo`:

    demo_picture.py            run the demo in a terminal, note what it shows and when, and draw it
    demo_picture.py --again    draw the run that was noted last, in build/demo-picture.json

Long pauses are shortened; what is shown is not changed.
"""

from __future__ import annotations

import json
import os
import pty
import re
import sys
import time
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTED = ROOT / "build/demo-picture.json"
PICTURE = ROOT / "docs/demo.svg"
COLUMNS, ROWS = 104, 26
#: Pixels: a line, a character, the margin, the bar above.
LINE, CHARACTER, MARGIN, BAR = 18, 7.85, 14, 30
#: Seconds: the longest pause that is shown, the shortest, and how long the end stays.
LONGEST, SHORTEST, END = 0.7, 0.06, 6.0
MOODS = {"1": "bold", "2": "dim", "31": "bad", "32": "good"}
STYLE = """
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
text { fill: #d5dae1; white-space: pre }
.bold { fill: #fff; font-weight: 700 } .dim { fill: #8b949e } .good { fill: #56d364 } .bad { fill: #ff7b72 }
#lines { animation: scroll %(all).1fs step-end infinite } #cover { animation: show %(all).1fs step-end infinite }
@media (prefers-reduced-motion: reduce) {
  #lines, #cover { animation-play-state: paused; animation-delay: -%(end).1fs }
}
"""


def record(argv: list[str]) -> list[tuple[float, str, str]]:
    """Seconds, mood and text of each line that a command leaves on a terminal, without those that others replace."""
    began, lines, rest = time.monotonic(), [], ""

    def read(descriptor: int) -> bytes:
        nonlocal rest
        data = os.read(descriptor, 65536)
        rest += data.decode("utf-8", "replace")
        *whole, rest = rest.split("\n")
        for line in whole:
            text = re.sub(r".*\r\033\[K", "", line.rstrip("\r"))
            mood = re.search(r"\033\[(\d+)m", text)
            plain = re.sub(r"\033\[[\d;]*[mK]", "", text)
            lines.append((time.monotonic() - began, MOODS.get(mood[1], "") if mood else "", plain))
        return data

    os.environ.update(COLUMNS=str(COLUMNS), LINES=str(ROWS))
    status = os.waitstatus_to_exitcode(pty.spawn(argv, read))
    if status:
        sys.exit(f"{' '.join(argv)} ended with {status}: no picture of that")
    return lines


def times(lines: list[tuple[float, str, str]]) -> list[float]:
    """When each line is shown in the picture.

    >>> times([(0.0, "", ""), (0.3, "", ""), (90.0, "", "")])
    [0.06, 0.36, 1.06]
    """
    shown, last, now = [], 0.0, 0.0
    for at, _mood, _text in lines:
        now += min(max(at - last, SHORTEST), LONGEST)
        last = at
        shown.append(round(now, 2))
    return shown


def keyframes(name: str, moves: dict[float, int], end: float) -> str:
    """The animation that has moved by so many lines at each time.

    >>> keyframes("a", {0.0: 0, 5.0: -1}, 10.0)
    '@keyframes a {0%{transform:translateY(0px)}50%{transform:translateY(-18px)}}'
    """
    steps = (f"{100 * at / end:.4g}%{{transform:translateY({by * LINE}px)}}" for at, by in moves.items())
    return f"@keyframes {name} {{{''.join(steps)}}}"


def draw(lines: list[tuple[float, str, str]]) -> str:
    """The picture: lines that scroll behind a window, and a cover over what is not shown yet."""
    shown = times(lines)
    whole = shown[-1] + END
    width, height = round(COLUMNS * CHARACTER) + 2 * MARGIN, ROWS * LINE + 2 * MARGIN + BAR
    scroll = {0.0: 0} | {at: ROWS - number for number, at in enumerate(shown, 1) if number > ROWS}
    show = {0.0: 0} | {at: number for number, at in enumerate(shown, 1) if number <= ROWS}
    texts = "\n".join(
        f'<text x="{MARGIN}" y="{number * LINE + 13}" class="{mood}">{escape(fit(text), quote=False)}</text>'
        for number, (_at, mood, text) in enumerate(lines)
        if text
    )
    style = STYLE % {"all": whole, "end": shown[-1]} + keyframes("scroll", scroll, whole)
    caption = f"make demo: {lines[-1][0]:.0f} s on this computer; pauses are shortened"
    size = f'width="{width}" height="{height}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- made by tests/tools/demo_picture.py from a run of `make demo` -->
<title>A run of make demo: a home network, a server, a machine led to a playbook, and one that is left alone</title>
<style>{style}
{keyframes("show", show, whole)}</style>
<rect {size} rx="8" fill="#0d1117"/>
<text x="{width // 2}" y="20" text-anchor="middle" class="dim">{caption}</text>
<svg y="{BAR}" width="{width}" height="{ROWS * LINE + MARGIN}"><g id="lines">
{texts}
</g><rect id="cover" width="{width}" height="{ROWS * LINE + MARGIN}" fill="#0d1117"/></svg>
</svg>
"""


def fit(text: str) -> str:
    """A line as wide as the window.

    >>> len(fit("x" * 200))
    104
    """
    return text if len(text) <= COLUMNS else text[: COLUMNS - 1] + "…"


def main() -> None:
    """See above."""
    if sys.argv[1:] != ["--again"]:
        NOTED.parent.mkdir(exist_ok=True)
        NOTED.write_text(
            json.dumps(
                [(0.0, "bold", "# make demo"), *record(["make", "--no-print-directory", "demo"])],
                ensure_ascii=False,
            )
        )
    lines = [(float(at), str(mood), str(text)) for at, mood, text in json.loads(NOTED.read_text())]
    PICTURE.write_text(draw(lines), encoding="utf-8")
    print(
        f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB, {times(lines)[-1] + END:.0f} s"
    )


if __name__ == "__main__":
    main()
