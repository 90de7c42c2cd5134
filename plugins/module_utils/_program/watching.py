# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""`netboot watch`: what machines do while they do it, from their stories. Changes nothing.

nginx logs a transfer at its end, so how much of the ISO was sent until now is asked of the kernel.
"""

from __future__ import annotations

import glob
import itertools
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

from . import listing, store, transfers
from .contract import ANY
from .contract import HTTP as HTTP_ROOT
from .events import progress
from .events.event import BEGINS, ENDS, HTTP, MISSING, STATE, Event
from .settings import Settings
from .states import THERE, Machine, State, printable, unknown
from .why import case as case_of
from .why import milestones, telling
from .why.case import Case, Facts

#: Seconds between two looks; a step that took less is not told at its end.
PAUSE, SHORT = 2.0, 5.0
#: Steps deeper than this are told only when they have a description: subiquity/Install/install.
DEEP = 2
#: Characters of a gauge.
GAUGE = 13
MB = 1e6


@dataclass(frozen=True)
class Row:
    """A machine now. gauge: how far it came. is_over: nothing more will come of this installation."""

    machine: str
    state: str
    gauge: str
    text: str
    is_over: bool
    is_failed: bool


@dataclass(frozen=True)
class Look:
    """since: seconds since 1970 from which on lines are told. lines: in the order of their times."""

    since: float
    lines: Sequence[str] = ()
    rows: Sequence[Row] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of any machine."""
        return all(row.is_over for row in self.rows)

    @property
    def failed(self) -> list[str]:
        """The machines that failed."""
        return [row.machine for row in self.rows if row.is_failed]

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            "since": self.since,
            "lines": list(self.lines),
            "machines": [vars(row) for row in self.rows],
            "over": self.is_over,
            "failed": self.failed,
        }


def look(
    settings: Settings, names: Sequence[str], since: float | None = None, *, until_up: bool = False
) -> Look:
    """What is so now. names: machines; without any, those that are armed or installing.

    since: from when on events are told; without it, from the beginning of each machine's last boot.
    until_up: an installed machine goes on until its first start is over, as long as that can be told.
    RefusedError when a name is not in the plan.
    """
    now = time.time()
    with listing.kept(settings) as stories:
        stories.refresh()
        cases = [
            Case(stories.story(machine.mac), _state(settings, machine), Facts(now))
            for machine in listing.chosen(settings, names)
            if machine.mac != ANY
        ]
    meant = [case for case in cases if names or case.word in ("armed", "installing")]
    sent = transfers.going() if any(_awaits_iso(case) for case in meant) else {}
    begin = min([now, *map(_begin, meant)]) if since is None else since
    found = [(when, name_of(case), text) for case in meant for when, text in lines(case.story, begin)]
    width = max([len(name) for _when, name, _text in found], default=0)
    told = [
        f"{telling.clock(when)[11:]}  {name.ljust(width)}  {text}"
        for when, name, text in sorted(found, key=_when)
    ]
    rows = [row(case, begin, fetching(settings, case, sent)) for case in meant]
    return Look(begin, told, [_until_up(one) for one in rows] if until_up else rows)


def _when(line: tuple[float, str, str]) -> float:
    """Of equal times, which dnsmasq's lines often have, the order stays."""
    return line[0]


def _state(settings: Settings, machine: Machine) -> State:
    try:
        return replace(store.look(settings.state, machine.mac) or unknown(machine), name=machine.name)
    except (OSError, ValueError):
        return replace(unknown(machine), state="failed", reason="its state file is damaged")


def name_of(case: Case) -> str:
    """The machine's name."""
    return case.state.name if case.state else ""


def _begin(case: Case) -> float:
    """When the boot began that is watched; only who installs, or is to, has one that is not over."""
    is_going = case.word in ("armed", "installing") and case.boot and case.last >= case.armed_at
    return case.since if is_going else case.facts.now


def lines(story: Sequence[Event], since: float) -> Iterator[tuple[float, str]]:
    """When something happened and what, for people."""
    ends = {(step.name, step.end): step for step in progress.steps(story) if step.end}
    missing: list[Event] = []
    for kind, events in itertools.groupby((one for one in story if one.time >= since), lambda one: one.kind):
        if kind == MISSING:
            missing = list(events)
            continue
        if missing:  # every loader asks for names that may be there, until one is: told when it is over
            more = f", nor {len(missing) - 1} more" if len(missing) > 1 else ""
            yield missing[0].time, telling.words(missing[0]) + more
            missing = []
        yield from _each(events, ends)


def _each(
    events: Iterable[Event], ends: Mapping[tuple[str, float], progress.Step]
) -> Iterator[tuple[float, str]]:
    for event in events:
        name = event.name.partition(progress.MARK)[2]
        if event.kind == BEGINS and not event.note and name.count("/") > DEEP:
            continue
        text = telling.words(event)
        if event.kind == ENDS:
            step = ends.get((name, event.time))
            if step is None or step.seconds < SHORT:
                continue
            text += f" after {step.seconds:.0f} s"
        elif event.kind == HTTP and event.is_fetched and event.bytes >= MB:
            text += f" ({event.bytes / MB:.0f} MB)"
        yield event.time, text


def _awaits_iso(case: Case) -> bool:
    return case.word == "armed" and bool(case.got(case_of.INITRD)) and not case.got(case_of.ISO)


def fetching(settings: Settings, case: Case, sent: Mapping[str, int]) -> str:
    """How much it has of the ISO, in tenths, so that a log has few lines of it; empty when it fetches none.

    sent: bytes, by address.
    """
    initrd = case.got(case_of.INITRD)
    if initrd is None or not _awaits_iso(case):
        return ""
    folder = os.path.join(settings.root, HTTP_ROOT, os.path.dirname(initrd.name).lstrip("/"))
    whole = max((os.stat(path).st_size for path in glob.glob(glob.escape(folder) + "/*.iso")), default=0)
    done = max((sent.get(event.address, 0) for event in case.boot), default=0)
    return (
        f"fetches the ISO: {10 * min(9, 10 * done // whole)} % of {whole / MB:.0f} MB"
        if done and whole
        else ""
    )


def row(case: Case, since: float, fetches: str = "") -> Row:
    """A machine now. fetches: what it is fetching."""
    boot = case.at(case.installation) if case.installation and case.word in (*THERE, "failed") else case
    # what it did before it was armed has nothing to do with this arming
    there = {} if case.word == "armed" and case.last < case.armed_at else milestones.reached(boot)
    whole = case.word in THERE or _was_installed(case, since)
    share = GAUGE if whole else min(GAUGE - 1, round(len(there) * GAUGE / len(milestones.KEYS)))
    step = progress.present(progress.of_last(case.story)) if case.word == "installing" else None
    text = milestones.MILESTONES[len(there) - 1].title if there else "has not asked for the network"
    if case.word in ("failed", "local"):
        text = case.reason or "is not armed"
    elif case.word == "up" and case.state and case.state.address:
        text = f"is up at {case.state.address}"
    elif whole:
        text = "is up" if case.word == "up" else "is installed"
    elif fetches:
        text = fetches
    elif step:
        text = step.name + (f": {step.text}" if step.text else "")
    gauge = "#" * share + "." * (GAUGE - share)
    over = whole or case.word in ("failed", "local")
    return Row(name_of(case), case.word, gauge, printable(text), over, case.word == "failed")


def _until_up(one: Row) -> Row:
    """With its first start as the end; a machine that is armed again at once never tells that one."""
    return replace(one, is_over=False) if one.state == "installed" else one


def _was_installed(case: Case, since: float) -> bool:
    """With `netboot_install: always` it is armed again at once; whoever else is armed again, is to be installed."""
    found = False
    for event in case.story:
        if event.kind == STATE and event.time >= since:
            is_again = event.note.startswith("installed at ")
            found = is_again or event.name in THERE or (found and event.name != "armed")
    return found


@dataclass
class Screen:
    """Shows looks: new lines one below the other, and below them on a terminal a table that is renewed.

    write: takes text. is_terminal: else only what is new is written.
    """

    write: Callable[[str], object]
    is_terminal: bool
    width: int = 100
    _seen: set[str] = field(default_factory=set)
    _table: Sequence[str] = ()

    def show(self, now: Look) -> None:
        """Show what is new."""
        new = [line for line in now.lines if line not in self._seen]
        self._seen.update(new)
        table = self.table(now.rows)
        if not self.is_terminal:
            new += [line for line in table if line not in self._table and line not in new]
            self.write("".join(line + "\n" for line in new))
        elif new or table != self._table:
            back = f"\x1b[{len(self._table)}A\x1b[J" if self._table else ""
            self.write(back + "".join(line[: self.width] + "\n" for line in [*new, *table]))
        self._table = table

    def table(self, rows: Sequence[Row]) -> list[str]:
        """A line for each machine."""
        widths = [max((len(cell) for cell in cells), default=0) for cells in zip(*map(_cells, rows))]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(_cells(one), widths)).rstrip()[: self.width]
            for one in rows
        ]


def _cells(one: Row) -> tuple[str, str, str, str]:
    return one.machine, f"[{one.gauge}]", one.state, one.text


def follow(settings: Settings, names: Sequence[str], screen: Screen, *, pause: float = PAUSE) -> list[str]:
    """Show what machines do until nothing more will come of them; the names of those that failed."""
    since = None
    while True:
        now = look(settings, names, since)
        since, names = now.since, names or [one.machine for one in now.rows]
        screen.show(now)
        if now.is_over:
            return now.failed
        time.sleep(pause)
