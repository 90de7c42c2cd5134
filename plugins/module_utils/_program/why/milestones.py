# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The way of a machine from the first question to its first start, as a table. Pure."""

from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

from ..events.event import LOADER, OFFER, Event
from . import case as c
from .case import Case


class Milestone(NamedTuple):
    """A step. title: for people. shown: the event that shows it. patience: seconds that the next one may take."""

    key: str
    title: str
    shown: Callable[[Case], Event | None]
    patience: float = 60.0


def _first(events: Sequence[Event]) -> Event | None:
    return events[0] if events else None


def _asked(case: Case) -> Event | None:
    return _first([event for event in case.boot if event.kind in (OFFER, LOADER)])


def _iso(case: Case) -> Event | None:
    found = case.got(c.ISO)
    return None if case.refused(c.ISO) and found is None else found


def _linux(case: Case) -> Event | None:
    """The live system is the first to ask for the ISO, or for a seed."""
    return _first([*case.find(c.ISO), *case.find(c.SEED)])


def _begun(case: Case) -> Event | None:
    return case.done(c.BEGUN) if case.got(c.RECEIPT) else None


def _disk(case: Case) -> Event | None:
    return case.done(c.INSTALLED) or _first(case.find(c.INSTALLED))


def _report(case: Case) -> Event | None:
    return case.done(c.INSTALLED)


def _up(case: Case) -> Event | None:
    """The installed system may have asked the network, too, before it was up: that is a boot of its own."""
    armed = case.changes("armed")
    begin = max(case.since, armed[-1].time if armed else 0.0)  # else it is of an earlier installation
    return _first([event for event in case.changes("up") if event.time >= begin])


#: In their order. Of one that is shown, all before it are reached, whether the log shows them or not.
MILESTONES = (
    Milestone("asked", "asks for the network", _asked, 30),
    Milestone("offered", "is told its loader", lambda case: _first(case.of(LOADER)), 30),
    Milestone("loader", "has its loader", lambda case: case.got(c.FIRST), 60),
    Milestone("configuration", "has its configuration", lambda case: case.got(c.CONFIGURATION), 60),
    Milestone("kernel", "has the kernel", lambda case: case.got(c.KERNEL), 180),
    Milestone("initrd", "has the initrd", lambda case: case.got(c.INITRD), 300),
    Milestone("linux", "runs Linux, asks for the ISO", _linux, 900),
    Milestone("iso", "has the ISO", _iso, 600),
    Milestone("seeds", "has its user-data", lambda case: case.got(c.USER_DATA), 900),
    Milestone("installer", "begins to install", _begun, 4 * 3600),
    Milestone("disk", "has written its disk", _disk, 180),
    Milestone("report", "reports that it is installed", _report, 1800),
    Milestone("up", "is up", _up, 0),
)
KEYS = tuple(milestone.key for milestone in MILESTONES)
#: The last one of a machine that is not to be installed: its configuration leads to its disk.
AT_DISK = "configuration"


#: Those that only the cache sees, where a machine has its image from one.
UNSEEN = KEYS[KEYS.index("kernel") : KEYS.index("seeds")]
#: Seconds that all of them may take.
UNSEEN_PATIENCE = sum(one.patience for one in MILESTONES if one.key in (AT_DISK, *UNSEEN))


def reached(case: Case) -> dict[str, Event | None]:
    """The milestones that are reached, each with the event that shows it."""
    shown = {milestone.key: milestone.shown(case) for milestone in MILESTONES}
    most = max((place for place, key in enumerate(KEYS) if shown[key] is not None), default=-1)
    return {key: shown[key] for key in KEYS[: most + 1]}
