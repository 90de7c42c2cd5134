# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed out, decided from plan and states alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import served
from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    RECEIPT,
    SEED_FILES,
    SEEDS,
    TOKEN,
    WIPE,
)
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import Own, Plan
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Clock, Machine, State

OWN = Own(
    {"tftp/pxelinux.cfg/01-aa": f"install {TOKEN}".encode(), "http/boot/aa.ipxe": TOKEN.encode()},
    {file: f"{file} {TOKEN}".encode() for file in SEED_FILES},
)
DEFAULT = "tftp/pxelinux.cfg/default"
PLAN = Plan(
    "/nowhere",
    {"nuc1": Machine("nuc1", "aa")},
    {"tftp/pxelinux.cfg": b"disk"},
    {"tftp/pxelinux.cfg/default": b"unknown: disk"},
)
ARMED = State("aa", "nuc1", "armed", token="1" * 32)
INSTALLING = replace(ARMED, state="installing", clock=Clock("boot", 0.0))
PLACE = f"{SEEDS}/nuc1/{ARMED.token}/"
BIOS, IPXE = "tftp/pxelinux.cfg/01-aa", "http/boot/aa.ipxe"


def test_an_armed_machine_finds_its_entries_and_seeds_with_its_token_and_their_successors_lie_ready() -> None:
    found = served.of_machine(PLAN, OWN, ARMED, {})
    assert list(found.entries.items()) == [
        ("tftp/pxelinux.cfg/.resting-01-aa", b"disk"),
        (BIOS, b"install " + b"1" * 32),
        (IPXE, b"1" * 32),
    ]
    assert found.seeds == {PLACE + file: f"{file} {ARMED.token}".encode() for file in SEED_FILES}
    assert (found.absent, found.kept, found.receipts) == (frozenset(), frozenset(), {})


@pytest.mark.parametrize("word", ["", "local", "failed", "installed", "installing"])
def test_any_other_boots_its_disk_where_that_needs_an_entry_and_finds_none_elsewhere(word: str) -> None:
    state = replace(INSTALLING, state=word) if word else None
    found = served.of_machine(PLAN, OWN, state, {}, {"http/boot/of-old"})
    assert found.rests == {BIOS: b"disk"}
    assert found.absent == {IPXE, *map(served.prepared, (BIOS, IPXE)), "http/boot/of-old"}
    assert found.entries == {}


def test_whether_disks_may_be_wiped_is_the_armings() -> None:
    own = Own(OWN.boot, {"user-data": f"may wipe: {WIPE}".encode()})
    for wipe, word in ((False, b"blank"), (True, b"always")):
        found = served.of_machine(PLAN, own, replace(ARMED, wipe=wipe), {})
        assert found.seeds == {PLACE + "user-data": b"may wipe: " + word}


def test_an_installer_that_runs_goes_on_with_the_seeds_it_began_with_and_has_a_receipt() -> None:
    there = served.by_place(
        [PLACE + "user-data", PLACE + "of-an-older-plan", f"{SEEDS}/nuc1/{'2' * 32}/user-data"]
    )
    for own in (OWN, Own()):  # also when it has left the inventory, or has another name now
        found = served.of_machine(PLAN, own, INSTALLING, there)
        assert found.kept == {PLACE + "user-data", PLACE + "of-an-older-plan"}
        assert set(found.seeds) == {PLACE + file for file in own.seed if file != "user-data"}
        assert set(found.receipts) == {PLACE + RECEIPT}


def test_whatever_boots_has_its_receipt_from_the_start() -> None:
    found = served.of_machine(PLAN, OWN, replace(ARMED, mac="any"), {})
    assert set(found.receipts) == {PLACE + RECEIPT}


def test_an_armed_machine_goes_before_what_is_there_for_everybody() -> None:
    own = Own({DEFAULT: b"install"}, OWN.seed)
    armed = served.of_machine(PLAN, own, ARMED, {})
    assert armed.entries == {served.prepared(DEFAULT): b"unknown: disk", DEFAULT: b"install"}
    assert served.of_strangers(PLAN, [armed], ()).entries == {}
    local = served.of_machine(PLAN, own, None, {})
    assert local.rests == {DEFAULT: b"unknown: disk"}


def test_entries_of_earlier_times_go_unless_they_are_wanted_again() -> None:
    part = served.of_machine(PLAN, OWN, None, {})
    found = served.of_strangers(PLAN, [part], {BIOS, IPXE, "http/boot/gone"})
    assert found.absent == {IPXE, "http/boot/gone"}
    assert found.entries == {DEFAULT: b"unknown: disk"}


def test_without_a_plan_nobody_but_the_armed_is_offered_anything() -> None:
    plan = Plan("/nowhere", is_unreadable=True)
    there = {PLACE: {PLACE + "user-data"}}
    armed = served.of_machine(plan, Own(), ARMED, there, {BIOS})
    assert armed == served.Served(kept=frozenset(there[PLACE]))
    installing = served.of_machine(plan, Own(), INSTALLING, there, {BIOS})
    assert installing.blind == {BIOS}
    assert installing.kept == there[PLACE]
    assert set(installing.receipts) == {PLACE + RECEIPT}
    assert served.of_machine(plan, Own(), None, there, {BIOS}) == served.Served(blind=frozenset({BIOS}))


def test_a_plan_that_is_not_whole_says_what_it_lacks() -> None:
    assert served.missing_parts(PLAN, OWN) == []
    lacking = Own({}, {"user-data": b"content: '@guard.py@'\n"})
    assert served.missing_parts(PLAN, lacking) == ["boot entries", *SEED_FILES[1:], "guard.py"]
    whole = replace(PLAN, programs={b"'@guard.py@'": b"|\n    text"})
    assert served.missing_parts(whole, lacking) == ["boot entries", *SEED_FILES[1:]]
