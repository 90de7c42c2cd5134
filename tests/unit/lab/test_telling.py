# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps become sentences, in the order of their times."""

from __future__ import annotations

import pytest

from tests.lab.story import Step
from tests.lab.telling import Teller, changes, human, sentence
from tests.unit.lab.recordings import story

FOREVER = float("inf")


def test_a_whole_boot_is_told_in_order() -> None:
    teller = Teller("nuc1")
    for step in story("nuc1").steps:
        teller.add(step)
    told = list(teller.ready(FOREVER))
    assert [line.when for line in told] == sorted(line.when for line in told)
    text = "\n".join(line.what for line in told)
    for part in (
        "offer",
        "lpxelinux.0",
        "no 58b41815",
        "(the ISO)",
        "user-data",
        "Linux 6.1",
        "it restarts",
    ):
        assert part in text


@pytest.mark.parametrize("machine", ["uefi-pxe", "uefi-http"])
def test_a_uefi_boot_is_told_without_alarm(machine: str) -> None:
    told = [sentence(step, "pc") for step in story(machine).steps if step.kind != "missing"]
    text = "\n".join(line.what for line in told if line)
    for part in (
        "efi/shimx64.efi (shim",
        "efi/grubx64.efi (GRUB)",
        ".cfg (its configuration)",
        "says the kernel",
    ):
        assert part in text
    assert not [line.what for line in told if line and line.mood == "bad"]


def test_a_refused_kernel_is_told() -> None:
    told = sentence(Step(1, "said", "machine", "refused why=bad shim signature"), "pc")
    assert told is not None
    assert (told.what, told.mood) == ("does not start this kernel: bad shim signature", "bad")


def test_a_step_waits_for_earlier_ones() -> None:
    teller = Teller("pc")
    teller.add(Step(5.0, "loader", "server", "b"))
    assert list(teller.ready(5.5)) == []
    teller.add(Step(4.9, "loader", "server", "a"))
    assert [line.what[-1] for line in teller.ready(6.0)] == ["a", "b"]


def test_files_that_are_missing_share_a_line() -> None:
    teller = Teller("pc")
    for number, name in enumerate("vwxyz"):
        teller.add(Step(number, "missing", "server", f"pxelinux.cfg/{name}"))
    assert [line.what for line in teller.ready(FOREVER)] == ["TFTP pxelinux.cfg/: no v, w, x, …, z"]


def test_an_answer_other_than_200_is_shown_as_bad() -> None:
    told = sentence(Step(1, "http", "server", "/machines/pc/vendor-data", 153, 404), "pc")
    assert told is not None
    assert told.mood == "bad"
    assert "answered 404" in told.what


@pytest.mark.parametrize(
    ("step", "text", "mood"),
    [
        (Step(1, "http", "server", "/reports/pc.-.installed", 0, 201), "PUT report: I am installed", "good"),
        (Step(1, "http", "server", "/reports/pc.-.failed", 0, 503), "failed, answered 503", "bad"),
        (Step(1, "disk", "machine", "LOCAL DISK BOOTED system=ab12cd34"), "system ab12cd34", "good"),
        (Step(1, "disk", "machine", "LOCAL DISK BOOTED"), "nothing was installed", "good"),
        (
            Step(1, "said", "machine", "install disk=sda bytes=9 system=ab12cd34"),
            "writes system ab12cd34",
            "plain",
        ),
    ],
)
def test_what_became_of_an_installation_is_told(step: Step, text: str, mood: str) -> None:
    told = sentence(step, "pc")
    assert told is not None
    assert text in told.what
    assert told.mood == mood


def test_a_failure_says_why() -> None:
    told = sentence(Step(1, "said", "machine", "failed why=no DHCP lease"), "pc")
    assert told is not None
    assert (told.what, told.mood) == ("failed: no DHCP lease", "bad")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (75072, "75.1 kB"),
        (119524, "120 kB"),
        (35031040, "35.0 MB"),
        (2 * 10**12, "2000 GB"),
    ],
)
def test_human(size: int, text: str) -> None:
    assert human(size) == text


def test_changes_are_read_from_the_inventory() -> None:
    text = "a:\n  b: 1 # CHANGE (1 of 2): its address\n# CHANGE (2 of 2) who may log in\n# more\nc: 2\n"
    assert changes(text) == [("b: 1", "its address"), ("c: 2", "who may log in")]
