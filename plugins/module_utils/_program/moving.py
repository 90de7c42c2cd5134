# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""A machine moves from one server to another with what is known of it: nothing is installed twice, nothing forgotten.

First the old server gives it, and from then on offers it nothing; then the new one takes it. Pure, but for `Moves`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Callable, Iterable, Mapping

from . import states, store
from .contract import ANY, MAC
from .keeper import Keeper
from .settings import clock
from .states import Machine, Now, State

Told = Mapping[str, Any]
"""What one server tells another of a machine, as L(told) returns it."""
Known = Mapping[str, Iterable[Told]]
"""MAC → what each of the other servers tells of it."""
#: Of a state, what is its server's own.
_OWN = ("mac", "token", "clock")


def told(state: State) -> dict[str, Any]:
    """What another server is to know of a machine. given: to which server it was; empty while it is still ours."""
    plain = {key: value for key, value in asdict(state).items() if key not in _OWN}
    return {**plain, "host_keys": list(state.host_keys)}


def known_here(folder: str, macs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What this server knows of machines: MAC → what L(told) returns. OSError when a state cannot be read just now.

    A machine that stands for any goes nowhere: it has no state that another server could need.
    """
    found = {}
    for mac in macs:
        try:
            state = store.look(folder, mac) if mac != ANY and MAC.fullmatch(mac) else None
        except ValueError:
            state = State(mac, "", "failed", reason="its state file was damaged")
        if state is not None:
            found[mac] = told(state)
    return found


class Coming:
    """What becomes of machines that other servers knew. server: the name of this one. first: whether it knows of no
    machine yet, and so may have lost what it knew."""

    def __init__(self, known: Known, server: str, *, first: bool, now: Now, token: Callable[[], str]) -> None:
        self.known, self.server, self.first, self.now, self.token = known, server, first, now, token

    def state(self, machine: Machine, here: State | None) -> State | None:
        """The machine's state after it came; as it is here, when it is here, or nobody knows it."""
        if machine.mac == ANY or (here is not None and not here.given):
            return here
        # of several words that of its server counts, and else the last one
        best = max(
            self.known.get(machine.mac, ()),
            key=lambda one: (not one["given"], str(one["since"])),
            default=None,
        )
        if best is None:
            return here and _come_back(here, self.now)
        wipe = machine.wipe == "always" and not self.first
        return _taken(machine, best, self.server, self.now, self.token(), wipe=wipe)


def _taken(machine: Machine, best: Told, server: str, now: Now, token: str, *, wipe: bool) -> State:
    """Who was armed and not begun with is armed anew; but a person's word that its disks may be wiped does not move."""
    before = State(machine.mac, machine.name, "local", str(best["since"]), str(best["reason"]))
    is_ours = best["given"] in ("", server)
    if best["state"] == "armed" and is_ours and machine.install != "never":
        return states.armed(before, now, token, "it was armed by the server that it had before", wipe=wipe)
    if best["state"] in ("armed", "installing"):
        reason = (
            f"what {best['given'] or 'its server'} knew of it is lost; to install it, run homelab.netboot.arm"
        )
        return replace(before, since=now.wall, reason=reason)
    return replace(
        before,
        state=str(best["state"]),
        disarmed=best["disarmed"] is True,
        address=str(best["address"]),
        host_keys=tuple(str(key) for key in best["host_keys"]),
    )


def foretold(folder: str, known: Known, server: str) -> Callable[[Machine, State | None], State | None]:
    """The same for a check run: what L(publication.preview) is to take for the state of a machine."""
    first = not store.Store(folder, lambda text: None, clock).history()
    return Coming(known, server, first=first, now=clock(), token=lambda: "-").state


def _come_back(state: State, now: Now) -> State:
    """The state of a machine that was given away, and of which no other server knows anything."""
    lost = f"what {state.given} knew of it is lost; to install it, run homelab.netboot.arm"
    if state.state in ("armed", "installing"):
        return State(state.mac, state.name, "local", now.wall, lost)
    return replace(state, given="", token="")


class Moves:
    """What becomes of machines here; who calls it holds the server's lock. server: its name."""

    def __init__(self, keeper: Keeper, server: str, now: Callable[[], Now], token: Callable[[], str]) -> None:
        self.keeper, self.server, self.now, self.token = keeper, server, now, token

    def give(self, owner: Mapping[str, str]) -> None:
        """Offer nothing more to machines of other servers, but let an installation end. owner: MAC → server."""
        found = self._states(Machine("", mac) for mac in owner)
        new = {
            mac: replace(state, given=owner[mac])
            for mac, state in found.items()
            if state is not None and state.given != owner[mac] and state.state != "installing"
        }
        self.keeper.follow({mac: found[mac] for mac in new}, new)

    def take(self, machines: Iterable[Machine], known: Known) -> None:
        """Note what other servers knew of machines that are new to this one."""
        machines = list(machines)
        found = self._states(machines)
        is_first = not self.keeper.store.history()
        coming = Coming(known, self.server, first=is_first, now=self.now(), token=self.token)
        after = {one.mac: coming.state(one, found.get(one.mac)) for one in machines}
        new = {mac: state for mac, state in after.items() if state is not None and state != found[mac]}
        self.keeper.follow({mac: found[mac] for mac in new}, new)

    def _states(self, machines: Iterable[Machine]) -> dict[str, State | None]:
        real = [machine for machine in machines if machine.mac != ANY and MAC.fullmatch(machine.mac)]
        return {machine.mac: self.keeper.store.state(machine) for machine in real}
