# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What came of the machines, a line each."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import Any

#: Columns: the time between two milestones, which module_utils/_program/why/milestones.py names.
_PHASES = {"boots": ("asked", "installer"), "installs": ("installer", "report"), "starts": ("report", "up")}


def lines(machines: Iterable[Mapping[str, Any]], alive: Collection[str]) -> list[str]:
    """Return a head and a line for each machine.

    :param machines: each with C(machine), C(state), C(address), and C(milestones): key → time, ISO 8601, or nothing.
    :param alive: names of those of which nothing has failed in this run.
    """
    rows = [("machine", *_PHASES, "address", "result")]
    for one in sorted(machines, key=lambda one: str(one["machine"])):
        told = one["milestones"]
        phases = [_minutes(told.get(begin), told.get(end)) for begin, end in _PHASES.values()]
        failed_later = one["state"] == "up" and one["machine"] not in alive
        result = "up, then failed" if failed_later else str(one["state"])
        rows.append((str(one["machine"]), *phases, one["address"] or "-", result))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _minutes(begin: str | None, end: str | None) -> str:
    """Return the time between two moments; a dash when one of them is not known, or is of another installation."""
    if not begin or not end or end < begin:
        return "-"
    passed = datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(begin)
    return f"{passed.total_seconds() / 60:.1f} min"
