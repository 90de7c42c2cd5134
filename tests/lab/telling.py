# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, and what a user changes in the inventory, in words. Pure."""

from __future__ import annotations

import re


def human(size: int) -> str:
    """A number of bytes in the unit that suits it, powers of 1000."""
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def changes(text: str) -> list[tuple[str, str]]:
    """The settings that an inventory file marks with CHANGE, each with the hint beside it."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        setting, mark, comment = line.partition("# CHANGE")
        if mark:
            after = (following.strip() for following in lines[number + 1 :])
            here = setting.strip() or next((text for text in after if text and not text.startswith("#")), "")
            hint = re.sub(r"^ \(\d+ of \d+\)[: ]*", "", comment).strip()
            found.append((here, hint))
    return found
