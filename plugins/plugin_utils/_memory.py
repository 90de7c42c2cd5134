# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Sizes of memory, as people write them."""

from __future__ import annotations

import re
from math import ceil
from typing import Any

GIB = 1 << 30
#: Memory is counted in powers of two whatever the unit is called: a module that is sold as 4 GB has 4 GiB.
_UNITS = {"M": 1 << 20, "G": GIB, "T": 1 << 40}
_FORM = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[MGT])(i?B)?", re.IGNORECASE)
EXAMPLE = "write a number and its unit, like 8GB or 4096MB"


def parse(text: Any) -> int:
    """Return a size of memory in bytes.

    :param text: V(8G), V(8GB), V(8 GiB), V(8192M), V(7.5GB); upper or lower case.
    :raises ValueError: with the remedy; also for a number without a unit, which could mean two things.
    """
    match = _FORM.fullmatch(str(text).strip())
    if not match or not float(match["number"]):
        raise ValueError(f"'{text}' is no size of memory; {EXAMPLE}")
    return int(float(match["number"]) * _UNITS[match["unit"].upper()])


def gigabytes(size: int) -> str:
    """Write a size for people, rounded up to a tenth: V(7.4 GB)."""
    return f"{ceil(size * 10 / GIB) / 10:g} GB"
