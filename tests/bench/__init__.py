# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of speed and cost: `python -m tests.bench` from the top of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
COLLECTIONS = ROOT / ".collections"  # where Python finds this collection by its full name


class Skipped(Exception):  # noqa: N818  # no error: the text says what to do first
    """A measure lacks its input."""


@dataclass(frozen=True)
class Row:
    """One line of the table and of build/bench.json."""

    name: str
    ours: float
    other: float
    unit: str
    means: str

    @property
    def ratio(self) -> float:
        return round(self.ours / self.other, 4)
