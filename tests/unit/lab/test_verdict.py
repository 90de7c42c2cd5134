# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a boot pass on a good one, and each fails on the fault that it is for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab import verdict
from tests.lab.story import Line, Story
from tests.unit.lab.recordings import BOOT_BYTES, ISO, ISO_BYTES, MACS, lines, story

Change = Callable[[str], list[str]]


def changed(machine: str, change: Change) -> Story:
    """The machine's story when the logs had been different: change makes any number of lines of each."""
    return story(
        machine, [Line(old.when, old.source, new) for old in lines(machine) for new in change(old.text)]
    )


def installed(told: Story) -> list[str]:
    """The verdict on an installation."""
    return verdict.installed(told, ISO, ISO_BYTES, BOOT_BYTES)


def drop(part: str) -> Change:
    """Lines that contain the part were never logged."""
    return lambda text: [] if part in text else [text]


def double(part: str) -> Change:
    """Lines that contain the part were logged twice."""
    return lambda text: [text, text] if part in text else [text]


def swap(old: str, new: str) -> Change:
    """The logs say something else."""
    return lambda text: [text.replace(old, new)]


def test_a_good_installation_has_no_fault() -> None:
    told = story("nuc1")
    assert installed(told) == []
    assert verdict.by_http(told) == []
    assert verdict.searched(told, "01-f4-4d-30-60-64-69") == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (drop("LAB done"), "did not get to the end"),
        (double("jammy.iso HTTP"), "fetched 2 times"),
        (double("jammy.iso HTTP"), "bytes fetched, more than"),
        (swap('jammy.iso HTTP/1.1" 200', 'jammy.iso HTTP/1.1" 206'), "instead of once"),
        (drop("/vendor-data"), "vendor-data: answered with nothing"),
        (swap('vendor-data HTTP/1.1" 200', 'vendor-data HTTP/1.1" 404'), "vendor-data: answered with [404]"),
    ],
)
def test_faults_of_an_installation(change: Change, fault: str) -> None:
    assert any(fault in text for text in installed(changed("nuc1", change)))


def test_kernel_by_http_is_not_kernel_by_tftp() -> None:
    assert len(verdict.by_tftp(story("nuc1"))) == 3
    told = changed("nuc1", drop("/images/jammy/initrd"))
    assert verdict.by_http(told) == ["initrd did not come by HTTP"]
    assert verdict.by_http(changed("nuc1", swap("lpxelinux.0", "pxelinux.0")))


def test_a_stranger_is_left_alone() -> None:
    assert verdict.left_alone(story("stranger")) == []
    assert verdict.searched(story("stranger"), "default") == []


def test_a_stranger_that_is_installed_is_a_fault() -> None:
    assert len(verdict.left_alone(story("nuc1"))) > 3


@pytest.mark.parametrize("gone", ["cfg/58b41815", "cfg/01-52", "cfg/C0A80 ", "cfg/default"])
def test_a_gap_in_the_search_is_a_fault(gone: str) -> None:
    assert verdict.searched(changed("stranger", drop(gone)), "default")


def test_a_request_that_was_repeated_is_no_fault() -> None:
    assert verdict.searched(changed("stranger", double("cfg/C0A80 ")), "default") == []
    assert verdict.searched(changed("stranger", double("cfg/default")), "default") == []


def test_the_search_ends_where_something_was_found() -> None:
    assert verdict.searched(story("nuc1"), "default")


def test_classic_search() -> None:
    names = verdict.classic_search(MACS["nuc1"], "192.168.1.14")
    assert names[:3] == ["01-f4-4d-30-60-64-69", "C0A8010E", "C0A8010"]
    assert names[-3:] == ["C0", "C", "default"]
