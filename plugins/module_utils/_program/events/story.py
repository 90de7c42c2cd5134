# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""A machine's story: its events, a bounded number, and the boots that they are parted into. Pure."""

from __future__ import annotations

from typing import Iterable, Sequence

from .event import HTTP, LOADER, OFFER, PROGRESS_KINDS, STATE, Event

#: Events that are kept of a machine; a whole installation has some thirty.
EVENTS = 400
#: And of its installer's steps, which are many and never displace the others.
STEPS = 300
#: Seconds without a sign after which a machine that asks again was switched on again.
PAUSE = 90.0


def tell(story: Sequence[Event], new: Iterable[Event]) -> list[Event]:
    """A story and what is new, in the order of the times, each once; the oldest are forgotten."""
    merged = sorted(dict.fromkeys([*story, *new]), key=lambda event: event.time)
    told: list[Event] = []
    for event in merged:
        if event.kind in (OFFER, LOADER):
            _forget_repeated(told, event)
        told.append(event)
    return _bounded(told)


def _bounded(told: Sequence[Event]) -> list[Event]:
    steps = [place for place, event in enumerate(told) if event.kind in PROGRESS_KINDS]
    others = [place for place, event in enumerate(told) if event.kind not in PROGRESS_KINDS]
    return [told[place] for place in sorted([*steps[-STEPS:], *others[-EVENTS:]])]


def _forget_repeated(told: list[Event], event: Event) -> None:
    """Firmware that finds nothing asks for ever: the first and the last of such asking tell as much as all."""
    same = []
    for place in range(len(told) - 1, -1, -1):
        if told[place].kind not in (OFFER, LOADER):
            break
        if (told[place].kind, told[place].name, told[place].note) == (event.kind, event.name, event.note):
            same.append(place)
    if len(same) > 1:
        del told[same[0]]


def boots(story: Iterable[Event]) -> list[list[Event]]:
    """The story's boots. A boot begins when the firmware asks, and goes on until it asks again."""
    parts: list[list[Event]] = []
    for event in story:
        if not parts or (event.kind == OFFER and _is_new(parts[-1], event)):
            parts.append([])
        parts[-1].append(event)
    return parts


def _is_new(boot: Sequence[Event], offer: Event) -> bool:
    own = [event for event in boot if event.kind != STATE]
    if not own:
        return True
    fetched = [event for event in own if event.kind not in (OFFER, LOADER)]
    is_ipxe = offer.note == "iPXE" and any(event.base.startswith("ipxe") for event in fetched)
    if is_ipxe and not any(event.kind == HTTP for event in fetched):
        return offer.time - own[-1].time > PAUSE  # iPXE was the loader, and asks in its turn
    return bool(fetched) or offer.time - own[-1].time > PAUSE
