# SPDX-License-Identifier: GPL-3.0-or-later
"""How a state changes: every way that is there, and none besides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import contract, states
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import (
    Clock,
    DamagedError,
    Machine,
    Now,
    State,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = Now("2026-11-22T14:00:00Z", "boot-1", 1000.0)
LATER = Now("2026-11-22T14:05:00Z", "boot-1", 1300.0)
ONCE, ALWAYS, NEVER = (Machine("nuc1", "f4:4d:30:60:64:69", "focal", word) for word in contract.INSTALLS)
ALL = Machine("rest", "any", "focal", "always")
OLD, NEW = "0" * 32, "f" * 32
ARMED = states.armed(NOW, OLD, "")
INSTALLING = states.fetched(ARMED, ONCE, OLD, NOW)
INSTALLED = states.reported(INSTALLING, ONCE, "installed", "", now=NOW, token=NEW)
FAILED = states.reported(INSTALLING, ONCE, "failed", "no disk", now=NOW, token=NEW)
LOCAL = State("local", NOW.wall)
DISARMED = states.disarmed(ARMED, NOW)
EVERY = [ARMED, INSTALLING, INSTALLED, FAILED, LOCAL, DISARMED]


def publish(state: State | None, machine: Machine) -> str:
    return states.published(state, machine, LATER, NEW).state


def test_once_arms_a_machine_when_it_is_seen_first_and_never_again() -> None:
    assert publish(None, ONCE) == "armed"
    for state in EVERY:
        assert states.published(state, ONCE, LATER, NEW) == state


def test_never_arms_nobody_and_takes_back_what_was_armed() -> None:
    assert publish(None, NEVER) == "local"
    assert publish(ARMED, NEVER) == "local"
    for state in (INSTALLING, INSTALLED, FAILED, LOCAL, DISARMED):
        assert states.published(state, NEVER, LATER, NEW) == state
    assert publish(states.published(None, NEVER, NOW, NEW), ONCE) == "local"  # somebody has to say arm


def test_always_arms_again_but_not_after_a_failure_or_when_somebody_disarmed() -> None:
    for state in (None, INSTALLED, LOCAL):
        assert states.published(state, ALWAYS, LATER, NEW).token == NEW
    for state in (ARMED, INSTALLING, FAILED, DISARMED):
        assert states.published(state, ALWAYS, LATER, NEW) == state
    again = states.reported(INSTALLING, ALWAYS, "installed", "", now=LATER, token=NEW)
    assert (again.state, again.token) == ("armed", NEW)
    assert states.reported(INSTALLING, ALWAYS, "failed", "x", now=LATER, token=NEW).state == "failed"


def test_the_first_fetch_with_the_right_token_ends_the_arming() -> None:
    assert INSTALLING.state == "installing"
    assert INSTALLING.token == OLD
    assert states.fetched(ARMED, ONCE, NEW, NOW) == ARMED
    for state in (INSTALLING, INSTALLED, FAILED, LOCAL, DISARMED):
        assert states.fetched(state, ONCE, OLD, LATER) == state


def test_what_stands_for_many_machines_stays_armed() -> None:
    assert states.fetched(ARMED, ALL, OLD, LATER) == ARMED
    after = states.reported(ARMED, ALL, "failed", "no disk", now=LATER, token=NEW)
    assert (after.state, after.token) == ("armed", OLD)
    assert "one more failed, no disk" in after.reason


def test_only_armings_have_a_token_and_only_they_serve_seeds() -> None:
    assert [bool(state.token) for state in EVERY] == [True, True, False, False, False, False]
    assert [state.serves_seeds for state in EVERY] == [True, True, False, False, False, False]
    for state in EVERY:
        assert not states.is_token(state, "")
        assert not states.is_token(state, NEW)
    assert states.is_token(ARMED, OLD)


def test_who_leaves_the_inventory_does_not_come_back_armed() -> None:
    assert states.without_machine(ARMED, LATER).state == "local"
    for state in EVERY[1:]:
        assert states.without_machine(state, LATER) == state


def test_disarm_tells_what_it_stopped() -> None:
    assert "installing" in states.disarmed(INSTALLING, LATER).reason
    assert states.disarmed(INSTALLED, LATER) == replace(INSTALLED, disarmed=True)


def test_the_time_runs_out_by_the_servers_own_hours() -> None:
    for hours, word in ((3.9, "installing"), (4.0, "failed")):
        now = Now("1970-01-01T00:00:00Z", "boot-1", 1000.0 + hours * 3600)  # whatever the clock says
        assert states.expired(INSTALLING, now, 4 * 3600).state == word
    late = states.expired(INSTALLING, Now("x", "boot-1", 1e6), 4 * 3600)
    assert "no report within 4 hours" in late.reason
    assert not late.serves_seeds
    assert states.is_token(late, OLD)  # a late report still counts
    assert states.reported(late, ONCE, "installed", "", now=LATER, token=NEW).state == "installed"
    for state in (ARMED, INSTALLED, FAILED, LOCAL):
        assert states.expired(state, Now("x", "boot-1", 1e6), 4 * 3600) == state


def test_a_restart_of_the_server_neither_gives_nor_takes_time() -> None:
    half = states.expired(INSTALLING, Now("x", "boot-1", 1000.0 + 7200), 14400)
    assert half.clock == Clock("boot-1", 8200.0, 7200.0)
    booted = states.expired(half, Now("x", "boot-2", 60.0), 14400)
    assert booted.clock == Clock("boot-2", 60.0, 7260.0)
    assert states.expired(booted, Now("x", "boot-2", 60.0 + 7140), 14400).state == "failed"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1e5)), max_size=20))
def test_no_clock_runs_backwards(ticks: list[tuple[str, float]]) -> None:
    clock = Clock("a", 0.0)
    for boot, since in ticks:
        after = clock.at(Now("x", boot, since))
        assert after.used >= clock.used
        clock = after


@pytest.mark.parametrize("state", EVERY)
def test_what_is_written_is_what_is_read(state: State) -> None:
    assert states.parse(states.dump(state)) == state


GOOD = json.loads(states.dump(INSTALLING))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 200,
        "{",
        "[]",
        "null",
        "[" * 100_000,
        states.dump(ARMED)[:-40],
        *(json.dumps({key: value for key, value in GOOD.items() if key != missing}) for missing in GOOD),
        json.dumps({**GOOD, "state": "Armed"}),
        json.dumps({**GOOD, "token": ""}),
        json.dumps({**GOOD, "token": 1}),
        json.dumps({**GOOD, "clock": None}),
        json.dumps({**GOOD, "clock": {"boot": 1, "since_boot": 1, "used": 1}}),
        json.dumps({**GOOD, "clock": {"boot": "x", "since_boot": "1", "used": 1}}),
        json.dumps({**GOOD, "version": 2}),
        json.dumps({**GOOD, "disarmed": "no"}),
    ],
)
def test_what_is_no_state_is_seen(text: str) -> None:
    with pytest.raises(DamagedError):
        states.parse(text)
    assert states.damaged(NOW, "/x").state == "failed"


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_a_state_or_damaged(text: str) -> None:
    try:
        states.parse(text)
    except DamagedError:
        return
