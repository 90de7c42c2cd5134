# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed out, decided from plan and states alone."""

from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import served
from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    SEED_FILES,
    SEEDS,
    TOKEN,
)
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import Own, Plan
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Clock, Machine, State

OWN = Own(
    {"tftp/pxelinux.cfg/01-aa": f"install {TOKEN}".encode(), "http/boot/aa.ipxe": TOKEN.encode()},
    {file: f"{file} {TOKEN}".encode() for file in SEED_FILES},
)
PLAN = Plan(
    "/nowhere",
    {"nuc1": Machine("nuc1", "aa")},
    {"tftp/pxelinux.cfg": b"disk"},
    {"tftp/pxelinux.cfg/default": b"unknown: disk"},
)
ARMED = State("armed", token="1" * 32)
INSTALLING = State("installing", token="1" * 32, clock=Clock("boot", 0.0))
PLACE = f"{SEEDS}/nuc1/{ARMED.token}/"


def test_an_armed_machine_finds_its_entries_and_seeds_with_its_token() -> None:
    found = served.of_machine(PLAN, "nuc1", OWN, ARMED, set())
    assert found.entries == {
        "tftp/pxelinux.cfg/01-aa": b"install " + b"1" * 32,
        "http/boot/aa.ipxe": b"1" * 32,
    }
    assert found.seeds == {PLACE + file: f"{file} {ARMED.token}".encode() for file in SEED_FILES}
    assert (found.absent, found.kept) == (frozenset(), frozenset())


@pytest.mark.parametrize("state", [None, State(), State("failed"), State("installed"), INSTALLING])
def test_any_other_boots_its_disk_where_that_needs_an_entry_and_finds_none_elsewhere(
    state: State | None,
) -> None:
    found = served.of_machine(PLAN, "nuc1", OWN, state, set())
    assert found.entries == {"tftp/pxelinux.cfg/01-aa": b"disk"}
    assert found.absent == {"http/boot/aa.ipxe"}


def test_an_installer_that_runs_goes_on_with_the_seeds_it_began_with() -> None:
    there = {PLACE + "user-data", PLACE + "of-an-older-plan", f"{SEEDS}/nuc1/{'2' * 32}/user-data"}
    found = served.of_machine(PLAN, "nuc1", OWN, INSTALLING, there)
    assert found.kept == {PLACE + "user-data", PLACE + "of-an-older-plan"}
    assert set(found.seeds) == {PLACE + file for file in SEED_FILES if file != "user-data"}


def test_a_machine_that_left_the_plan_finds_nothing() -> None:
    there = {f"{SEEDS}/old/{ARMED.token}/user-data"}
    assert served.of_machine(PLAN, "old", Own(), INSTALLING, there) == served.Served()


def test_an_armed_machine_goes_before_what_is_there_for_everybody() -> None:
    own = Own({"tftp/pxelinux.cfg/default": b"install"}, OWN.seed)
    for state, text in ((ARMED, b"install"), (None, b"unknown: disk")):
        part = served.of_machine(PLAN, "any", own, state, set())
        assert served.of_all(PLAN, [part], set()).entries == {"tftp/pxelinux.cfg/default": text}


def test_entries_of_earlier_times_go_unless_they_are_wanted_again() -> None:
    part = served.of_machine(PLAN, "nuc1", OWN, None, set())
    found = served.of_all(PLAN, [part], {"tftp/pxelinux.cfg/01-aa", "http/boot/aa.ipxe", "http/boot/gone"})
    assert found.absent == {"http/boot/aa.ipxe", "http/boot/gone"}
    assert set(found.entries) == {"tftp/pxelinux.cfg/01-aa", "tftp/pxelinux.cfg/default"}


def test_a_plan_that_is_not_whole_says_what_it_lacks() -> None:
    assert served.missing_parts(OWN) == []
    assert served.missing_parts(Own({}, {"user-data": b""})) == ["boot entries", *SEED_FILES[1:]]
