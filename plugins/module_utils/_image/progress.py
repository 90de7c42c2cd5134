# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How far a download is, as the server writes it down and the controller reads it; and numbers of bytes for people."""

from __future__ import annotations

from dataclasses import dataclass

FOLDER = (
    ".partial"  # beside the images; nginx serves no name that begins with a dot, and only the owner enters
)


@dataclass(frozen=True)
class Told:
    """How far it is. `size` is 0 while nobody knows it, `before` what of `have` an earlier run had brought."""

    image: str
    source: str
    size: int
    have: int
    before: int
    seconds: float  # since it began
    trouble: str = ""


_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "bytes"))


def amount(size: float) -> str:
    """Write a number of bytes.

    >>> [amount(size) for size in (3303444480, 65_000_000, 0)]
    ['3.3 GB', '65.0 MB', '0 bytes']
    """
    number, unit = _in_units(size, size)
    return f"{number} {unit}"


def parts(have: int, size: int) -> str:
    """Write how much there is of how much; the whole may be unknown (0).

    >>> parts(1_800_000_000, 3_100_000_000)
    '1.8 of 3.1 GB'
    """
    if not size:
        return amount(have)
    (first, dummy), (whole, unit) = _in_units(have, size), _in_units(size, size)
    return f"{first} of {whole} {unit}"


def _in_units(size: float, largest: float) -> tuple[str, str]:
    """Return a number in the unit that suits `largest`, and that unit."""
    one, unit = next((row for row in _UNITS if largest >= row[0]), _UNITS[-1])
    return (f"{size / one:.1f}" if one > 1 else f"{size:.0f}"), unit
