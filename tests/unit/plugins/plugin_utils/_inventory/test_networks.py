# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines, networks, settings

LAB = {"name": "lab", "interface": "eno1.20"}
OFFICE = {"name": "office", "address": "192.168.1.50", "port": 8080}
ATTIC = ["192.168.30.0/24"]
DHCP = {"first": "10.0.20.100", "last": "10.0.20.199"}


def test_each_network_is_read_with_what_it_says() -> None:
    found = networks.wanted({"netboot_networks": [LAB, OFFICE], "netboot_http_port": "81"})
    assert found == [
        {"name": "lab", "interface": "eno1.20", "address": "", "port": 81, "relayed": [], "dhcp": {}},
        {
            "name": "office",
            "interface": "",
            "address": "192.168.1.50",
            "port": 8080,
            "relayed": [],
            "dhcp": {},
        },
    ]


def test_the_short_form_is_one_network() -> None:
    short = {"netboot_networks": [], "netboot_address": "10.0.0.1", "netboot_network_name": "home"}
    rest = {"interface": "", "port": 80, "relayed": [], "dhcp": {}}
    assert networks.wanted(short) == [{**rest, "name": "home", "address": "10.0.0.1"}]
    assert networks.wanted({}) == [{**rest, "name": "", "address": ""}]
    assert networks.faults(short) == []


@pytest.mark.parametrize(
    "listed",
    [
        [LAB, OFFICE],
        [{"interface": "eno1"}],
        [{**LAB, "name": 20, "port": "80"}],
        [{**LAB, "relayed": ATTIC}],
        [{**LAB, "dhcp": {**DHCP, "router": "10.0.20.1", "dns": ["10.0.20.1"], "lease": "45m"}}, OFFICE],
        [{**LAB, "dhcp": ""}],
    ],
    ids=["two", "one-unnamed", "numbers", "relayed", "dhcp", "no-dhcp"],
)
def test_what_can_be_used_has_no_fault(listed: Any) -> None:
    assert settings.faults({"netboot_networks": listed, "netboot_http_port": 80}) == []


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("lab", ["netboot_networks: must be a list"]),
        (LAB, ["netboot_networks: must be a list"]),
        (7, ["netboot_networks: must be a list"]),
        (["lab"], ["netboot_networks: network 1: must be a mapping"]),
        ([{**LAB, "adress": "x"}], ["netboot_networks: lab: there is no 'adress'; did you mean address?"]),
        ([{"name": "lab"}], ["netboot_networks: lab: has neither interface nor address"]),
        ([LAB, {"address": "10.0.0.1"}], ["netboot_networks: network 2: has no name; give it one"]),
        ([{**LAB, "name": "a b"}], ["netboot_networks: network 1: name: cannot be used"]),
        ([{**LAB, "interface": "a/b"}], ["netboot_networks: lab: interface: cannot be used"]),
        ([{**OFFICE, "address": "10.0.0.0/8"}], ["office: address: '10.0.0.0/8' is no IPv4 address"]),
        ([{**LAB, "port": 70000}], ["netboot_networks: lab: port: '70000' cannot be used"]),
        ([LAB, {**OFFICE, "name": "lab"}], ["netboot_networks: two have the name lab; "]),
        ([LAB, {**LAB, "name": "x"}], ["netboot_networks: two have the interface eno1.20; "]),
        ([OFFICE, {**OFFICE, "name": "x"}], ["netboot_networks: two have the address 192.168.1.50; "]),
        ([{**LAB, "relayed": "192.168.30.0/24"}], ["lab: relayed: must be a list; write a list of networks"]),
        (
            [{**LAB, "relayed": ["192.168.30.1/24"]}],
            ["lab: relayed: 192.168.30.1/24 has host bits set; write"],
        ),
        ([{**LAB, "relayed": [*ATTIC, "10.0.0.1", None]}], ["'10.0.0.1' has no room", "relayed: Expected 4"]),
        ([{"port": 0.5}], ["network 1: has neither", "network 1: port: '0.5' cannot be used"]),
    ],
)
def test_what_cannot_be_used_is_named(listed: Any, told: list[str]) -> None:
    faults = settings.faults({"netboot_networks": listed})
    assert len(faults) == len(told)
    assert all(part in fault for part, fault in zip(told, faults, strict=True))


@pytest.mark.parametrize("variable", ["netboot_address", "netboot_interface", "netboot_network_name"])
def test_the_short_form_does_not_go_with_the_list(variable: str) -> None:
    [fault] = networks.faults({"netboot_networks": [LAB], variable: "eno1"})
    assert fault == (
        f"{variable}: does not go with netboot_networks, which says it of each network; take it out, or set it to ''"
    )
    assert networks.faults({"netboot_networks": [LAB], variable: ""}) == []


def test_what_a_network_gives_is_read_with_what_is_not_said() -> None:
    [found] = networks.wanted({"netboot_networks": [{**LAB, "dhcp": {**DHCP, "lease": None}}]})
    assert found["dhcp"] == {**DHCP, "router": "", "dns": [], "lease": "12h"}


@pytest.mark.parametrize(
    ("dhcp", "told"),
    [
        (True, ["dhcp: must be a mapping; write a mapping such as {first: "]),
        ({}, ["dhcp: must be a mapping"]),
        ("10.0.20.100-10.0.20.199", ["dhcp: must be a mapping"]),
        (
            {"frist": "10.0.20.100", "last": "10.0.20.199"},
            ["no 'frist'; did you mean first?", "has no first"],
        ),
        ({"first": "10.0.20.100"}, ["dhcp: has no last; write"]),
        ({**DHCP, "first": "10.0.20"}, ["dhcp: first: '10.0.20' is no IPv4 address; write"]),
        ({**DHCP, "last": "fd00::9"}, ["dhcp: last: 'fd00::9' is no IPv4 address; write"]),
        ({**DHCP, "last": "10.0.20.9"}, ["dhcp: first (10.0.20.100) is behind last (10.0.20.9); write"]),
        ({**DHCP, "router": True}, ["dhcp: router: 'True' is no IPv4 address; write"]),
        ({**DHCP, "dns": "10.0.20.1"}, ["dhcp: dns: must be a list; write"]),
        ({**DHCP, "dns": 7}, ["dhcp: dns: must be a list; write"]),
        ({**DHCP, "dns": ["10.0.20.1", "dns.example"]}, ["dhcp: dns: 'dns.example' is no IPv4 address; wr"]),
        *[({**DHCP, "lease": one}, [f"dhcp: lease: '{one}' cannot"]) for one in (43200, "infinite", "1h 5m")],
    ],
)
def test_addresses_that_cannot_be_given_are_named(dhcp: Any, told: list[str]) -> None:
    faults = settings.faults({"netboot_networks": [{**LAB, "dhcp": dhcp}]})
    assert len(faults) == len(told)
    assert all(part in fault for part, fault in zip(told, faults, strict=True))


def test_addresses_are_given_on_an_interface_that_is_named_and_not_behind_relays() -> None:
    faults = settings.faults({"netboot_networks": [{**OFFICE, "dhcp": DHCP, "relayed": ATTIC}]})
    assert [fault.partition(";")[0] for fault in faults] == [
        "netboot_networks: office: dhcp: needs the interface, so that no other network gets these addresses",
        "netboot_networks: office: dhcp: does not go with relayed",
    ]


# --- in which of them a machine boots


def net(name: str) -> dict[str, str]:
    return {"name": name}


TWO, NAMED, UNNAMED = [net("lab"), net("office")], [net("lab")], [net("")]


@pytest.mark.parametrize(
    ("mac", "name", "there", "told"),
    [
        ("f4:4d:30:60:64:69", "lab", TWO, ["lab"]),
        ("f4:4d:30:60:64:69", "", NAMED, ["lab"]),
        ("f4:4d:30:60:64:69", "", UNNAMED, [""]),
        ("f4:4d:30:60:64:69", "", TWO, []),
        ("f4:4d:30:60:64:69", "rome", TWO, []),
        ("any", "", TWO, ["lab", "office"]),
        ("any", "office", TWO, ["office"]),
        ("any", "rome", NAMED, []),
    ],
)
def test_a_machine_boots_in_its_network(mac: str, name: str, there: list[Any], told: list[str]) -> None:
    found = networks.of({"mac": mac, "network_name": name}, there)
    assert [one["name"] for one in found] == told


@pytest.mark.parametrize(
    ("name", "there", "told"),
    [
        (
            "",
            TWO,
            "is missing, and the server has several networks; name the one that the machine boots in (lab, office)",
        ),
        ("offfice", TWO, "'offfice' is no network of the machine's server; did you mean office?"),
        (
            "lab",
            UNNAMED,
            "'lab' is no network of the machine's server; take it out, or give the server this ",
        ),
    ],
    ids=["missing", "unknown", "unnamed"],
)
def test_a_machine_in_no_network_is_refused(name: str, there: list[Any], told: str) -> None:
    both = [
        {"name": f"nuc{number}", "mac": f"f4:4d:30:60:64:6{number}", "network_name": name}
        for number in (1, 2)
    ]
    with pytest.raises(InputError) as caught:
        machines.normalise(both, there=there)
    [fault] = caught.value.faults
    assert fault.startswith(f"machines nuc1, nuc2: netboot_network_name: {told}")
    assert machines.normalise(both) != [], "where the networks are not known, nothing is compared"
