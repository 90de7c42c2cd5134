# SPDX-License-Identifier: GPL-3.0-or-later
"""Each machine has an address of its own where the server gives them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import reserved

LAB: dict[str, Any] = {"name": "lab", "dhcp": {"first": "10.0.0.100", "last": "10.0.0.199"}}
HOUSE: dict[str, Any] = {"name": "house", "dhcp": {}}


def machines(number: int, network: str = "lab") -> list[dict[str, Any]]:
    return [{"mac": f"52:54:00:00:00:{one:02x}", "network_name": network} for one in range(number)]


def kept(named: list[dict[str, Any]], *networks: dict[str, Any]) -> dict[str, str]:
    pairs = [line.removeprefix("dhcp-host=").split(",") for line in reserved.lines(named, networks)]
    assert len({mac for mac, _address in pairs}) == len(pairs)
    return {pair[0]: pair[1] for pair in pairs}


def test_no_two_are_offered_the_same_address() -> None:
    found = kept(machines(100), LAB, HOUSE)
    assert len(found) == len(set(found.values())) == 100
    assert min(map(IPv4Address, found.values())) == IPv4Address("10.0.0.100")
    assert max(map(IPv4Address, found.values())) == IPv4Address("10.0.0.199")


def test_more_machines_than_addresses_share_what_is_left() -> None:
    assert len(kept(machines(120), LAB)) == 100


def test_an_address_does_not_hang_on_the_order_and_seldom_on_the_others() -> None:
    few, more = kept(machines(20), LAB), kept(machines(21)[::-1], LAB)
    assert kept(machines(20)[::-1], LAB) == few
    assert sum(more[mac] != address for mac, address in few.items()) <= 1


def test_only_who_boots_there_has_one() -> None:
    others = [*machines(3, "house"), {"mac": "any", "network_name": "lab"}]
    assert kept(others, LAB, HOUSE) == {}
    assert len(kept([{"mac": "52:54:00:00:00:01"}], LAB)) == 1, "the only network need not be named"
