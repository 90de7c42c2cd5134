# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Shim and GRUB: whether they are what was verified, and which firmware takes them by who signed them. Pure.

Firmware with Secure Boot on starts a shim that an authority in its own list has signed: Microsoft's of 2011, of 2023,
or both.
"""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple, Sequence

from ..contract import AUTHORITIES
from .finding import SITE, Finding, Result

CHECK = "loaders"


class Noted(NamedTuple):
    """A loader. verified, now: its SHA-256 then and now, None if it is gone. years: of Microsoft's that signed it."""

    verified: str
    years: Sequence[str]
    now: str | None


class Pair(NamedTuple):
    """A folder of loaders. files: name → what is so; None when its note cannot be read."""

    folder: str
    files: Mapping[str, Noted] | None


def judge(pairs: Sequence[Pair]) -> Result:
    """What is wrong with them; nothing where the server offers none."""
    found = [one for pair in pairs for one in _faults(pair)]
    return Result(CHECK, found, "; ".join(text for pair in pairs for text in _signed(pair)))


def _faults(pair: Pair) -> Iterator[Finding]:
    if pair.files is None:
        what = "the note of who signed shim and GRUB is not there, or cannot be read"
        yield Finding(CHECK, pair.folder, what, SITE)
        return
    for name, one in sorted(pair.files.items()):
        if one.now != one.verified:
            what = "it is missing" if one.now is None else "it is not the file whose signatures were verified"
            yield Finding(CHECK, f"{pair.folder}/{name}", what, SITE)


def _signed(pair: Pair) -> Iterator[str]:
    for name, one in sorted((pair.files or {}).items()):
        if not name.startswith("shim"):
            continue
        told = "is not signed by Microsoft"
        if one.years:
            told = f"is signed by Microsoft's authority of {' and '.join(one.years)}"
            for year in set(AUTHORITIES) - set(one.years):
                told += f", so firmware that knows only {year}'s refuses it with Secure Boot on"
        yield f"{pair.folder}/{name} {told}"
