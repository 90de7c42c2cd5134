# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the demo's progress: aligned, with colour and a moving last line only on a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

COLOURS = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "plain": ""}
SILENCE = 10.0
"""Seconds without a line after which a screen that is no terminal is told that work goes on."""


class Screen:
    """Where the demo writes to."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.out = out
        self.tty = out.isatty()
        self.colour = self.tty and "NO_COLOR" not in os.environ
        self.moving = ""
        self.last = time.monotonic()

    def paint(self, text: str, mood: str) -> str:
        """The text in a colour, where there are colours."""
        code = COLOURS[mood]
        return f"\033[{code}m{text}\033[0m" if self.colour and code else text

    def line(self, text: str = "", mood: str = "plain") -> None:
        """A line that stays."""
        self._wipe()
        print(self.paint(text, mood), file=self.out, flush=True)
        self.last = time.monotonic()

    def title(self, text: str) -> None:
        """A heading."""
        self.line()
        self.line(text, "bold")

    def working(self, text: str) -> None:
        """What goes on now: on a terminal a line that the next one replaces, else a line now and then."""
        if self.tty:
            width = os.get_terminal_size(self.out.fileno()).columns if self.out.isatty() else 80
            shown = text[: width - 1]
            if shown != self.moving:
                self._wipe()
                self.out.write(self.paint(shown, "dim"))
                self.out.flush()
                self.moving = shown
        elif time.monotonic() - self.last > SILENCE:
            self.line(text)

    def _wipe(self) -> None:
        if self.moving:
            self.out.write("\r\033[K")
            self.moving = ""
