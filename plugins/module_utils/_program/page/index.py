# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The first page: all machines, strangers, images, and what `doctor` said last. Pure."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

from ..states import STATES
from ..why.milestones import MILESTONES
from ..why.verdict import WAITING, WRONG
from .html import alone, document, size, table, text, when
from .known import Finding, Image, Known, Row

MACHINES, STRANGERS = "machines", "unknown"
#: How many machines are named of those that do not go on.
LOOK = 20
#: What stands before a state: a sign and a colour, besides the word.
_MARKS = {
    "armed": ("◆", "work"),
    "installing": ("▶", "work"),
    "installed": ("✓", "good"),
    "up": ("✔", "good"),
    "failed": ("✗", "bad"),
}

#: The same before what doctor found.
_LEVELS = {"": ("✓", "good"), WRONG: ("✗", "bad")}


def page(known: Known, written: float) -> str:
    """The whole first page. written: seconds since 1970."""
    head = f"<h1>Network boot</h1><p>{len(known.rows)} machines, all times in UTC</p>"
    body = "\n".join(
        part
        for part in (
            _counts(known.rows),
            _look(known.rows),
            _machines(known.rows),
            _strangers(known),
            _images(known.images),
            _doctor(known.findings, known.asked),
        )
        if part
    )
    return document("Network boot", head, body, written)


def path(row: Row) -> str:
    """A machine's own page, below the folder of the first one."""
    return (
        f"{MACHINES}/{row.machine}.html" if row.machine else f"{STRANGERS}/{row.mac.replace(':', '-')}.html"
    )


def mark(state: str) -> str:
    """A state."""
    sign, colour = _MARKS.get(state, ("○", "soft"))
    return f'<span class="mark {colour}"><span aria-hidden="true">{sign}</span> {text(state)}</span>'


def far(row: Row) -> str:
    """How far it came, in a few words; HTML."""
    step = f"{row.title} ({row.step} of {len(MILESTONES)})" if row.step else ""
    if row.verdict == WRONG:
        return f'<span class="bad">does not go on</span>{": " + text(step) if step else ""}'
    if row.verdict == WAITING:
        return text(f"at work: {step}" if step else "is to be switched on")
    return "nothing is wrong"


def _counts(rows: Sequence[Row]) -> str:
    number = {state: sum(row.state == state for row in rows) for state in STATES}
    items = "".join(f"<li>{mark(state)} {count}</li>" for state, count in number.items() if count)
    return f'<ul class="counts" aria-label="Machines by state">{items}</ul>' if items else ""


def _look(rows: Iterable[Row]) -> str:
    """Which machines do not go on, why, and the remedy."""
    wrong = [row for row in rows if row.verdict == WRONG]
    if not wrong:
        return ""
    items = [f"<li>{_link(row)}: {text(row.cause)} {text(row.remedy)}</li>" for row in wrong[:LOOK]]
    more = f"<p>… and {len(wrong) - LOOK} more, below.</p>" if len(wrong) > LOOK else ""
    return f'<h2>What does not go on</h2>\n<ul class="look">{"".join(items)}</ul>{more}'


def _link(row: Row) -> str:
    return f'<a href="{text(path(row))}">{alone(row.machine or row.mac)}</a>'


def _machines(rows: Sequence[Row]) -> str:
    if not rows:
        return "<h2>Machines</h2>\n<p>The inventory names none.</p>"
    heads = ("machine", "state", "how far", "what it did last", "when")
    cells = (
        (
            f"{_link(row)}<small>{text(row.mac)}</small><small>{alone(row.image)}</small>",
            mark(row.state),
            far(row),
            alone(row.did) if row.did else "nothing yet",
            when(row.seen) or "-",
        )
        for row in rows
    )
    return "<h2>Machines</h2>\n" + table("Machines of the inventory", heads, cells)


def _strangers(known: Known) -> str:
    if not known.strangers:
        return ""
    told = f"Machines that the inventory does not name: the last {len(known.strangers)} of {known.many}"
    cells = ((_link(row), alone(row.did), when(row.seen) or "-") for row in known.strangers)
    return "<h2>Unknown machines</h2>\n" + table(told, ("MAC address", "what it did last", "when"), cells)


def _images(images: Sequence[Image]) -> str:
    if not images:
        return ""
    cells = (
        (
            alone(one.name),
            alone(f"{one.release} {one.arch}".strip() or "-"),
            alone(one.version),
            size(one.bytes),
        )
        for one in images
    )
    heads = ("image", "release", "version", "ISO")
    return "<h2>Images</h2>\n" + table("Images that machines are installed from", heads, cells)


def _doctor(findings: Sequence[Finding], asked: float) -> str:
    if not asked:
        return "<h2>Doctor</h2>\n<p>It was not asked yet: <code>homelab.netboot.doctor</code>.</p>"
    told = f"What doctor said at {when(asked)}"
    return "<h2>Doctor</h2>\n" + table(told, ("check", "result", "what", "remedy"), _found(findings))


def _found(findings: Iterable[Finding]) -> Iterator[Sequence[str]]:
    for one in findings:
        sign, colour = _LEVELS.get(one.level, ("◆", "work"))
        level = f'<span class="mark {colour}"><span aria-hidden="true">{sign}</span> {text(one.level or "ok")}</span>'
        what = f"{one.where}: {one.what}" if one.where else one.what
        yield alone(one.check), level, alone(what or "-"), alone(one.remedy or "-")
