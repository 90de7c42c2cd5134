# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""A machine's state and how it changes. Pure."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass, replace

from .contract import ANY

STATES = ("local", "armed", "installing", "installed", "failed")
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
class State:
    """What is known of a machine. token: of the arming, as long as a report with it is waited for.

    disarmed: somebody said so, hence `always` does not arm it again by itself.
    """

    state: str = "local"
    since: str = ""
    reason: str = ""
    token: str = ""
    disarmed: bool = False
    clock: Clock | None = None

    @property
    def serves_seeds(self) -> bool:
        """Whether user-data may be read."""
        return self.state in ("armed", "installing") and bool(self.token)


@dataclass(frozen=True)
class Machine:
    """What the inventory says of a machine."""

    name: str
    mac: str
    image: str = ""
    install: str = "once"


def dump(state: State) -> str:
    """The text of a state file."""
    return json.dumps({"version": VERSION, **asdict(state)}, indent=1) + "\n"


def parse(text: str) -> State:
    """Read the text of a state file. DamagedError when it is none."""
    try:
        raw = json.loads(text)
        clock = raw["clock"]
        state = State(
            state=raw["state"],
            since=raw["since"],
            reason=raw["reason"],
            token=raw["token"],
            disarmed=raw["disarmed"],
            clock=None if clock is None else Clock(clock["boot"], clock["since_boot"], clock["used"]),
        )
        numbers = () if state.clock is None else (state.clock.since_boot, state.clock.used)
        words = (state.state, state.since, state.reason, state.token, state.clock.boot if state.clock else "")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from None
    if (
        raw.get("version") != VERSION
        or state.state not in STATES
        or not all(isinstance(word, str) for word in words)
        or not all(isinstance(number, (int, float)) for number in numbers)
        or not isinstance(state.disarmed, bool)
        or (state.state in ("armed", "installing") and not state.token)
        or (state.state == "installing" and state.clock is None)
    ):
        raise DamagedError("its contents are not those of a state")
    return state


def damaged(now: Now, kept: str) -> State:
    """The state of a machine whose file cannot be read: never armed, whatever it was."""
    return State("failed", now.wall, f"its state file was damaged; what was in it is kept as {kept}")


def armed(now: Now, token: str, reason: str) -> State:
    """A machine that is to be installed."""
    return State("armed", now.wall, reason, token)


def published(state: State | None, machine: Machine, now: Now, token: str) -> State:
    """The state after the inventory was read. token: a new one, in case that it is armed.

    `once` arms a machine that is seen for the first time, `always` also one that was installed, `never` none.
    """
    if machine.install == "never":
        if state is None or state.state == "armed":
            return State("local", now.wall, "netboot_install: never")
        return state
    if state is None:
        return armed(now, token, f"netboot_install: {machine.install}")
    if machine.install == "always" and (
        state.state == "installed" or (state.state == "local" and not state.disarmed)
    ):
        return armed(now, token, "netboot_install: always")
    return state


def without_machine(state: State, now: Now) -> State:
    """The state of a machine that is no longer in the inventory: it must not come back armed."""
    return State("local", now.wall, "left the inventory while armed") if state.state == "armed" else state


def disarmed(state: State | None, now: Now) -> State:
    """The state after somebody said so; what is not waiting to be installed stays as it is, but is not armed again."""
    if state is not None and state.state not in ("armed", "installing"):
        return replace(state, disarmed=True, token="")
    reason = "disarmed" if state is None or state.state == "armed" else "disarmed while it was installing"
    return State("local", now.wall, reason, disarmed=True)


def fetched(state: State, machine: Machine, token: str, now: Now) -> State:
    """The state after user-data was fetched: the next network boot must not install once more.

    `any` stands for more than one machine and stays as it is.
    """
    if state.state != "armed" or not is_token(state, token) or machine.mac == ANY:
        return state
    return State(
        "installing", now.wall, "user-data was fetched", state.token, clock=Clock(now.boot, now.since_boot)
    )


def is_token(state: State, token: str) -> bool:
    """Whether a token is the one that is waited for; takes the same time for all wrong ones."""
    return hmac.compare_digest(state.token.encode(), token.encode()) and bool(state.token)


def reported(state: State, machine: Machine, word: str, reason: str, *, now: Now, token: str) -> State:
    """The state after a report with the right token. word: installed or failed; token: a new one for `always`."""
    if machine.mac == ANY and state.state == "armed":
        return replace(state, reason=f"{now.wall}: one more {word}" + (f", {reason}" if reason else ""))
    if word == "installed" and machine.install == "always" and state.state != "local":
        return armed(now, token, f"installed at {now.wall}; netboot_install: always")
    return State(word, now.wall, reason, disarmed=state.disarmed)


def expired(state: State, now: Now, seconds: float) -> State:
    """The state as time goes by: user-data is not handed out for ever. The token stays: a late report still counts."""
    if state.state != "installing" or state.clock is None:
        return state
    clock = state.clock.at(now)
    if clock.used < seconds:
        return replace(state, clock=clock)
    reason = f"no report within {seconds / 3600:g} hours after user-data was fetched; it is not handed out any more"
    return State("failed", now.wall, reason, state.token)


def printable(text: str) -> str:
    """A line for a table or the journal: no control characters, however it came here."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
