# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Keeps states on the disk and what is served in step, in an order in which nothing is installed twice."""

from __future__ import annotations

import os
from typing import Callable, Collection, Dict, Iterable, Mapping

from . import served
from .plan import Plan
from .shelf import Errors, Shelf
from .states import Machine, State
from .store import Store

States = Dict[str, "State | None"]
"""MAC → state; None where there is none."""


class Keeper:
    """States and served files. What fails for one machine fails for no other.

    say: is told what happened. failed: whether something could not be done, which was said. changed: how many states
    were. unsettled: of which machines it cannot be read or noted what they did last; these boot their disks.
    """

    def __init__(self, plan: Plan, store: Store, shelf: Shelf, say: Callable[[str], None]) -> None:
        self.plan, self.store, self.shelf, self.say = plan, store, shelf, say
        self.machines = plan.by_mac()
        self.failed = False
        self.changed = 0
        self.unsettled: set[str] = set()

    def all_states(self) -> States:
        """Of all machines of the plan, and of all that have a state besides."""
        found: States = {}
        for mac in [*self.machines, *(set(self.store.known()) - set(self.machines))]:
            try:
                found[mac] = self.store.state(self.machines.get(mac) or Machine("", mac))
            except OSError as error:
                self.complain(mac, error)
                found[mac] = None
                self.unsettled.add(mac)
        return found

    def follow(
        self, found: Mapping[str, State | None], new: Mapping[str, State], *, everybody: bool = False
    ) -> None:
        """Save the new states and make what is served follow; found: of all machines that are looked at.

        Whatever is cut off in between is on the safe side, and done again by who caused it or at the next start. What
        must not be handed out goes first, and needs no space. A machine becomes armed by seeds, state, entry, in this
        order. A receipt, which lets an installation begin, comes last.
        """
        wanted = {mac: new.get(mac, state) for mac, state in found.items()}
        there = self.shelf.seeds() if everybody else self._seeds_of([*found.values(), *wanted.values()])
        parts = self._parts(wanted, there, everybody)
        errors = self.shelf.withdraw(parts)
        good = {mac: part for mac, part in parts.items() if mac not in errors}
        errors.update(self.shelf.put_seeds(good))
        errors.update(self._save(new, errors))
        good = {mac: part for mac, part in parts.items() if mac not in errors}
        self._list(good)
        errors.update(self.shelf.put_entries(good))
        errors.update(self.shelf.put_receipts({mac: part for mac, part in good.items() if mac not in errors}))
        errors.update(self.shelf.clear(parts, there))
        if everybody:
            self.shelf.sweep({os.path.dirname(path) for path in self.store.listed()})
        self._tell(found, new, errors)

    def _seeds_of(self, mine: Iterable[State | None]) -> served.Seeds:
        armings = [state for state in mine if state is not None and state.token]
        there: dict[str, Collection[str]] = {}
        for name in {state.name for state in armings}:
            there.update(self.shelf.seeds(name))
        return {place: there[place] for place in map(served.place_of, armings) if place in there}

    def _parts(
        self, wanted: Mapping[str, State | None], there: served.Seeds, everybody: bool
    ) -> dict[str, served.Served]:
        listed = self.store.listed()
        own: dict[str, set[str]] = {}
        for path, mac in listed.items():
            own.setdefault(mac, set()).add(path)
        parts = {
            # of whom cannot be known or noted what it did last, boots its disk
            mac: served.of_machine(
                self.plan,
                self.plan.own(self.machines.get(mac)),
                None if mac in self.unsettled else state,
                there,
                own.get(mac, ()),
            )
            for mac, state in wanted.items()
        }
        return {**parts, "": served.of_strangers(self.plan, parts.values(), listed)} if everybody else parts

    def _save(self, new: Mapping[str, State], errors: Errors) -> Errors:
        """Save states, of armed machines only those that can be served."""
        good = [state for mac, state in new.items() if not (state.is_armed and mac in errors)]
        try:
            self.store.save(good)
        except OSError:
            more: Errors = {}
            for state in good:
                try:
                    self.store.save([state])
                except OSError as error:
                    more[state.mac] = error
            return more
        return {}

    def _list(self, parts: Mapping[str, served.Served]) -> None:
        """Remember what is to lie below the root before it does, so that none is ever forgotten."""
        listed = self.store.listed()
        now = {path: mac for mac, part in parts.items() for path in (*part.rests, *part.entries)}
        gone = {path for part in parts.values() for path in part.absent} - set(now)
        wanted = {path: mac for path, mac in {**listed, **now}.items() if path not in gone}
        if wanted != listed:
            try:
                self.store.list(wanted)
            except OSError as error:
                self.complain("", error)

    def _tell(self, found: Mapping[str, State | None], new: Mapping[str, State], errors: Errors) -> None:
        told = []
        for mac, state in new.items():
            before = found[mac]
            if mac not in errors:
                self.changed += 1
                if before is None or (before.state, before.token) != (state.state, state.token):
                    told.append(state)
                    at = f" at {state.address}" if state.address else ""
                    self.say(
                        f"{state.name}: {state.state}{at}" + (f": {state.reason}" if state.reason else "")
                    )
        if told:
            self.store.note(told)
        for mac, error in errors.items():
            self.unsettled.add(mac)
            one = self.machines.get(mac) or found.get(mac)
            self.complain(one.name if one else mac, error)

    def complain(self, who: str, error: OSError) -> None:
        self.failed = True
        place = error.filename2 or error.filename or "a file"
        self.say(f"{who + ': ' if who else ''}{place}: {error.strerror}; tried again when that is mended")
