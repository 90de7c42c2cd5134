# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What the installer tells of its steps: nginx's log of them (PROGRESS_FORMAT in the contract). Pure.

Each is what curtin's webhook sends (canonical/curtin: curtin/reporter/events.py): name, such as
subiquity/Install/install/curtin_install, description, event_type (start, finish; of newer Subiquity also info, warning,
error) and, when a step ends, result (SUCCESS, WARN, FAIL). The server's clock counts, not the machine's.
Whoever has a machine's token can send anything, so all of it is bounded here, and nothing but text.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, NamedTuple, Sequence

from ..contract import PROGRESS, TOKEN_PATTERN, is_host_name
from .event import BEGINS, ENDS, FAILS, PROGRESS_KINDS, STATE, WARNS, Event, Record

#: Characters of a step's name and of its description that are kept; of a line that is read.
NAME, TEXT, LINE = 120, 300, 1 << 17
#: Seconds since 1970: the year 5138.
LATEST = 1e11
#: Requests of the installer's own screens: they are no steps.
_REQUEST = re.compile(r"_(?:GET|POST|PUT|DELETE|HEAD)$")
_STRANGE = re.compile(r"[^\w./ +@=-]+", re.ASCII)
_TOKEN = re.compile(TOKEN_PATTERN)
#: Between the machine and its step, in an event's name.
MARK = ".-/"


class Step(NamedTuple):
    """A step of the installer. end: when it was over, 0 as long as it is not. kind: ENDS, WARNS or FAILS at its end."""

    name: str
    text: str
    begin: float
    end: float = 0.0
    kind: str = BEGINS

    @property
    def seconds(self) -> float:
        """How long it took; 0 as long as it is not over."""
        return max(0.0, self.end - self.begin) if self.end else 0.0

    @property
    def said(self) -> str:
        """What it is, for people: its description, where it has one."""
        last = self.name.rpartition("/")[2].replace("_", " ")
        return self.text or last


def read(text: str) -> Record | None:
    """What a line says; None when it says nothing of a step."""
    try:
        line = json.loads(text)
        machine, said = str(line["machine"]), json.loads(line["said"])
        kind = _kind(said["event_type"], said.get("result"), said.get("description"))
        name = str(said["name"])
        when = float(line["time"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not 0 < when < LATEST or not kind or _REQUEST.search(name) or not is_host_name(machine):
        return None
    step = _STRANGE.sub("_", name)[:NAME]
    return Record(
        when,
        kind,
        f"/{PROGRESS}/{machine}{MARK}{step}",
        address=str(line.get("address", ""))[:40],
        note=_clean(said.get("description")),
    )


def _kind(word: Any, result: Any, text: Any) -> str:
    if word == "finish" and text == "cancelled":
        return ENDS  # it was not its fault, but another one's
    ends = {"SUCCESS": ENDS, "WARN": WARNS, "FAIL": FAILS}.get(str(result), ENDS)
    return {"start": BEGINS, "finish": ends, "warning": WARNS, "error": FAILS}.get(str(word), "")


def _clean(text: Any) -> str:
    """One line that can be shown anywhere, without tokens."""
    shown = text[: 4 * TEXT] if isinstance(text, str) else ""
    line = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return _TOKEN.sub("-", line)[:TEXT]


def steps(events: Iterable[Event]) -> list[Step]:
    """The steps of an installation, in the order in which they began."""
    found: list[Step] = []
    for event in events:
        if event.kind not in PROGRESS_KINDS:
            continue
        name = event.name.partition(MARK)[2]
        place = next((at for at in range(len(found) - 1, -1, -1) if found[at].name == name), None)
        if event.kind == BEGINS or place is None or found[place].end:
            end = 0.0 if event.kind == BEGINS else event.time
            found.append(Step(name, event.note, event.time, end, event.kind))
        else:
            before = found[place]
            text = event.note if event.kind == FAILS and event.note else before.text
            found[place] = before._replace(end=event.time, kind=event.kind, text=text)
    return found


def present(events: Iterable[Event]) -> Step | None:
    """The step at which the installer is: the last that began and is not over."""
    going = [step for step in steps(events) if not step.end]
    return going[-1] if going else None


def failure(events: Iterable[Event]) -> Event | None:
    """What failed first, and says why: who waited for that fails after it, with less to say."""
    failed = [event for event in events if event.kind == FAILS]
    return next((event for event in failed if event.note), failed[0] if failed else None)


def of_last(story: Sequence[Event]) -> list[Event]:
    """The steps' events of the last installation: since the last time that the machine was armed, and not before."""
    armed = [event.time for event in story if event.kind == STATE and event.name == "armed"]
    since = armed[-1] if armed else 0.0
    return [event for event in story if event.kind in PROGRESS_KINDS and event.time >= since]
