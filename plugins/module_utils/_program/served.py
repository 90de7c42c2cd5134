# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is handed out to machines, from the plan and their states. Pure; `Server` makes it so."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Iterable

from .contract import SEED_FILES, SEEDS, TOKEN
from .files import Files
from .plan import Own, Plan
from .states import State

_TOKEN = TOKEN.encode()


@dataclass(frozen=True)
class Served:
    """Paths below the server's root. entries: boot entries; absent: paths of entries where nothing may lie.

    seeds: what installers can fetch. kept: seeds that are there and stay as they are.
    """

    entries: Files = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    seeds: Files = field(default_factory=dict)
    kept: frozenset[str] = frozenset()


def of_machine(
    plan: Plan, name: str, own: Own, state: State | None, there: frozenset[str] | set[str]
) -> Served:
    """What one machine is handed out. there: the seeds that lie below the root, of any machine.

    An installer that runs goes on with the seeds that it has begun with, whatever the plan says now.
    """
    entries = _entries(plan, own, state)
    seeds = _seeds(name, own, state)
    kept: frozenset[str] = frozenset()
    if state is not None and state.state == "installing" and name in plan.machines:
        kept = frozenset(path for path in there if path.startswith(_place(name, state)))
    return Served(
        {path: text for path, text in entries.items() if text is not None},
        frozenset(path for path, text in entries.items() if text is None),
        {path: text for path, text in seeds.items() if path not in kept},
        kept,
    )


def of_all(plan: Plan, machines: Iterable[Served], listed: frozenset[str] | set[str]) -> Served:
    """What everybody is handed out: `static` for those whom nobody knows, too. listed: the entries of earlier times."""
    parts = list(machines)
    # what `static` has at a machine's own path, that machine's part has already, unless it is armed
    entries = {**plan.static, **{path: text for part in parts for path, text in part.entries.items()}}
    absent = frozenset(listed).union(*(part.absent for part in parts)) - set(entries)
    seeds = {path: text for part in parts for path, text in part.seeds.items()}
    return Served(entries, absent, seeds, frozenset().union(*(part.kept for part in parts)))


def missing_parts(own: Own) -> list[str]:
    """What a machine's plan needs before the machine can be armed; empty when all is there."""
    return ([] if own.boot else ["boot entries"]) + [file for file in SEED_FILES if file not in own.seed]


def _entries(plan: Plan, own: Own, state: State | None) -> dict[str, bytes | None]:
    """Boot entries at the paths of a machine; None: nothing."""
    if state is not None and state.state == "armed":
        return {path: text.replace(_TOKEN, state.token.encode()) for path, text in own.boot.items()}
    return {path: plan.static.get(path, plan.local.get(os.path.dirname(path))) for path in own.boot}


def _seeds(name: str, own: Own, state: State | None) -> Files:
    if state is None or not state.serves_seeds:
        return {}
    token = state.token.encode()
    return {_place(name, state) + file: text.replace(_TOKEN, token) for file, text in own.seed.items()}


def _place(name: str, state: State) -> str:
    return f"{SEEDS}/{name}/{state.token}/"
