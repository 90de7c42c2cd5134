# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix as a table for people and as JSON for programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .fleet import Outcome

HEAD = ("row", "server", "seconds", "TFTP bytes", "HTTP bytes", "HTTP/ISO", "Secure Boot", "by", "result")


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Aligned lines, numbers to the right."""
    cells = [HEAD]
    for outcome in outcomes:
        times = f"{outcome.bytes_http / outcome.iso_bytes:.2f}"
        cells.append(
            (
                outcome.row.path,
                outcome.row.suite,
                f"{outcome.seconds:.1f}",
                f"{outcome.bytes_tftp:,}",
                f"{outcome.bytes_http:,}",
                times,
                {"kernel": "on, says the kernel", "grub": "on, says GRUB"}.get(outcome.secure_boot, "-"),
                outcome.by.name.upper(),
                "FAILED" if outcome.faults else "ok",
            )
        )
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    return [
        "  ".join(
            cell.rjust(width) if 2 <= column <= 5 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def as_json(outcomes: Sequence[Outcome]) -> str:
    """A list with one object a row."""
    rows = [
        {
            "row": outcome.row.path,
            "server": outcome.row.suite,
            "seconds": round(outcome.seconds, 1),
            "bytes_tftp": outcome.bytes_tftp,
            "bytes_http": outcome.bytes_http,
            "iso_bytes": outcome.iso_bytes,
            "secure_boot_said_by": outcome.secure_boot or None,
            "run_by": str(outcome.by),
            "result": "; ".join(outcome.faults) or "ok",
        }
        for outcome in outcomes
    ]
    return json.dumps(rows, indent=2) + "\n"
