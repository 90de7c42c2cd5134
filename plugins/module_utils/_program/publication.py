# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What becomes of the states when the inventory was read. Pure, but for `preview`, which reads and changes nothing."""

from __future__ import annotations

import os
from typing import Callable, Collection, Mapping

from . import served, states, store
from .contract import SEEDS, WIPES
from .files import walk
from .settings import Settings, clock
from .states import Machine, Now, State

Machines = Mapping[str, Machine]
"""MAC → the machine in the inventory."""


def changes(
    found: Mapping[str, State | None],
    machines: Machines,
    history: Collection[str],
    there: served.Seeds,
    *,
    now: Now,
    new_token: Callable[[], str],
) -> dict[str, State]:
    """The states that change, by MAC.

    found: of all machines of the inventory, and of all that have a state besides. history: the MACs of all machines
    that the server ever had a state of. there: the seeds that are handed out.
    """
    new = {}
    for mac, state in found.items():
        before, machine = state, machines.get(mac)
        if before is not None and before.is_armed and served.place_of(before) not in there:
            before = states.without_seeds(before, now)
        if machine is not None:
            known = {"known": mac in history, "first": not history}
            after: State | None = states.published(before, machine, now, new_token(), **known)
        else:
            after = before and states.without_machine(before, now)
        if after is not None and after != state:
            new[mac] = after
    return new


def armed(found: Mapping[str, State | None], machines: Machines) -> dict[str, dict[str, str]]:
    """Machine → its image, and what its next network boot may do to a disk that holds something: one of WIPES."""
    return {
        machines[mac].name: {"image": machines[mac].image, "wipe": WIPES[state.wipe]}
        for mac, state in found.items()
        if state is not None and state.is_armed and mac in machines
    }


def seeds_below(root: str, name: str = "") -> served.Seeds:
    """The seeds that are handed out, of one machine or of all: paths below the server's root."""
    folder = f"{SEEDS}/{name}" if name else SEEDS
    return served.by_place(f"{folder}/{path}" for path in walk(os.path.join(root, folder)))


def preview(
    settings: Settings,
    machines: Machines,
    say: Callable[[str], None],
    coming: Callable[[Machine, State | None], State | None] = lambda dummy, state: state,
) -> dict[str, dict[str, str]]:
    """Who would be armed, as `armed` tells it, if this was the inventory. Notes that nginx put down do not count yet.

    say: is told what would happen to machines, in the words of the program. coming: what a machine's state would be by
    then, since it comes from another server.
    """
    kept, now = store.Store(settings.state, say, clock), clock()
    there = dict(seeds_below(settings.root))
    found: dict[str, State | None] = {}
    for mac in {*machines, *kept.known()}:
        machine = machines.get(mac) or Machine("", mac)
        try:
            found[mac] = store.look(settings.state, mac)
        except ValueError:
            found[mac] = states.damaged(machine, now, "its damaged file")
        after = coming(machine, found[mac])
        if after is not None and after != found[mac]:
            there[served.place_of(after)] = ()  # it would come with its seeds
        found[mac] = after
    new = changes(found, machines, kept.history(), there, now=now, new_token=lambda: "-")
    for state in new.values():
        if not state.is_armed:
            say(f"{state.name}: {state.state}: {state.reason}")
    return armed({**found, **new}, machines)
