# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""A machine's state and how it changes. Pure. A machine is its MAC address; its name may change."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from .contract import ANY, FAILED, INSTALLED, UP

STATES = ("local", "armed", "installing", "installed", "up", "failed")
#: Those of a machine that has its system.
THERE = ("installed", "up")
VERSION = 1


class DamagedError(ValueError):
    """A state file does not hold a state."""


@dataclass(frozen=True)
class Now:
    """A moment. wall: for people, ISO 8601 in UTC. since_boot: seconds of CLOCK_BOOTTIME, which no setting of the
    clock changes; boot: the kernel's boot id, which tells whose seconds they are."""

    wall: str
    boot: str
    since_boot: float


@dataclass(frozen=True)
class Clock:
    """How long a machine has been installing: `used` seconds until the moment that boot and since_boot name."""

    boot: str
    since_boot: float
    used: float = 0.0

    def at(self, now: Now) -> Clock:
        """The same, told at a later moment. While the server is off the time stands still: it hands out nothing."""
        passed = now.since_boot - (self.since_boot if now.boot == self.boot else 0.0)
        return Clock(now.boot, now.since_boot, self.used + max(0.0, passed))


@dataclass(frozen=True)
class Machine:
    """What the inventory says of a machine. host_key: the public one, where it gives the machine its key."""

    name: str
    mac: str
    image: str = ""
    install: str = "once"
    wipe: str = "blank"
    host_key: str = ""


@dataclass(frozen=True)
class State:
    """What is known of a machine. mac: which one. name: the one under which its seeds lie and it reports.

    token: of the arming, as long as a report with it is waited for. by_hand: whether a person armed it. wipe: whether
    its installation may wipe disks that hold something.
    given: the server that it belongs to now; this one offers it nothing, and remembers for that one what it knew.
    disarmed: somebody said so, hence `always` does not arm it again by itself. address, host_keys: of a machine that
    is up, as it told them itself; lines like "ssh-ed25519 AAAA…".
    """

    mac: str
    name: str
    state: str = "local"
    since: str = ""
    reason: str = ""
    token: str = ""
    by_hand: bool = False
    wipe: bool = False
    disarmed: bool = False
    clock: Clock | None = None
    address: str = ""
    host_keys: tuple[str, ...] = ()
    given: str = ""

    @property
    def serves_seeds(self) -> bool:
        """Whether user-data may be read."""
        return self.state in ("armed", "installing") and bool(self.token) and not self.given

    @property
    def is_armed(self) -> bool:
        """Whether its next network boot installs it."""
        return self.state == "armed" and not self.given


def dump(state: State) -> str:
    """The text of a state file."""
    return json.dumps({"version": VERSION, **asdict(state)}, indent=1) + "\n"


def parse(text: str) -> State:
    """Read the text of a state file. DamagedError when it is none."""
    try:
        raw = json.loads(text)
        if raw.pop("version") != VERSION:
            raise ValueError("another version")
        clock = raw.pop("clock")
        if not isinstance(raw["host_keys"], list):
            raise TypeError("host_keys is no list")
        raw["host_keys"] = tuple(raw["host_keys"])
        state = State(**raw, clock=None if clock is None else Clock(**clock))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from None
    if set(raw) | {"clock"} != set(asdict(state)) or not _is_sound(state):
        raise DamagedError("its contents are not those of a state")
    return state


def _is_sound(state: State) -> bool:
    clock = state.clock or Clock("", 0.0)
    words = (
        state.mac,
        state.name,
        state.state,
        state.since,
        state.reason,
        state.token,
        state.given,
        clock.boot,
    )
    return (
        all(isinstance(word, str) for word in (*words, state.address, *state.host_keys))
        and all(isinstance(number, (int, float)) for number in (clock.since_boot, clock.used))
        and all(isinstance(flag, bool) for flag in (state.by_hand, state.wipe, state.disarmed))
        and state.state in STATES
        and not (state.state in ("armed", "installing") and not state.token)
        and not (state.state == "installing" and state.clock is None)
    )


def _to(state: State, word: str, now: Now, reason: str, **more: Any) -> State:
    """The same machine in a new state, with nothing of the old one but what is given, and whose it is."""
    return State(state.mac, state.name, word, now.wall, reason, given=state.given, **more)


def unknown(machine: Machine) -> State:
    """A machine of which nothing is known."""
    return State(machine.mac, machine.name)


def damaged(machine: Machine, now: Now, kept: str) -> State:
    """The state of a machine whose file cannot be read: never armed, whatever it was."""
    return _to(
        unknown(machine), "failed", now, f"its state file was damaged; what was in it is kept as {kept}"
    )


def armed(state: State, now: Now, token: str, reason: str, *, wipe: bool, by_hand: bool = False) -> State:
    """A machine that is to be installed."""
    return _to(state, "armed", now, reason, token=token, wipe=wipe, by_hand=by_hand)


def published(
    state: State | None, machine: Machine, now: Now, token: str, *, known: bool = False, first: bool = False
) -> State:
    """The state after the inventory was read. token: a new one, in case that it is armed.

    `once` arms a machine that is seen for the first time, `always` also one that was installed, `never` none.
    known: whether the server has had this machine before; without its state, nobody can tell whether it is installed.
    first: whether the server knows of no machine yet: it is new, or lost what it knew; then `once` wipes nothing.
    """
    if state is not None and state.given:
        return state  # another server offers it
    before = state or unknown(machine)
    wipe = machine.wipe == "always" and not (first and machine.install == "once")
    if machine.install == "never":
        if state is None or state.is_armed:
            return _to(_named(before, machine), "local", now, "netboot_install: never")
    elif state is None and known:
        reason = "its state was lost; to install it, run the playbook homelab.netboot.arm"
        return _to(before, "local", now, reason)
    elif state is None:
        return armed(before, now, token, f"netboot_install: {machine.install}", wipe=wipe)
    elif machine.install == "always" and (
        state.state in THERE or (state.state == "local" and not state.disarmed)
    ):
        return armed(_named(before, machine), now, token, "netboot_install: always", wipe=wipe)
    elif state.is_armed and not state.by_hand and machine.wipe != "always":
        before = replace(before, wipe=False)
    return _named(before, machine)


def _named(state: State, machine: Machine) -> State:
    """With the name that the inventory has now; who installs goes on under the one with which that began."""
    return state if state.state == "installing" else replace(state, name=machine.name)


def without_machine(state: State, now: Now) -> State:
    """The state of a machine that is no longer in the inventory: it must not come back armed."""
    return _to(state, "local", now, "left the inventory while armed") if state.is_armed else state


def without_seeds(state: State, now: Now) -> State:
    """The state of a machine that is armed, but whose seeds are not there: its file came out of a backup."""
    reason = (
        "its arming is not of this server as it is now (a backup?); to install it, run homelab.netboot.arm"
    )
    return _to(state, "local", now, reason)


def disarmed(state: State, now: Now) -> State:
    """The state after somebody said so; what is not waiting to be installed stays as it is, but is not armed again.

    An installed machine goes on to be expected: its first start is what `disarm` leads to.
    """
    if state.since and state.state not in ("armed", "installing"):
        return replace(state, disarmed=True, token=state.token if state.state in THERE else "")
    reason = "disarmed while it was installing" if state.state == "installing" else "disarmed"
    return _to(state, "local", now, reason, disarmed=True)


def fetched(state: State, token: str, now: Now) -> State:
    """The state after user-data was fetched, or the installation began: the next network boot must not install again.

    `any` stands for more than one machine and stays as it is.
    """
    if not state.is_armed or not is_token(state, token) or state.mac == ANY:
        return state
    clock = Clock(now.boot, now.since_boot)
    return replace(state, state="installing", since=now.wall, reason="user-data was fetched", clock=clock)


def is_token(state: State, token: str) -> bool:
    """Whether a token is the one that is waited for; takes the same time for all wrong ones."""
    return hmac.compare_digest(state.token.encode(), token.encode()) and bool(state.token)


def awaits(state: State, word: str) -> bool:
    """Whether such a report, with the right token, counts.

    Of an installed machine only its first start, once. A machine that is armed cannot be up by this arming: nothing is
    installed without the receipt, which makes it `installing`; so that is the word of somebody who has read its entry.
    Who is `installing`, or `failed` as no report came in time, can be up: the report that it is installed may be lost.
    """
    return state.state != "armed" if word == UP else state.state != "installed"


def reported(state: State, machine: Machine, word: str, reason: str, *, now: Now, token: str) -> State:
    """The state after a report that is awaited. word: all but UP; token: a new one for `always`."""
    if word not in (INSTALLED, FAILED):
        return fetched(state, state.token, now)
    if state.mac == ANY and state.is_armed:
        return replace(state, reason=f"{now.wall}: one more {word}" + (f", {reason}" if reason else ""))
    if word == INSTALLED and machine.install == "always" and state.state != "local":
        again = f"installed at {now.wall}; netboot_install: always"
        return armed(replace(state, name=machine.name), now, token, again, wipe=machine.wipe == "always")
    # the installed system has the arming's token, too, and tells its first start with it
    rest = state.token if word == INSTALLED else ""
    return replace(_to(state, word, now, reason, disarmed=state.disarmed, token=rest), name=machine.name)


def up(state: State, machine: Machine, now: Now, address: str, host_keys: tuple[str, ...]) -> State:
    """The state after an installed system told its first start. Only that has the token by then: it is installed."""
    told = {"address": address, "host_keys": host_keys}
    return replace(_to(state, UP, now, "", disarmed=state.disarmed, **told), name=machine.name)


def expired(state: State, now: Now, seconds: float) -> State:
    """The state as time goes by: user-data is not handed out for ever. The token stays: a late report still counts."""
    if state.state != "installing" or state.clock is None:
        return state
    clock = state.clock.at(now)
    if clock.used < seconds:
        return replace(state, clock=clock)
    reason = f"no report within {seconds / 3600:g} hours after user-data was fetched; it is not handed out any more"
    return _to(state, "failed", now, reason, token=state.token)


def printable(text: str) -> str:
    """A line for a table or the journal: no control characters, however it came here."""
    return (text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)).strip()
