# SPDX-License-Identifier: GPL-3.0-or-later
"""The router keeps an address for each machine of a run."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.lab import lan
from tests.lab.common import LabError


@pytest.fixture(name="network")
def _network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> lan.Lan:
    monkeypatch.setattr(lan, "BUILD", tmp_path)
    made = lan.Lan("test", IPv4Network("192.168.111.0/24"))
    lan.machines_of(made).mkdir(parents=True)
    return made


def test_each_machine_has_its_own_and_keeps_it(network: lan.Lan) -> None:
    first, second = "52:54:00:12:34:41", "52:54:00:12:34:42"
    assert [lan.reserve(network, mac) for mac in (first, second, first)] == [
        "192.168.111.100",
        "192.168.111.101",
        "192.168.111.100",
    ]
    third = lan.reserve(network, "52:54:00:12:34:43", "boot-file")
    file = lan.machines_of(network) / "52-54-00-12-34-43"
    assert file.read_text() == f"52:54:00:12:34:43,set:boot-file,{third}\n"


def test_more_machines_than_addresses(network: lan.Lan) -> None:
    macs = [f"52:54:00:12:36:{number:02x}" for number in range(101)]
    assert len({lan.reserve(network, mac) for mac in macs[:100]}) == 100
    with pytest.raises(LabError, match="more than 100 machines"):
        lan.reserve(network, macs[100])


def test_no_two_networks_of_a_server_overlap() -> None:
    """A server has all of them, one after the other: a way to the one would lead machines of the other astray."""
    first = "192.168.1.0/24"
    all_of_them = [IPv4Network(text) for text in (first, lan.RELAYED, lan.SECOND, lan.ALONE, lan.CACHED)]
    assert not [
        (one, other)
        for number, one in enumerate(all_of_them)
        for other in all_of_them[number + 1 :]
        if one.overlaps(other)
    ]
