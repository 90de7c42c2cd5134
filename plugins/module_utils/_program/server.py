# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The one place that acts: reads plan and states, changes states, and makes what is served follow them."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections import Counter
from dataclasses import replace
from types import TracebackType
from typing import Callable, Iterable, Mapping

from . import contract, moving, publication, served, spool, ssh_keys, states
from . import plan as plans
from .keeper import Keeper, States
from .plan import RefusedError
from .settings import Settings, clock
from .shelf import Shelf
from .states import Machine, Now, State
from .store import REFUSED, Store

LOG_BYTES = 1 << 16
_TOKEN = re.compile(contract.TOKEN_PATTERN)


class Server:
    """Plan, states and served files, under a lock from `with` to its end: nothing else changes them meanwhile.

    say: is told each thing that happened, for the journal. Never a token. needs_plan: whether nothing can be done
    without one; else machines are withdrawn also when it cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        now: Callable[[], Now] = clock,
        *,
        needs_plan: bool = True,
    ) -> None:
        self.settings, self.say, self.now, self.needs_plan = settings, say, now, needs_plan

    def __enter__(self) -> Server:
        at = self.settings
        # only for reading, so that machines are withdrawn on a disk that became read-only, too
        self._lock = os.open(os.path.join(at.state, "lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.plan = self._load(os.path.join(at.state, "plan"))
        self.store = Store(at.state, self.say, self.now)
        self.shelf = Shelf(at)
        self.keeper = Keeper(self.plan, self.store, self.shelf, self.say)
        self.keeper.failed = self.plan.is_unreadable
        self.machines = self.keeper.machines
        self._waiting: dict[str, str] | None = None  # token → MAC, as it was at first
        self._counts: Counter[str] = Counter()
        return self

    def _load(self, folder: str) -> plans.Plan:
        try:
            return plans.load(folder)
        except RefusedError as error:
            if self.needs_plan:
                raise
            self.say(str(error))
            return plans.Plan(folder, is_unreadable=True)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._counts:
            self.store.count(self._counts)
        os.close(self._lock)

    @property
    def changed(self) -> int:
        """How many states and files."""
        return self.keeper.changed + self.shelf.changed

    @property
    def failed(self) -> bool:
        """Whether something could not be done; what, was said."""
        return self.keeper.failed

    # --- what the commands do

    def publish(self) -> None:
        """Bring states and served files in line with the plan."""
        self.drain()
        found = self.keeper.all_states()
        settled = {mac: state for mac, state in found.items() if mac not in self.keeper.unsettled}
        history = self.store.history()
        there = self.shelf.seeds()
        new = publication.changes(settled, self.machines, history, there, now=self.now(), new_token=new_token)
        new = {mac: after for mac, after in new.items() if self._can_be(after, found[mac])}
        self.keeper.follow(found, new, everybody=True)
        known = self.store.known()
        if not history.issuperset(known):
            self.store.remember(history.union(known))
        self.store.sweep()

    def _can_be(self, after: State, before: State | None) -> bool:
        if not after.is_armed or (before is not None and before.is_armed):
            return True
        missing = served.missing_parts(self.plan, self.plan.own(self.machines[after.mac]))
        if missing:
            self.say(f"{after.name}: not armed, since the plan has no {', '.join(missing)} for it")
        return not missing

    def arm(self, names: Iterable[str]) -> None:
        """Arm machines, all or none; each gets a new token. RefusedError when one cannot be armed."""
        self.drain()
        machines = self.plan.chosen(names)
        faults = []
        for machine in machines:
            missing = served.missing_parts(self.plan, self.plan.own(machine))
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
        self._change(
            machines,
            lambda state: states.armed(
                state, self.now(), new_token(), "armed by hand", wipe=True, by_hand=True
            ),
        )

    def give(self, owner: Mapping[str, str]) -> None:
        """Offer nothing more to machines that belong to other servers. owner: MAC → server."""
        self.drain()
        moving.Moves(self.keeper, "", self.now, new_token).give(owner)

    def take(self, machines: Iterable[Machine], known: moving.Known, server: str) -> None:
        """Note what other servers knew of machines that are new to this one. server: its name."""
        self.drain()
        moving.Moves(self.keeper, server, self.now, new_token).take(machines, known)

    def disarm(self, names: Iterable[str]) -> None:
        """Let machines boot their disk. What runs already goes on, but finds no user-data any more."""
        self.drain()
        self._change(self.plan.chosen(names), lambda state: states.disarmed(state, self.now()))

    def _change(self, machines: Iterable[Machine], change: Callable[[State], State]) -> None:
        """Change the states of these machines, whether they have one yet or not."""
        found: States = {machine.mac: self.store.state(machine) for machine in machines}
        new = {}
        for machine in machines:
            before = found[machine.mac]
            after = change(before or states.unknown(machine))
            after = after if after.state == "installing" else replace(after, name=machine.name)
            if after != before:
                new[machine.mac] = after
        self.keeper.follow({mac: found[mac] for mac in new}, new)

    def expire(self) -> None:
        """Let time go by: user-data that was handed out long ago is not any more."""
        self.drain()
        all_states, now = self.keeper.all_states(), self.now()
        found = {
            mac: state
            for mac, state in all_states.items()
            if state is not None and mac not in self.keeper.unsettled
        }
        new = {mac: states.expired(state, now, self.settings.hours * 3600) for mac, state in found.items()}
        new = {mac: state for mac, state in new.items() if state != found[mac]}
        # together, since each call reads what all machines were handed out; those without news, too: what could not be
        # withdrawn is tried again
        self.keeper.follow(found, new)
        self._counts.update(contract.FAILED for mac, state in new.items() if state.state != found[mac].state)

    def armed(self) -> dict[str, dict[str, str]]:
        """Machine → its image, and what its next network boot may do to a disk that holds something: one of WIPES."""
        return publication.armed(self.keeper.all_states(), self.machines)

    # --- what nginx has put down

    def drain(self) -> None:
        """Take who fetched user-data, and reports. Every note goes when what it says is done, whatever is in it."""
        for note in spool.notes(self.settings.spool):
            try:
                if self._note(note):
                    note.discard()
            except OSError as error:
                self.keeper.complain("", error)

    def _note(self, note: spool.Note) -> bool:
        """Do what a note says; return whether that was possible."""
        if note.found is None:
            length = len(os.path.basename(note.place))
            self.say(f"a report with a strange name ({length} characters) was thrown away")
            self._counts[REFUSED] += 1
            return True
        name, token = note.found["name"], note.found["token"]
        before = self._whose(name, token)
        if before is None:
            if note.word:
                which = name if name in self.plan.machines else "a machine that is not known"
                self.say(f"{which}: a report {note.word!r} with a wrong or old token was thrown away")
                self._counts[REFUSED] += 1
            return not self.keeper.unsettled  # else it may be of one whose state cannot be read now
        if note.word and not states.awaits(before, note.word):
            self.say(f"{before.name}: a report {note.word!r} was thrown away, since it is {before.state}")
            self._counts[REFUSED] += 1
            return True
        after = self._reported(before, note) if note.word else states.fetched(before, token, self.now())
        self.keeper.follow({before.mac: before}, {before.mac: after} if after != before else {})
        is_done = before.mac not in self.keeper.unsettled
        is_news = after != before or before.mac == contract.ANY  # many report for this one
        if is_done and is_news and note.word in (contract.INSTALLED, contract.FAILED):
            self._counts[note.word] += 1
        elif is_done and note.word == contract.UP and before.state != contract.INSTALLED:
            self._counts[contract.INSTALLED] += 1  # that report was lost
        return is_done

    def _whose(self, name: str, token: str) -> State | None:
        """The state of the machine that waits for this token: most likely of the one with this name."""
        machine = self.plan.machines.get(name)
        state = self.store.state(machine) if machine else None
        if state is not None and states.is_token(state, token):
            return state
        if self._waiting is None:  # it may have another name by now, or have left the inventory
            self._waiting = {
                one.token: one.mac for one in self.keeper.all_states().values() if one is not None
            }
        mac = self._waiting.get(token)
        state = self.store.state(self.machines.get(mac) or Machine(name, mac)) if mac else None
        return state if state is not None and states.is_token(state, token) else None

    def _reported(self, before: State, note: spool.Note) -> State:
        machine = self.machines.get(before.mac) or Machine(before.name, before.mac)
        reason = ""
        if note.word == contract.UP:
            # of a key that the inventory has given, nobody in the network has anything to say
            told = ssh_keys.host_keys(note.text(contract.UP_BYTES))
            keys = (machine.host_key,) if machine.host_key else told
            return states.up(before, machine, self.now(), note.address, keys)
        if note.word == contract.FAILED:
            text = note.text(LOG_BYTES)
            reason = _TOKEN.sub("-", states.printable(text.split("\n", 1)[0]))[:300] or "the installer failed"
            try:
                self.store.keep_log(machine.name, text)
            except OSError as error:
                self.keeper.complain(machine.name, error)  # the report counts all the same
        return states.reported(before, machine, note.word, reason, now=self.now(), token=new_token())


def new_token() -> str:
    """A one-time token: 128 random bits."""
    return secrets.token_hex(contract.TOKEN_BYTES)
