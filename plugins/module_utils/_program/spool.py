# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The spool: nginx notes there who fetched user-data, and puts down what machines report."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Iterator, Pattern

from .contract import FETCHED, FETCHED_FILE, REPORT_FILE, REPORTS
from .files import read


@dataclass(frozen=True)
class Note:
    """A file of the spool. found: what its name says; None when that is no name of ours."""

    place: str
    found: re.Match[str] | None

    def text(self, limit: int) -> str:
        """Its first bytes."""
        try:
            return read(self.place, limit).decode("utf-8", "replace")
        except OSError as error:
            return f"(it cannot be read: {error})"


def fetches(spool: str) -> Iterator[Note]:
    """Who fetched user-data, oldest first."""
    return _notes(os.path.join(spool, FETCHED), FETCHED_FILE)


def reports(spool: str) -> Iterator[Note]:
    """What was reported, oldest first."""
    return _notes(os.path.join(spool, REPORTS), REPORT_FILE)


def _notes(folder: str, pattern: Pattern[str]) -> Iterator[Note]:
    """Each file, which is taken away as soon as it was dealt with, whatever is in it."""
    try:
        with os.scandir(folder) as items:
            files = [item for item in items if not item.is_dir(follow_symlinks=False)]
            files.sort(key=lambda item: (item.stat(follow_symlinks=False).st_mtime, item.path))
    except FileNotFoundError:
        return
    for file in files:
        yield Note(file.path, pattern.fullmatch(file.name))
        os.unlink(file.path)
