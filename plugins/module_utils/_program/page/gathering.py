# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Looks at what is to be told, and judges again only what may have changed. Reads files, changes none."""

from __future__ import annotations

import json
import os
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from .. import listing, spool, store
from ..contract import ANY, HTTP
from ..doctor.examining import KEPT
from ..doctor.finding import clean
from ..events.event import SERVICE, STATE, Event
from ..events.kept import Kept, path_of
from ..files import read
from ..settings import Settings
from ..states import Machine
from ..states import State as MachineState
from ..why import asking, facts
from ..why.case import Facts, seconds_of
from ..why.milestones import MILESTONES
from ..why.verdict import WAITING, WRONG, Verdict
from . import known as forms
from .known import Finding, Image, Known, Row
from .story import did, is_reported

#: Strangers that are shown: those of whom something was heard last.
STRANGERS = 20


class Fresh(NamedTuple):
    """A machine whose page is to be written again."""

    row: Row
    milestones: Mapping[str, Event | None]
    story: Sequence[Event]


class Look(NamedTuple):
    """What was seen. stamps: MAC → what a machine's row depends on; server: what all verdicts depend on."""

    known: Known
    stamps: Mapping[str, Any]
    server: Any
    fresh: Sequence[Fresh] = ()


def look(settings: Settings, stories: Kept, before: Look) -> Look:
    """Everything as it is now. before: what was seen last; of what is as it was then, nothing is read."""
    machines = listing.chosen(settings, [])
    macs, many = _strangers(stories)
    judging = _Judging(settings, stories, before)
    rows = tuple(judging.row(machine) for machine in machines)
    strangers = tuple(judging.row(Machine("", mac)) for mac in macs)
    counts = store.counts(settings.state)
    findings, asked = _doctor(settings)
    known = Known(
        rows=rows,
        strangers=strangers,
        many=many,
        images=tuple(_images(os.path.join(settings.root, HTTP, "images"))),
        findings=findings,
        asked=asked,
        ended={word: count for word, count in counts.items() if word != store.REFUSED},
        refused=counts.get(store.REFUSED, 0),
        waiting=sum(1 for _note in spool.notes(settings.spool)),
        sent=stories.sent,
    )
    return Look(known, judging.stamps, judging.server, judging.fresh)


class _Judging:
    """Rows, from what was seen last where nothing has changed."""

    def __init__(self, settings: Settings, stories: Kept, before: Look) -> None:
        self.settings, self.stories, self.before = settings, stories, before
        self.rows = {row.mac: row for row in (*before.known.rows, *before.known.strangers)}
        self.stamps: dict[str, Any] = {}
        self.fresh: list[Fresh] = []
        self._facts: Facts | None = None
        is_open = any(row.verdict in (WAITING, WRONG) for row in self.rows.values())
        self.server = _of_all(self.facts(), settings) if is_open else before.server

    def facts(self) -> Facts:
        """What is so on the server; asked once, and only if somebody wants to know."""
        if self._facts is None:
            self._facts = facts.look(self.settings, self.stories)
        return self._facts

    def _is_open(self, old: Row) -> bool:
        """Whether a verdict may be another one by now, though nothing was heard of the machine."""
        return old.verdict == WAITING or (old.verdict == WRONG and self.server != self.before.server)

    def row(self, machine: Machine) -> Row:
        """One machine's; a verdict that time or the server can change is made again."""
        stamp = self.stamps[machine.mac] = _stamp(self.settings, machine)
        old = self.rows.get(machine.mac)
        is_same = old is not None and self.before.stamps.get(machine.mac) == stamp
        if old is not None and is_same and not self._is_open(old):
            return old
        story = self.stories.story(machine.mac)
        state, verdict = asking.of_machine(self.settings, self.facts(), machine, story)
        new = row(machine, state, verdict, story)
        if not is_same or new != old:
            self.fresh.append(Fresh(new, verdict.milestones, story))
        return new


def row(machine: Machine, state: MachineState | None, verdict: Verdict, story: Sequence[Event]) -> Row:
    """What is told of a machine. Nothing that is the machine's own words."""
    own = [event for event in story if event.kind not in (STATE, SERVICE)]
    there = len(verdict.milestones)
    last = MILESTONES[there - 1] if there else None
    word = state.state if state else "local"
    return Row(
        mac=machine.mac,
        machine=machine.name,
        image=machine.image,
        install=machine.install,
        state=word if machine.name else "",
        since=seconds_of(state.since) if state else 0.0,
        reason=state.reason if state and not is_reported(machine.mac, word) else "",
        verdict=verdict.word,
        missing=verdict.missing,
        cause=verdict.cause if verdict.word == WRONG or machine.mac == ANY else "",
        remedy=verdict.remedy if verdict.word == WRONG else "",
        phase=last.key if last else "",
        title=last.title if last else "",
        step=there,
        seen=own[-1].time if own else 0.0,
        did=clean(did(own[-1])) if own else "",
        address=state.address if state else "",
    )


def _stamp(settings: Settings, machine: Machine) -> list[Any]:
    places = (store.place_of(settings.state, machine.mac), os.path.join(settings.state, path_of(machine.mac)))
    return [machine.name, machine.image, machine.install, *(_file(place) for place in places)]


def _file(place: str) -> list[int]:
    try:
        info = os.stat(place)
    except OSError:
        return []
    return [info.st_ino, info.st_size, info.st_mtime_ns]


def _of_all(known: Facts, settings: Settings) -> list[Any]:
    """What the verdicts on all machines depend on, besides the machines."""
    top = os.path.join(settings.root, HTTP, "images")
    images = sorted((name, *_file(os.path.join(top, name))) for name in _names(top))
    plan = _file(os.path.join(settings.state, "plan"))
    return json.loads(json.dumps([known.stopped, known.full, known.kinds, images, plan]))  # type: ignore[no-any-return]


def _strangers(stories: Kept) -> tuple[list[str], int]:
    """Of whom something was heard last, newest first, and how many there are; without this host itself."""
    own = facts.own_macs()
    there = [mac for mac in stories.macs() if mac not in stories.names and mac not in own]
    age = {mac: _file(os.path.join(stories.state, path_of(mac)))[-1:] for mac in there}
    return sorted(there, key=lambda mac: (age[mac], mac), reverse=True)[:STRANGERS], len(there)


def _images(top: str) -> Iterator[Image]:
    """The versions that are in use, from their notes (_image/store.py)."""
    for name in _names(top):
        place = os.path.join(top, name, "current")
        if name.startswith(".") or not os.path.isdir(place):
            continue
        version = os.path.basename(os.path.realpath(place))
        try:
            note = json.loads(read(os.path.join(os.path.realpath(place), "manifest.json")))
            iso = next((one["stamp"][0] for file, one in note["files"].items() if file.endswith(".iso")), 0)
            yield Image(name, version, str(note.get("release", "")), str(note.get("arch", "")), int(iso))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            yield Image(name, version)


def _doctor(settings: Settings) -> tuple[tuple[Finding, ...], float]:
    """What it found last, and when that was."""
    try:
        told = json.loads(read(os.path.join(settings.state, KEPT)))
        return tuple(_findings(told["results"])), float(told["asked"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return (), 0.0


def _findings(results: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for result in results:
        check = str(result["check"])
        for one in result["findings"]:
            yield Finding(check, *(str(one[key]) for key in ("level", "where", "what", "remedy")))
        if not result["findings"]:
            yield Finding(check, what=str(result["good"]))


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def dump(seen: Look) -> dict[str, Any]:
    """For JSON; without what is fresh."""
    return {"known": forms.dump(seen.known), "stamps": dict(seen.stamps), "server": seen.server}


def load(raw: Mapping[str, Any]) -> Look:
    """What was dumped. ValueError, TypeError or KeyError when it was not."""
    return Look(forms.load(raw["known"]), dict(raw["stamps"]), raw["server"])
