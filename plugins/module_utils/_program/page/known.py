# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is told of this server, on the status page and as metrics: plain values, which JSON can hold."""

from __future__ import annotations

import time
from typing import Any, Mapping, NamedTuple, Sequence


class Row(NamedTuple):
    """One machine, or a stranger, whose name is empty.

    since, seen: when its state began, and when it was last heard of, in seconds since 1970; 0 where nobody knows.
    verdict, missing, cause, remedy: as in `why.verdict.Verdict`; cause and remedy only of what is wrong.
    phase: the last milestone that it reached; title: the same for people; step: its number, from 1.
    did: what it did last. address: of a machine that is up.
    """

    mac: str
    machine: str = ""
    image: str = ""
    install: str = ""
    state: str = ""
    since: float = 0.0
    reason: str = ""
    verdict: str = ""
    missing: str = ""
    cause: str = ""
    remedy: str = ""
    phase: str = ""
    title: str = ""
    step: int = 0
    seen: float = 0.0
    did: str = ""
    address: str = ""


class Image(NamedTuple):
    """The version of an image that is in use. bytes: of its ISO."""

    name: str
    version: str = ""
    release: str = ""
    arch: str = ""
    bytes: int = 0


class Finding(NamedTuple):
    """What `doctor` found, or that all is well: then level is empty and what says so."""

    check: str
    level: str = ""
    where: str = ""
    what: str = ""
    remedy: str = ""


class Known(NamedTuple):
    """All of it.

    rows: the machines of the inventory. strangers: the last of those that it does not name; many: how many there are.
    asked: when `doctor` ran last, in seconds since 1970, 0 for never. ended: installations that ended, by how. refused:
    notes and reports that were thrown away. waiting: those that lie in the spool. sent: bytes, by protocol.
    """

    rows: Sequence[Row] = ()
    strangers: Sequence[Row] = ()
    many: int = 0
    images: Sequence[Image] = ()
    findings: Sequence[Finding] = ()
    asked: float = 0.0
    ended: Mapping[str, int] = {}
    refused: int = 0
    waiting: int = 0
    sent: Mapping[str, int] = {}


def moment(seconds: float) -> str:
    """A moment in UTC, as ISO 8601 wants it; nothing where there is none."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds > 0 else ""


def dump(known: Known) -> dict[str, Any]:
    """For JSON."""
    raw = known._asdict()
    for name in ("rows", "strangers", "images", "findings"):
        raw[name] = [list(one) for one in raw[name]]
    return raw


def load(raw: Mapping[str, Any]) -> Known:
    """What was dumped. ValueError, TypeError or KeyError when it was not."""
    kinds = {"rows": Row, "strangers": Row, "images": Image, "findings": Finding}
    return Known(**{**raw, **{name: tuple(kind(*one) for one in raw[name]) for name, kind in kinds.items()}})
