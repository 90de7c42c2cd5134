# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is handed out to machines, from the plan and their states. Pure; `Shelf` makes it so."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Collection, Iterable, Mapping

from .contract import ANY, RECEIPT, SEED_FILES, SEEDS, TOKEN, WIPE, WIPES, program_mark
from .files import Files
from .plan import Own, Plan
from .states import State

#: As it stands in user-data.
_MARK = re.compile(f"'{program_mark('[a-z]+[.]py')}'".encode())

Seeds = Mapping[str, Collection[str]]
"""The folder of an arming's seeds, as `place_of` gives it → the paths of those that lie there.

So each machine finds its own at once, however many machines there are."""


@dataclass(frozen=True)
class Served:
    """Paths below the server's root, for one machine or for everybody.

    rests: boot entries that install nothing. blind: entries that must not install, of which nobody can read what else
    they are to be. absent: paths of entries where nothing may lie.
    entries: all other entries, in the order in which they are to appear.
    seeds: what installers can fetch. kept: seeds that are there and stay as they are.
    receipts: seeds that come last, when all else is on the disk.
    """

    rests: Files = field(default_factory=dict)
    blind: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    entries: Files = field(default_factory=dict)
    seeds: Files = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    receipts: Files = field(default_factory=dict)


def of_machine(
    plan: Plan, own: Own, state: State | None, there: Seeds, listed: Collection[str] = ()
) -> Served:
    """What one machine is handed out.

    there: the seeds that lie below the root, of any machine. listed: the entries that it was handed out earlier.
    An installer that runs goes on with the seeds that it has begun with, whatever the plan says now.
    """
    if plan.is_unreadable:
        return _of_machine_blindly(state, there, listed)
    resting = {path: plan.static.get(path, plan.local.get(os.path.dirname(path))) for path in own.boot}
    rests = {path: text for path, text in resting.items() if text is not None}
    if state is not None and state.is_armed:
        # each entry's successor first: to withdraw the entry then needs no space
        entries = {prepared(path): text for path, text in rests.items()}
        entries.update({path: _filled(text, state, plan) for path, text in own.boot.items()})
        receipts = {place_of(state) + RECEIPT: b"\n"} if state.mac == ANY else {}
        return Served(
            absent=frozenset(listed) - set(entries),
            entries=entries,
            seeds=_seeds(plan, own, state),
            receipts=receipts,
        )
    absent = frozenset({*own.boot, *map(prepared, own.boot), *listed} - set(rests))
    if state is None or not state.serves_seeds:
        return Served(rests, absent=absent)
    receipts = {place_of(state) + RECEIPT: b"\n"}
    kept = _of_state(state, there) - set(receipts)
    seeds = {path: text for path, text in _seeds(plan, own, state).items() if path not in kept}
    return Served(rests, absent=absent, seeds=seeds, kept=kept, receipts=receipts)


def _of_machine_blindly(state: State | None, there: Seeds, listed: Collection[str]) -> Served:
    """As above, without a plan: who is armed stays so, all others are offered nothing."""
    if state is None or not state.serves_seeds:
        return Served(blind=frozenset(listed))
    if state.is_armed:
        return Served(kept=_of_state(state, there))
    receipts = {place_of(state) + RECEIPT: b"\n"}
    return Served(blind=frozenset(listed), kept=_of_state(state, there) - set(receipts), receipts=receipts)


def of_strangers(plan: Plan, machines: Iterable[Served], listed: Collection[str]) -> Served:
    """What is there for whoever is not named. listed: all entries of earlier times; those of nobody go."""
    parts = list(machines)
    taken = {path for part in parts for path in (*part.rests, *part.entries)}
    # what `static` has at a machine's own path, that machine's part has already, unless it is armed
    entries = {path: text for path, text in plan.static.items() if path not in taken}
    return Served(entries=entries, absent=frozenset(listed) - taken - set(entries))


def missing_parts(plan: Plan, own: Own) -> list[str]:
    """What a machine's plan needs before the machine can be armed; empty when all is there."""
    marks = {mark.decode() for text in own.seed.values() for mark in _MARK.findall(text)}
    there = {mark.decode() for mark in plan.programs}
    return [
        *([] if own.boot else ["boot entries"]),
        *(file for file in SEED_FILES if file not in own.seed),
        *(mark.strip("'@") for mark in sorted(marks - there)),
    ]


def prepared(path: str) -> str:
    """Where the text lies that takes the place of an entry as soon as this must not install any more."""
    folder, name = os.path.split(path)
    return f"{folder}/.resting-{name}"


def place_of(state: State) -> str:
    """The folder of a machine's seeds, with a slash at the end."""
    return f"{SEEDS}/{state.name}/{state.token}/"


def by_place(paths: Iterable[str]) -> Seeds:
    """Seeds by the folder of their arming; what lies elsewhere, by the folder that it is in."""
    depth = SEEDS.count("/") + 3  # of the name, and of the token
    found: dict[str, list[str]] = {}
    for path in paths:
        place = "/".join(path.split("/")[:-1][:depth]) + "/"
        found.setdefault(place, []).append(path)
    return found


def _of_state(state: State, there: Seeds) -> frozenset[str]:
    return frozenset(there.get(place_of(state), ()))


def _seeds(plan: Plan, own: Own, state: State) -> Files:
    return {place_of(state) + file: _filled(text, state, plan) for file, text in own.seed.items()}


def _filled(text: bytes, state: State, plan: Plan) -> bytes:
    for mark, program in plan.programs.items():
        text = text.replace(mark, program)
    wipe = WIPES[state.wipe]
    return text.replace(TOKEN.encode(), state.token.encode()).replace(WIPE.encode(), wipe.encode())
