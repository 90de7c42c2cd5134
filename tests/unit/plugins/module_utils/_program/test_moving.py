# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine goes from one server to another, on the real file system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import moving
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import load
from ansible_collections.homelab.netboot.plugins.module_utils._program.publication import preview
from ansible_collections.homelab.netboot.tests.unit.killed import killed
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box


class Two:
    """Servers a and b; nuc1 is at a."""

    def __init__(self, top: Path) -> None:
        self.a, self.b = Box(top / "a"), Box(top / "b")
        self.a.plan(nuc1="once")
        self.b.plan(nuc1="once")
        self.a.do("publish")
        self.mac = self.a.macs["nuc1"]

    def give(self, to: str = "b") -> dict[str, Any]:
        with self.a.server() as server:
            server.give({self.mac: to})
        return moving.known_here(str(self.a.state), [self.mac])

    def take(self, *known: dict[str, Any], box: Box | None = None, server: str = "b") -> None:
        box = box or self.b
        merged = {self.mac: [one[self.mac] for one in known if self.mac in one]}
        machines = list(load(str(box.state / "plan")).machines.values())
        coming = moving.foretold(str(box.state), merged, server)
        foretold = preview(box.settings, {one.mac: one for one in machines}, lambda text: None, coming)
        with box.server() as at:
            at.take(machines, merged, server)
        box.do("publish")
        with box.server() as at:
            assert at.armed() == foretold, "what a check run says, and what is done then"


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def test_what_was_given_is_offered_no_more_whatever_comes(two: Two) -> None:
    token = two.a.of("nuc1").token
    two.give()
    for step in (
        lambda: two.a.do("publish"),
        lambda: two.a.fetch("nuc1", token),
        lambda: two.a.report("nuc1", "begun", token),
    ):
        step()
        assert two.a.boots_disk("nuc1")
        assert two.a.of("nuc1").given == "b"


def test_no_token_goes_to_another_server(two: Two) -> None:
    assert two.a.of("nuc1").token not in str(two.give())


def test_who_was_armed_is_armed_once(two: Two) -> None:
    two.take(two.give())
    assert two.b.of("nuc1").state == "armed"
    assert not two.b.of("nuc1").wipe, "nobody has said so of this arming"
    assert two.a.boots_disk("nuc1")


def test_a_persons_word_that_disks_may_be_wiped_does_not_move(two: Two) -> None:
    two.a.do("arm", "nuc1")
    two.take(two.give())
    assert (two.b.of("nuc1").state, two.b.of("nuc1").wipe, two.b.of("nuc1").by_hand) == (
        "armed",
        False,
        False,
    )


@pytest.mark.parametrize("word", ["installed", "failed"])
def test_who_was_installed_is_not_again(two: Two, word: str) -> None:
    two.a.fetch("nuc1")
    two.a.report("nuc1", word)
    two.take(two.give())
    assert two.b.of("nuc1").state == word
    assert two.b.boots_disk("nuc1")


def test_who_installs_is_not_given(two: Two) -> None:
    two.a.fetch("nuc1")
    assert two.give()[two.mac]["given"] == ""
    assert two.a.seeds("nuc1")


def test_disarmed_stays_disarmed(two: Two) -> None:
    two.a.do("disarm", "nuc1")
    two.take(two.give())
    assert (two.b.of("nuc1").state, two.b.of("nuc1").disarmed) == ("local", True)


def test_what_is_known_here_counts(two: Two) -> None:
    known = two.give()
    two.take(known)
    two.b.fetch("nuc1")
    two.b.report("nuc1")
    two.take(known)
    assert two.b.of("nuc1").state == "installed"


def test_there_and_back_again(two: Two) -> None:
    two.take(two.give())
    two.b.fetch("nuc1")
    two.b.report("nuc1")
    with two.b.server() as server:
        server.give({two.mac: "a"})
    two.take(moving.known_here(str(two.b.state), [two.mac]), box=two.a, server="a")
    assert (two.a.of("nuc1").state, two.a.of("nuc1").given) == ("installed", "")
    assert two.a.boots_disk("nuc1")


def test_back_from_a_server_that_is_lost(two: Two) -> None:
    two.give()
    two.take(box=two.a, server="a")
    assert two.a.of("nuc1").state == "local"
    assert two.a.of("nuc1").reason.startswith("what b knew of it is lost")


def test_a_third_server_believes_no_word_that_was_meant_for_another(two: Two) -> None:
    """server b may have installed it since, and is gone."""
    two.take(two.give("b"), server="c")
    assert two.b.of("nuc1").state == "local"
    assert "lost" in two.b.of("nuc1").reason


def test_the_word_of_its_server_counts(two: Two) -> None:
    stale = two.give()
    live = {two.mac: {**stale[two.mac], "state": "up", "given": "", "since": "", "address": "192.168.1.77"}}
    two.take(stale, live)
    assert (two.b.of("nuc1").state, two.b.of("nuc1").address) == ("up", "192.168.1.77")


def test_a_machine_that_nobody_knows_is_armed_as_any_new_one(two: Two) -> None:
    two.take({})
    assert two.b.of("nuc1").state == "armed"


def test_what_was_given_stays_given_whatever_is_told_or_planned(two: Two) -> None:
    two.a.fetch("nuc1")
    two.a.report("nuc1")
    two.give()
    two.a.report("nuc1", "up.192.168.1.77")
    assert (two.a.of("nuc1").state, two.a.of("nuc1").given) == ("up", "b")
    two.a.plan(nuc1="always")
    two.a.do("publish")
    assert (two.a.of("nuc1").state, two.a.of("nuc1").given) == ("up", "b")


def offers(two: Two) -> list[Box]:
    """The servers that would have the machine installed: an entry leads to the installer, and its seeds are there."""
    return [
        box
        for box in (two.a, two.b)
        if (box.root / "tftp/pxelinux.cfg/01-nuc1").exists()
        and "seed=" in box.entry("01-nuc1")
        and box.seeds("nuc1")
    ]


def armed(two: Two) -> None:
    """As it is."""


def installed(two: Two) -> None:
    two.a.fetch("nuc1")
    two.a.report("nuc1")


def give(two: Two) -> Callable[[], object]:
    return two.give


def take(two: Two) -> Callable[[], object]:
    known = two.give()
    return lambda: two.take(known)


@pytest.mark.parametrize(
    ("before", "switched_on"),
    [(armed, False), (armed, True), (installed, False)],
    ids=["armed", "armed_and_switched_on", "installed"],
)
@pytest.mark.parametrize(("step", "stride"), [(give, 1), (take, 3)])  # taking makes some 80 changes
def test_a_move_that_is_killed_anywhere_is_completed_by_the_next(
    tmp_path: Path,
    before: Callable[[Two], None],
    step: Callable[[Two], Callable[[], object]],
    stride: int,
    switched_on: bool,
) -> None:
    """At no moment do two servers offer it; it is installed once, and afterwards the new server alone has it."""
    number, installations = 0, []
    while True:
        two = Two(tmp_path / str(number))
        before(two)
        was_killed = killed(number, step(two))
        at = offers(two)
        assert len(at) <= (before is armed), f"killed before change {number}"
        if switched_on and at:
            at[0].fetch("nuc1")
            at[0].report("nuc1")
            installations.append(number)
        two.take(two.give())
        done = before is installed or (switched_on and at)
        assert two.b.of("nuc1").state == ("installed" if done else "armed"), f"killed before change {number}"
        assert two.a.of("nuc1").given == "b"
        assert offers(two) == ([] if done else [two.b])
        if not was_killed:
            break
        number += stride
    assert number > 5, "it was killed at some points at least"
    assert bool(installations) == (switched_on and before is armed)
