# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Verdicts and events in words, for a terminal and for programs. Pure."""

from __future__ import annotations

import time
from typing import Any, Iterator

from ..events.event import (
    BEGINS,
    DENIED,
    ENDS,
    FAILS,
    HTTP,
    LOADER,
    MISSING,
    OFFER,
    STATE,
    STOPPED,
    TFTP,
    UNANSWERED,
    WARNS,
    Event,
)
from ..events.progress import MARK
from ..states import printable
from .milestones import MILESTONES
from .verdict import Verdict

#: Characters of a line; lines of logs that are shown.
WIDTH, LINES = 100, 3


def line(event: Event) -> str:
    """One event, as a line of a log; never a token."""
    return f"{clock(event.time)}  {words(event)}"


def words(event: Event) -> str:
    """The same, without the time."""
    who = event.address or event.mac or "somebody"
    step = event.name.partition(MARK)[2]
    at = f" at {event.address}" if event.address else ""
    text = {
        OFFER: f"dnsmasq: {event.mac} asked ({event.name or 'PXE'}) and was offered a loader",
        LOADER: f"dnsmasq: {who} was told {event.name}",
        UNANSWERED: f"dnsmasq: somebody asked as {event.name} and was not answered",
        TFTP: f"dnsmasq: sent {event.name} to {who}",
        MISSING: f"dnsmasq: no {event.name} for {who}",
        DENIED: f"dnsmasq: cannot read {event.name}: {event.note}",
        STOPPED: f"dnsmasq: {event.name or 'a transfer'} to {who} broke off: {event.note}",
        HTTP: f"nginx: {who} {event.name}: {event.status}, {event.bytes} bytes",
        BEGINS: f"installer: {step}{f' ({event.note})' if event.note else ''}",
        ENDS: f"installer: {step}: done",
        WARNS: f"installer: {step}: warning: {event.note}",
        FAILS: f"installer: {step}: failed: {event.note}",
        STATE: f"netboot: {event.name}{at}{': ' + event.note if event.note else ''}",
    }.get(event.kind, f"{event.kind} {event.name}")
    return printable(text)


def clock(when: float) -> str:
    """A time as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def tell(head: str, verdict: Verdict, reason: str) -> str:
    """For a terminal. head: the machine. reason: its state's."""
    lines = [head, *("  " + text for text in _steps(verdict))]
    words = {"fine": "All is well", "waiting": "Not yet", "wrong": "Why"}
    lines += ["", *_wrapped(f"{words[verdict.word]}: ", verdict.cause)]
    if verdict.remedy:
        lines += _wrapped("Remedy: ", verdict.remedy)
    if reason and verdict.word == "wrong":
        lines += _wrapped("The server says: ", printable(reason))
    if verdict.shown_by:
        lines += ["Shown by:", *("  " + line(event) for event in verdict.shown_by[-LINES:])]
    return "\n".join(lines)


def _steps(verdict: Verdict) -> Iterator[str]:
    """A line each, up to the first milestone that is missing."""
    for milestone in MILESTONES:
        event = verdict.milestones.get(milestone.key)
        if milestone.key in verdict.milestones:
            shown = f"{clock(event.time)[5:19].replace('T', ' ')}  {words(event)}" if event else ""
            told = f"ok  {milestone.title:32}  {shown}".rstrip()
            yield told if len(told) < WIDTH - 2 else told[: WIDTH - 4] + "…"
        elif milestone.key == verdict.missing:
            yield f"--  {milestone.title:32}  {'not yet' if verdict.word == 'waiting' else 'no'}"


def _wrapped(mark: str, text: str) -> Iterator[str]:
    """A paragraph that hangs behind its mark."""
    here = mark
    for word in text.split():
        if len(here) + len(word) >= WIDTH and here.strip():
            yield here.rstrip()
            here = " " * len(mark)
        here += word + " "
    yield here.rstrip()


def plain(name: str, mac: str, verdict: Verdict, reason: str) -> dict[str, Any]:
    """For programs."""
    return {
        "machine": name,
        "mac": mac,
        "verdict": verdict.word,
        "missing": verdict.missing,
        "key": verdict.key,
        "cause": verdict.cause,
        "remedy": verdict.remedy,
        "reason": printable(reason),
        "milestones": {key: clock(event.time) if event else "" for key, event in verdict.milestones.items()},
        "shown_by": [line(event) for event in verdict.shown_by],
    }
