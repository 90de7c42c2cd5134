# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""A machine's own page: how far it came, why not further, and what it did. Pure."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from ..contract import ANY
from ..events.event import DENIED, OFFER, SERVICE, STATE, STOPPED, UNANSWERED, Event
from ..events.story import boots
from ..why.milestones import MILESTONES
from ..why.telling import words
from ..why.verdict import WRONG
from .html import alone, document, text, when
from .index import far, mark
from .known import Row

#: Events that are shown.
EVENTS = 200
#: Kinds of events whose notes the server itself has written, or firmware; others may quote user-data.
_NOTED = (DENIED, OFFER, SERVICE, STATE, STOPPED, UNANSWERED)


def page(row: Row, milestones: Mapping[str, Event | None], story: Sequence[Event], written: float) -> str:
    """The whole page. milestones: those that it reached. written: seconds since 1970."""
    who = row.machine or row.mac
    head = f'<p><a id="all" href="../index.html">All machines</a></p><h1>{alone(who)}</h1>'
    body = "\n".join([_facts(row), _why(row), _way(row, milestones), _story(story)])
    return document(f"{who} - network boot", head, body, written, up="../")


def did(event: Event) -> str:
    """An event in words, as everybody in the boot network may read it."""
    is_said = event.kind in _NOTED and not (event.kind == STATE and is_reported(event.mac, event.name))
    return words(event if is_said or not event.note else event._replace(note=""))


def is_reported(mac: str, state: str) -> bool:
    """Whether the reason of this state may be the machine's own words: its installer's, who may quote user-data."""
    return state == "failed" or mac == ANY


def _facts(row: Row) -> str:
    facts = [("MAC address", text(row.mac))]
    if row.machine:
        since = f" since {when(row.since)}" if row.since else ""
        facts += [("image", alone(row.image)), ("state", mark(row.state) + since)]
        facts += [("address", text(row.address))] if row.address else []
        facts += [("reason", alone(row.reason))] if row.reason else []
    else:
        facts.append(("state", "not in the inventory: it boots its disk"))
    facts.append(("how far", far(row)))
    facts += [("heard of last", when(row.seen))] if row.seen else []
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts) + "</dl>"


def _why(row: Row) -> str:
    if row.verdict != WRONG:
        return ""
    more = f" <code>netboot why {text(row.machine or row.mac)}</code> on the server shows more."
    return f'<div class="why"><p>{text(row.cause)}</p><p>{text(row.remedy)}{more}</p></div>'


def _way(row: Row, milestones: Mapping[str, Event | None]) -> str:
    """The steps of its last boot; nothing for one that was sent to its disk."""
    if not milestones or (row.verdict == "fine" and len(milestones) < len(MILESTONES) - 1):
        return ""
    items = []
    for one in MILESTONES:
        event = milestones.get(one.key)
        if one.key in milestones:
            items.append(f"<li>{text(one.title)}: {when(event.time) if event else 'yes'}</li>")
        else:
            items.append(f'<li class="open">{text(one.title)}: not yet</li>')
    return f'<h2>Its way</h2>\n<ol class="way">{"".join(items)}</ol>'


def _story(story: Sequence[Event]) -> str:
    parts = list(boots(story[-EVENTS:]))
    if not parts:
        return "<h2>Its story</h2>\n<p>Nothing was heard of it yet.</p>"
    return "<h2>Its story</h2>\n" + "\n".join(_boots(parts))


def _boots(parts: Sequence[Sequence[Event]]) -> Iterator[str]:
    """The boots, the last first, which is open."""
    for place, part in enumerate(reversed(parts)):
        items = "".join(f"<li>{when(event.time)} {alone(did(event))}</li>" for event in part)
        name = f"b{part[0].time:.0f}-{len(parts) - place}"
        told = f"From {when(part[0].time)}: {len(part)} event{'s' if len(part) > 1 else ''}"
        start = "" if place else " open"
        yield f'<details id="{name}"{start}><summary id="s{name}">{told}</summary><ol>{items}</ol></details>'
