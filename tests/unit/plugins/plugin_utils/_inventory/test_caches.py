# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import caches, networks

CACHE = networks.CACHE
ROME = {"netboot_cache_address": "192.168.30.5/24", "netboot_network_name": "rome"}
OSLO = {"netboot_cache_address": "192.168.40.5/24", "netboot_network_name": "oslo"}
OWN = {
    "name": "",
    "interface": "eno1",
    "address": "192.168.1.50",
    "network": "192.168.1.0/24",
    "port": 8080,
    "relayed": ["192.168.60.0/24"],
}
LAB = {
    **OWN,
    "name": "lab",
    "interface": "lab0",
    "address": "10.0.0.1",
    "network": "10.0.0.0/24",
    "relayed": [],
}


def of(host: str = "berlin", servers: tuple[str, ...] = ("berlin",), **said: Any) -> list[dict[str, Any]]:
    """said: what the inventory says of each host. Those with a MAC address are machines."""
    hostvars = {**{name: {} for name in servers}, **said}
    machines = [name for name in said if "netboot_mac" in said[name]]
    names = [name for name in said if name not in (*machines, *servers) or CACHE in said[name]]
    return caches.of(caches.read(names, hostvars), servers, host, machines, hostvars)


def refused(**more: Any) -> str:
    with pytest.raises(InputError) as error:
        of(**more)
    return str(error.value)


def test_a_cache_is_what_the_inventory_says_of_it() -> None:
    assert of(pi=ROME) == [
        {
            "host": "pi",
            "name": "rome",
            "address": "192.168.30.5",
            "network": "192.168.30.0/24",
            "port": 80,
            "base_url": "http://192.168.30.5",
            "owner": "berlin",
        }
    ]
    (found,) = of(pi={**ROME, "netboot_http_port": 8080})
    assert found["base_url"] == "http://192.168.30.5:8080"


def test_each_server_has_its_own() -> None:
    said = {"pi": {**ROME, "netboot_server": "berlin"}, "nas": {**OSLO, "netboot_server": "bergen"}}
    both = ("berlin", "bergen")
    assert [one["host"] for one in of("bergen", both, **said)] == ["nas"]
    assert [one["host"] for one in of("berlin", both, **said)] == ["pi"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "pi: netboot_cache_address: is missing; write its own address"),
        (
            {"netboot_cache_address": "192.168.30.5"},
            "pi: netboot_cache_address: '192.168.30.5' cannot be used",
        ),
        (
            {"netboot_cache_address": "192.168.30.0/24"},
            "netboot_cache_address: '192.168.30.0/24' cannot be used",
        ),
        (
            {"netboot_cache_address": "192.168.30.5/31"},
            "netboot_cache_address: '192.168.30.5/31' cannot be used",
        ),
        ({"netboot_cache_address": "fd00::5/64"}, "netboot_cache_address: 'fd00::5/64' cannot be used"),
        ({"netboot_network_name": ""}, "pi: netboot_network_name: is missing; give its network a name"),
        ({"netboot_network_name": "a b"}, "pi: netboot_network_name: cannot be used"),
        ({"netboot_http_port": 70000}, "pi: netboot_http_port: '70000' cannot be used"),
        (
            {"netboot_server": "berln"},
            "pi: netboot_server: 'berln' is no host of netboot_servers; did you mean berlin?",
        ),
    ],
)
def test_what_is_wrong_with_one_is_told(said: dict[str, Any], told: str) -> None:
    assert told in refused(pi={**(ROME if said else {"netboot_network_name": "rome"}), **said})


def test_of_several_servers_it_names_one() -> None:
    told = refused(servers=("berlin", "bergen"), pi=ROME)
    assert "pi: netboot_server: is missing, and there are several servers; name the one" in told
    assert "pi: there is no host in netboot_servers" in refused(servers=(), pi=ROME)


def test_a_server_is_no_cache() -> None:
    assert "berlin: is in netboot_servers and in netboot_caches; take it out of one" in refused(berlin=ROME)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({**OSLO, "netboot_network_name": "rome"}, "nas and pi: netboot_network_name: both have rome"),
        (
            {**OSLO, "netboot_cache_address": "192.168.30.129/25"},
            "nas and pi: netboot_cache_address: their networks",
        ),
    ],
)
def test_two_of_one_server_are_apart(other: dict[str, Any], told: str) -> None:
    assert told in refused(nas=other, pi=ROME)
    said = {"pi": {**ROME, "netboot_server": "berlin"}, "nas": {**other, "netboot_server": "bergen"}}
    assert len(of("berlin", ("berlin", "bergen"), **said)) == 1


def test_a_machine_in_the_network_of_another_servers_cache_is_named() -> None:
    pi = {**ROME, "netboot_server": "bergen"}
    nuc = {"netboot_mac": "f4:4d:30:60:64:69", "netboot_server": "berlin", "netboot_network_name": "rome"}
    told = refused(servers=("berlin", "bergen"), pi=pi, nuc=nuc)
    assert "machine nuc: netboot_network_name: rome is the network of pi, a cache of bergen; set" in told
    assert of("bergen", ("berlin", "bergen"), pi=pi, nuc={**nuc, "netboot_server": "bergen"})


# --- beside its server's networks


def test_it_asks_where_the_servers_default_route_is() -> None:
    (one,) = caches.placed(of(pi=ROME), [LAB, OWN], "192.168.1.50")
    assert (one["server"], one["server_port"], one["interface"]) == ("192.168.1.50", 8080, "eno1")
    (one,) = caches.placed(of(pi=ROME), [LAB, OWN], "203.0.113.9")
    assert one["server"] == "10.0.0.1"
    found = caches.asked_by([LAB, OWN], [one])
    assert [place["cached"] for place in found] == [["192.168.30.0/24"], []]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"netboot_cache_address": "192.168.1.7/24"},
            "192.168.1.0/24 overlaps 192.168.1.0/24, which its server",
        ),
        ({"netboot_cache_address": "192.168.60.7/24"}, "has itself (relayed); correct one of them"),
        (
            {"netboot_network_name": "lab"},
            "netboot_network_name: lab is also the name of the server's own network",
        ),
    ],
)
def test_what_its_server_has_itself_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=r".") as error:
        caches.placed(of(pi={**ROME, **said}), [OWN, LAB], "192.168.1.50")
    assert told in str(error.value)


def test_where_a_machine_boots_that_names_a_caches_network_or_none() -> None:
    there = [OWN, *caches.placed(of(pi=ROME), [OWN], "")]
    assert networks.of({"mac": "f4:4d:30:60:64:69", "network_name": "rome"}, there) == there[1:]
    assert networks.of({"mac": "f4:4d:30:60:64:69"}, there) == there[:1]
    assert networks.of({"mac": "any"}, there) == there


# --- what a cache itself is told


def test_a_cache_finds_its_server_by_this_run_or_by_the_inventory() -> None:
    looked = {"netboot_result": {"caches": caches.placed(of(pi=ROME), [LAB, OWN], "192.168.1.50")}}
    (own,) = of("pi", pi=ROME, berlin=looked)
    assert (own["server"], own["server_port"]) == ("192.168.1.50", 8080)
    (own,) = of("pi", pi=ROME, berlin={"netboot_address": "192.168.1.51", "netboot_http_port": 81})
    assert (own["server"], own["server_port"]) == ("192.168.1.51", 81)


@pytest.mark.parametrize(
    "said",
    [{}, {"netboot_networks": [{"name": "a", "address": "10.0.0.1"}, {"name": "b", "interface": "b0"}]}],
)
def test_a_server_whose_address_nobody_says_is_to_be_run_with_it(said: dict[str, Any]) -> None:
    told = refused(host="pi", pi=ROME, berlin=said)
    assert "pi: the address of its server berlin is not known" in told
    assert "run site for both (-l pi,berlin)" in told
