# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The spool: nginx notes there who fetched user-data, and puts down what machines report."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import Iterator, Pattern

from .contract import FETCHED, FETCHED_FILE, REPORT_FILE, REPORTS
from .files import read


@dataclass(frozen=True)
class Note:
    """A file of the spool. found: what its name says; None when that is no name of ours."""

    place: str
    found: re.Match[str] | None

    @property
    def word(self) -> str:
        """What is reported; empty for a note of nginx's own."""
        return self.found.groupdict().get("word") or "" if self.found else ""

    @property
    def address(self) -> str:
        """The machine's, as nginx saw it, where the name says it."""
        return self.found.groupdict().get("address") or "" if self.found else ""

    def text(self, limit: int) -> str:
        """Its first bytes."""
        try:
            return read(self.place, limit).decode("utf-8", "replace")
        except OSError as error:
            return f"(it cannot be read: {error})"

    def discard(self) -> None:
        """Take it away, whatever it is."""
        if os.path.isdir(self.place) and not os.path.islink(self.place):
            shutil.rmtree(self.place)
        else:
            os.unlink(self.place)


def notes(spool: str) -> Iterator[Note]:
    """What lies in the spool: who fetched user-data, then what was reported; each oldest first."""
    for folder, pattern in ((FETCHED, FETCHED_FILE), (REPORTS, REPORT_FILE)):
        yield from _notes(os.path.join(spool, folder), pattern)


def _notes(folder: str, pattern: Pattern[str]) -> Iterator[Note]:
    try:
        with os.scandir(folder) as items:
            files = sorted(items, key=lambda item: (item.stat(follow_symlinks=False).st_mtime, item.path))
    except FileNotFoundError:
        return
    for file in files:
        yield Note(file.path, None if file.is_dir(follow_symlinks=False) else pattern.fullmatch(file.name))
