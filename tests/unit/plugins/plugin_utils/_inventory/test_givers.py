# SPDX-License-Identifier: GPL-3.0-or-later
"""Of several servers one gives the addresses of a network."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.filter.stranger_faults import stranger_faults
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import givers

SERVERS = ["server1", "server2"]
DHCP = {"first": "10.0.0.100", "last": "10.0.0.199"}


def looked(name: str, network: str = "10.0.0.0/24", **dhcp: str) -> dict[str, Any]:
    return {"netboot_result": {"networks": [{"name": name, "network": network, "dhcp": dhcp}]}}


def said(name: str, **dhcp: str) -> dict[str, Any]:
    return {"netboot_networks": [{"name": name, "interface": "eno1", "dhcp": dhcp}]}


@pytest.mark.parametrize(
    ("one", "two", "is_refused"),
    [
        (looked("lab", **DHCP), looked("lab", **DHCP), True),
        (looked("lab", **DHCP), looked("", **DHCP), True),
        (looked("lab", **DHCP), said("lab", **DHCP), True),
        (looked("berlin", **DHCP), looked("rome", **DHCP), False),
        (looked("lab", **DHCP), looked("lab"), False),
        (looked("lab"), looked("lab", **DHCP), False),
        (looked("lab", **DHCP), looked("lab", "10.0.1.0/24", **DHCP), False),
        (looked("lab", **DHCP), said("lab", first="10.0.1.100", last="10.0.1.199"), False),
        (looked("lab", **DHCP), {"netboot_networks": "lab"}, False),
        (looked("lab", **DHCP), {}, False),
    ],
)
def test_two_that_give_addresses_in_one_network_are_refused(
    one: dict[str, Any], two: dict[str, Any], is_refused: bool
) -> None:
    hostvars = {"server1": one, "server2": two}
    found = givers.faults("server1", SERVERS, hostvars)
    assert [fault.partition(" (")[0] for fault in found] == [
        "server1 and server2: netboot_networks: dhcp: both give addresses in networks that may be one"
    ] * is_refused
    assert stranger_faults([], hostvars, SERVERS, "server1", False) == found
    assert givers.faults("server1", ["server1"], hostvars) == []
