# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The one place that acts: reads plan and states, changes states, and makes what is served follow them."""

from __future__ import annotations

import fcntl
import grp
import os
import secrets
from types import TracebackType
from typing import Callable, Iterable

from . import contract, served, spool, states
from . import plan as plans
from .files import FileSet, remove_leftovers, walk
from .plan import RefusedError
from .served import Served
from .settings import Settings, clock
from .states import Machine, Now, State
from .store import Store

LOG_BYTES = 1 << 16


class Server:
    """Plan, states and served files, under a lock from `with` to its end: nothing else changes them meanwhile.

    say: is told each thing that happened, for the journal. Never a token. changed: how much publish, arm and disarm
    changed.
    """

    def __init__(
        self, settings: Settings, say: Callable[[str], None], now: Callable[[], Now] = clock
    ) -> None:
        self.settings, self.say, self.now = settings, say, now
        self.changed = 0

    def __enter__(self) -> Server:
        at = self.settings
        self._lock = os.open(os.path.join(at.state, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.plan = plans.load(os.path.join(at.state, "plan"))
        self.store = Store(at.state, self.say, self.now)
        self.entries = FileSet(at.root, 0o644, 0o755)
        self.seeds = FileSet(at.root, 0o640, 0o750, grp.getgrnam(at.group).gr_gid)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._lock)

    # --- what the commands do

    def publish(self) -> None:
        """Bring states and served files in line with the plan."""
        self.drain()
        self.entries.make_folder(contract.HTTP)  # for all to read, unlike those of seeds
        found = {name: self.store.state(name) for name in {*self.plan.machines, *self.store.known()}}
        new = self._published(found)
        # as in `change`, but for all at once: what is armed first by its state, all else by what is served
        self.store.save({name: state for name, state in new.items() if state.state == "armed"})
        self._serve_all({**found, **new})
        self.store.save({name: state for name, state in new.items() if state.state != "armed"})
        self.changed += len(new)
        for name, state in new.items():
            self.say(f"{name}: {state.state}: {state.reason}")

    def _published(self, found: dict[str, State | None]) -> dict[str, State]:
        """The states that change because the inventory was read."""
        now, new = self.now(), {}
        for name, before in found.items():
            machine = self.plan.machines.get(name)
            if machine is not None:
                after: State | None = states.published(before, machine, now, new_token())
            else:
                after = before and states.without_machine(before, now)
            if after is None or after == before:
                continue
            missing = served.missing_parts(self.plan.own(name)) if after.state == "armed" else []
            if missing:
                self.say(f"{name}: not armed, since the plan has no {', '.join(missing)} for it")
            else:
                new[name] = after
        return new

    def arm(self, names: Iterable[str]) -> None:
        """Arm machines, all or none; each gets a new token. RefusedError when one cannot be armed."""
        self.drain()
        machines = self.plan.chosen(names)
        faults = []
        for machine in machines:
            missing = served.missing_parts(self.plan.own(machine.name))
            if machine.install == "never":
                faults.append(
                    f"{machine.name}: netboot_install is never; change it to once, run homelab.netboot.site, arm it"
                )
            elif missing:
                faults.append(
                    f"{machine.name}: the plan has no {', '.join(missing)}; run the playbook homelab.netboot.site"
                )
        if faults:
            raise RefusedError("nothing was armed:\n" + "\n".join(faults))
        for machine in machines:
            after = states.armed(self.now(), new_token(), "armed by hand")
            self.change(machine.name, self.store.state(machine.name), after)
            self.changed += 1

    def disarm(self, names: Iterable[str]) -> None:
        """Let machines boot their disk. What runs already goes on, but finds no user-data any more."""
        self.drain()
        for machine in self.plan.chosen(names):
            before = self.store.state(machine.name)
            after = states.disarmed(before, self.now())
            if after != before:
                self.change(machine.name, before, after)
                self.changed += 1

    def expire(self) -> None:
        """Let time go by: user-data that was handed out long ago is not any more."""
        self.drain()
        for name in self.store.known():
            before = self.store.state(name)
            if before is not None:
                self.change(name, before, states.expired(before, self.now(), self.settings.hours * 3600))

    def drain(self) -> None:
        """Take what nginx has put down: who fetched user-data, and reports. Every file goes, whatever is in it."""
        for note in spool.fetches(self.settings.spool):
            if note.found and note.found["name"] in self.plan.machines:
                name, before = note.found["name"], self.store.state(note.found["name"])
                if before is not None:
                    machine = self.plan.machines[name]
                    after = states.fetched(before, machine, note.found["token"], self.now())
                    self.change(name, before, after)
        for note in spool.reports(self.settings.spool):
            self._report(note)

    def _report(self, note: spool.Note) -> None:
        if note.found is None:
            length = len(os.path.basename(note.place))
            self.say(f"a report with a strange name ({length} characters) was thrown away")
            return
        name, word = note.found["name"], note.found["word"]
        is_known = name in self.plan.machines or (contract.is_host_name(name) and name in self.store.known())
        before = self.store.state(name) if is_known else None
        if before is None or not states.is_token(before, note.found["token"]):
            which = name if before is not None else "a machine that is not known"
            self.say(f"{which}: a report {word!r} with a wrong or old token was thrown away")
            return
        machine = self.plan.machines.get(name) or Machine(name, "")
        reason = ""
        if word == contract.FAILED:
            text = note.text(LOG_BYTES)
            reason = states.printable(text.split("\n", 1)[0])[:300] or "the installer failed"
            self.store.keep_log(name, text)
        after = states.reported(before, machine, word, reason, now=self.now(), token=new_token())
        self.change(name, before, after)

    # --- states, and with them what is served

    def change(self, name: str, before: State | None, after: State) -> None:
        """Change a state and, with it, what is served.

        Whatever is cut off in between is on the safe side, and done again by who caused it or at the next start:
        a machine becomes armed by its state first; for every other state its boot entry goes first.
        """
        if after == before:
            return
        if after.state == "armed":
            self.store.save({name: after})
            self._serve(name, after)
        else:
            self._serve(name, after)
            self.store.save({name: after})
        if before is None or before.state != after.state:
            self.say(f"{name}: {after.state}" + (f": {after.reason}" if after.reason else ""))

    def _serve(self, name: str, state: State) -> None:
        there = self._seeds_of(name)
        self._apply(served.of_machine(self.plan, name, self.plan.own(name), state, there), there)

    def _serve_all(self, found: dict[str, State | None]) -> None:
        there, listed = self._seeds_of(), self.store.listed()
        parts = [
            served.of_machine(self.plan, name, self.plan.own(name), state, there)
            for name, state in found.items()
        ]
        self._apply(served.of_all(self.plan, parts, listed), there)
        for folder in {os.path.dirname(path) for path in self.store.listed() | listed}:
            remove_leftovers(os.path.join(self.settings.root, folder))
        remove_leftovers(os.path.join(self.settings.root, contract.SEEDS), below=True)

    def _seeds_of(self, name: str = "") -> set[str]:
        """The seeds that are there, of one machine or of all."""
        folder = f"{contract.SEEDS}/{name}" if name else contract.SEEDS
        return {f"{folder}/{path}" for path in walk(os.path.join(self.settings.root, folder))}

    def _apply(self, wanted: Served, there: set[str]) -> None:
        """Make the served files so: seeds before the entries that lead to them. there: the seeds that are there."""
        self.changed += len(self.seeds.write(wanted.seeds))
        listed = self.store.listed()
        if not listed.issuperset(wanted.entries):
            self.store.list(listed.union(wanted.entries))  # before the files: none is ever forgotten
        self.changed += len(self.entries.write(wanted.entries))
        self.changed += len(self.entries.remove(sorted(wanted.absent)))
        if listed.intersection(wanted.absent):
            self.store.list(listed.union(wanted.entries) - wanted.absent)
        self.changed += len(self.seeds.remove(there - wanted.kept - set(wanted.seeds)))


def new_token() -> str:
    """A one-time token: 128 random bits."""
    return secrets.token_hex(contract.TOKEN_BYTES)
