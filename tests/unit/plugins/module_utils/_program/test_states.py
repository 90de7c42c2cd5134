# SPDX-License-Identifier: GPL-3.0-or-later
"""How a state changes: every way that is there, and none besides."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import states
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
MAC = "f4:4d:30:60:64:69"
ONCE, NEVER = (Machine("nuc1", MAC, "focal", word) for word in ("once", "never"))
ALWAYS = Machine("nuc1", MAC, "focal", "always", "always")
WIPED = replace(ONCE, wipe="always")
ALL = Machine("rest", "any", "focal", "always", "always")
OLD, NEW = "0" * 32, "f" * 32
ARMED = states.armed(states.unknown(ONCE), NOW, OLD, "", wipe=False)
INSTALLING = states.fetched(ARMED, OLD, NOW)
INSTALLED = states.reported(INSTALLING, ONCE, "installed", "", now=NOW, token=NEW)
FAILED = states.reported(INSTALLING, ONCE, "failed", "no disk", now=NOW, token=NEW)
LOCAL = State(MAC, "nuc1", "local", NOW.wall)
DISARMED = states.disarmed(ARMED, NOW)
UP = states.up(INSTALLED, ONCE, NOW, "192.168.1.77", ("ssh-ed25519 AAAA", "ssh-rsa BBBB"))
EVERY = [ARMED, INSTALLING, INSTALLED, FAILED, LOCAL, DISARMED, UP]


def publish(state: State | None, machine: Machine) -> str:
    return states.published(state, machine, LATER, NEW).state


def test_once_arms_a_machine_when_it_is_seen_first_and_never_again() -> None:
    assert publish(None, ONCE) == "armed"
    for state in EVERY:
        assert states.published(state, ONCE, LATER, NEW) == state


def test_whose_state_was_lost_is_not_armed() -> None:
    lost = states.published(None, ONCE, LATER, NEW, known=True)
    assert (lost.state, lost.token) == ("local", "")
    assert "homelab.netboot.arm" in lost.reason
    assert publish(lost, ONCE) == "local"


@pytest.mark.parametrize(
    ("machine", "first", "wipes"),
    [
        (ONCE, True, False),
        (ONCE, False, False),
        (WIPED, False, True),
        (WIPED, True, False),
        (ALWAYS, True, True),
    ],
)
def test_only_who_was_told_so_wipes_and_nobody_does_when_the_server_has_no_history(
    machine: Machine, first: bool, wipes: bool
) -> None:
    after = states.published(None, machine, NOW, NEW, first=first)
    assert (after.state, after.wipe, after.by_hand) == ("armed", wipes, False)


def test_an_arming_by_itself_loses_its_right_to_wipe_with_the_inventory_and_one_by_hand_does_not() -> None:
    for by_hand in (False, True):
        state = states.armed(ARMED, NOW, OLD, "", wipe=True, by_hand=by_hand)
        assert states.published(state, WIPED, LATER, NEW).wipe
        assert states.published(state, ONCE, LATER, NEW).wipe is by_hand


def test_a_name_may_change_and_who_installs_keeps_the_one_it_began_with() -> None:
    renamed = replace(ONCE, name="nuc9")
    for state in EVERY:
        after = states.published(state, renamed, LATER, NEW)
        assert after == (state if state is INSTALLING else replace(state, name="nuc9"))
    for word in ("installed", "failed"):
        assert states.reported(INSTALLING, renamed, word, "", now=LATER, token=NEW).name == "nuc9"


def test_an_arming_out_of_a_backup_counts_for_nothing() -> None:
    after = states.without_seeds(ARMED, LATER)
    assert (after.state, after.token) == ("local", "")


def test_never_arms_nobody_and_takes_back_what_was_armed() -> None:
    assert publish(None, NEVER) == "local"
    assert publish(ARMED, NEVER) == "local"
    for state in (INSTALLING, INSTALLED, FAILED, LOCAL, DISARMED, UP):
        assert states.published(state, NEVER, LATER, NEW) == state
    assert publish(states.published(None, NEVER, NOW, NEW), ONCE) == "local"  # somebody has to say arm


def test_always_arms_again_but_not_after_a_failure_or_when_somebody_disarmed() -> None:
    for state in (None, INSTALLED, LOCAL, UP):
        assert states.published(state, ALWAYS, LATER, NEW).token == NEW
    for state in (ARMED, INSTALLING, FAILED, DISARMED):
        assert states.published(state, ALWAYS, LATER, NEW) == state
    again = states.reported(INSTALLING, ALWAYS, "installed", "", now=LATER, token=NEW)
    assert (again.state, again.token) == ("armed", NEW)
    assert states.reported(INSTALLING, ALWAYS, "failed", "x", now=LATER, token=NEW).state == "failed"


def test_the_first_fetch_with_the_right_token_ends_the_arming() -> None:
    assert INSTALLING.state == "installing"
    assert INSTALLING.token == OLD
    assert states.fetched(ARMED, NEW, NOW) == ARMED
    for state in (INSTALLING, INSTALLED, FAILED, LOCAL, DISARMED, UP):
        assert states.fetched(state, OLD, LATER) == state


def test_what_stands_for_many_machines_stays_armed() -> None:
    armed = states.armed(states.unknown(ALL), NOW, OLD, "", wipe=True)
    assert states.fetched(armed, OLD, LATER) == armed
    assert states.reported(armed, ALL, "begun", "", now=LATER, token=NEW) == armed
    after = states.reported(armed, ALL, "failed", "no disk", now=LATER, token=NEW)
    assert (after.state, after.token) == ("armed", OLD)
    assert "one more failed, no disk" in after.reason


def test_that_it_begins_counts_like_the_fetch() -> None:
    begun = states.reported(ARMED, ONCE, "begun", "", now=LATER, token=NEW)
    assert (begun.state, begun.token) == ("installing", OLD)
    assert states.reported(INSTALLING, ONCE, "begun", "", now=LATER, token=NEW) == INSTALLING


def test_who_tells_something_later_has_a_token_and_only_armings_serve_seeds() -> None:
    assert [state.state for state in EVERY if state.token] == ["armed", "installing", "installed"]
    assert [state.state for state in EVERY if state.serves_seeds] == ["armed", "installing"]
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
    assert states.disarmed(UP, LATER) == replace(UP, disarmed=True)
    late = states.expired(INSTALLING, Now("x", "boot-1", 1e6), 3600)
    assert states.disarmed(late, LATER).token == ""


def test_only_the_first_start_of_an_installed_machine_is_awaited() -> None:
    words = ("begun", "installed", "failed", "up")
    awaited = {state.state: [word for word in words if states.awaits(state, word)] for state in EVERY[:3]}
    assert awaited == {"armed": ["begun", "installed", "failed"], "installing": [*words], "installed": ["up"]}


def test_who_is_up_has_told_its_address_and_keys_once_and_is_installed_whatever_came_before() -> None:
    keys = ("ssh-ed25519 AAAA",)
    late = states.expired(INSTALLING, Now("x", "boot-1", 1e6), 3600)
    for before in (INSTALLED, INSTALLING, late, replace(INSTALLED, disarmed=True)):
        after = states.up(before, replace(ONCE, name="nuc9"), LATER, "10.0.0.7", keys)
        assert (after.state, after.since, after.name) == ("up", LATER.wall, "nuc9")
        assert (after.address, after.host_keys, after.token) == ("10.0.0.7", keys, "")
        assert after.disarmed == before.disarmed
        assert (after.is_armed, after.serves_seeds, after.clock) == (False, False, None)


def test_what_a_machine_told_of_itself_goes_with_its_system() -> None:
    assert states.published(UP, replace(ONCE, name="nuc9"), LATER, NEW) == replace(UP, name="nuc9")
    for after in (
        states.armed(UP, LATER, NEW, "", wipe=True),
        states.published(UP, ALWAYS, LATER, NEW),
        states.damaged(ONCE, LATER, "x"),
    ):
        assert (after.address, after.host_keys) == ("", ())


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
        json.dumps({**GOOD, "wipe": 1}),
        json.dumps({**GOOD, "more": 1}),
        json.dumps({**GOOD, "address": None}),
        json.dumps({**GOOD, "host_keys": None}),
        json.dumps({**GOOD, "host_keys": [1]}),
        json.dumps({**GOOD, "host_keys": "ssh"}),
        json.dumps({**GOOD, "host_keys": {"a": ["b"]}}),
    ],
)
def test_what_is_no_state_is_seen(text: str) -> None:
    with pytest.raises(DamagedError):
        states.parse(text)
    assert states.damaged(ONCE, NOW, "/x").state == "failed"


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_a_state_or_damaged(text: str) -> None:
    try:
        states.parse(text)
    except DamagedError:
        return
