# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.networks import wanted
from ansible_collections.homelab.netboot.plugins.plugin_utils._server.network import (
    boot_networks,
    free_port,
    networks,
    port_holders,
)


def link(name: str, *addresses: str) -> dict[str, Any]:
    """One of `ip -json address`, as far as it is read."""
    own = [{"family": "inet", "local": one, "prefixlen": 24} for one in addresses]
    return {"ifname": name, "addr_info": [*own, {"family": "inet6", "local": "fe80::1", "prefixlen": 64}]}


def looked(
    *links: dict[str, Any], route: str = '[{"dst": "192.0.2.1", "prefsrc": "10.0.0.2"}]'
) -> dict[str, list[str]]:
    return {"addresses": [json.dumps(links)], "route": [route]}


LOOPBACK = link("lo", "127.0.0.1")
LOOKED = looked(
    LOOPBACK, link("eno1", "10.0.0.2"), link("br-lan", "192.168.1.50", "192.168.1.51"), link("wlan0")
)
BR_LAN = {
    "name": "",
    "interface": "br-lan",
    "address": "192.168.1.50",
    "network": "192.168.1.0/24",
    "port": 80,
    "relayed": [],
    "dhcp": {},
    "cached": [],
}


def where(**settings: Any) -> dict[str, Any]:
    """The only network of a server with these settings."""
    [found] = boot_networks(LOOKED, wanted({f"netboot_{key}": value for key, value in settings.items()}))
    return found


def test_the_interface_is_found_by_its_address() -> None:
    assert where(address="192.168.1.50") == {**BR_LAN, "base_url": "http://192.168.1.50"}
    assert where(address="192.168.1.50", http_port=8080)["base_url"] == "http://192.168.1.50:8080"
    assert where(address="192.168.1.51", network_name="lab")["name"] == "lab"


def test_the_default_is_where_the_default_route_goes() -> None:
    assert where()["interface"] == "eno1"


def test_an_interface_alone_is_enough_when_it_has_one_address() -> None:
    assert where(interface="eno1")["address"] == "10.0.0.2"
    with pytest.raises(ValueError, match="several addresses fit"):
        where(interface="br-lan")


@pytest.mark.parametrize(
    ("address", "interface"),
    [("192.168.1.99", ""), ("192.168.1.50", "eno1"), ("", "eth9"), ("127.0.0.1", "")],
)
def test_what_is_not_there_is_said_with_what_is(address: str, interface: str) -> None:
    with pytest.raises(ValueError, match="netboot_address: this server has no IPv4 address") as caught:
        where(address=address, interface=interface)
    assert "it has 10.0.0.2 on eno1, 192.168.1.50 on br-lan, 192.168.1.51 on br-lan" in str(caught.value)


def test_without_any_network_it_says_so() -> None:
    with pytest.raises(ValueError, match="with a default route; it has none at all"):
        boot_networks(looked(LOOPBACK, route=""), wanted({}))


def several(*listed: dict[str, Any], port: int = 80) -> list[dict[str, Any]]:
    return boot_networks(LOOKED, wanted({"netboot_networks": listed, "netboot_http_port": port}))


def test_several_networks_are_found_each_by_what_is_said_of_it() -> None:
    lab = {"name": "lab", "interface": "eno1"}
    found = several(lab, {"name": "office", "address": "192.168.1.50", "port": 8080}, port=81)
    assert [(one["name"], one["interface"], one["base_url"]) for one in found] == [
        ("lab", "eno1", "http://10.0.0.2:81"),
        ("office", "br-lan", "http://192.168.1.50:8080"),
    ]


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (
            [{"name": "a", "interface": "eth9"}, {"name": "b", "address": "10.9.9.9"}],
            [
                "netboot_networks: a: this server has no IPv4 address on interface eth9; it has",
                "netboot_networks: b: this server has no IPv4 address 10.9.9.9; it has",
            ],
        ),
        (
            [{"name": "a", "address": "192.168.1.50"}, {"name": "b", "address": "192.168.1.51"}],
            ["a (192.168.1.0/24 on br-lan) and b (192.168.1.0/24 on br-lan) have one interface"],
        ),
    ],
    ids=["not-there", "one-interface"],
)
def test_networks_that_cannot_be_served_are_all_named(listed: list[dict[str, Any]], told: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        several(*listed)
    assert len(caught.value.faults) == len(told)
    assert all(part in fault for part, fault in zip(told, caught.value.faults, strict=True))


def test_two_networks_that_overlap_are_refused() -> None:
    wide = link("eth1", "10.0.0.9")
    wide["addr_info"][0]["prefixlen"] = 16
    both = [{"name": "a", "interface": "eno1"}, {"name": "b", "interface": "eth1"}]
    with pytest.raises(InputError) as caught:
        boot_networks(looked(link("eno1", "10.0.0.2"), wide), wanted({"netboot_networks": both}))
    [fault] = caught.value.faults
    assert fault.startswith("netboot_networks: a (10.0.0.0/24 on eno1) and b (10.0.0.0/16 on eth1) overlap; ")


def test_networks_behind_relays_belong_to_the_one_that_they_ask() -> None:
    lab = {"name": "lab", "interface": "eno1", "relayed": ["192.168.30.0/24", "192.168.31.0/24"]}
    found = several(lab, {"name": "office", "address": "192.168.1.50"})
    assert [one["relayed"] for one in found] == [["192.168.30.0/24", "192.168.31.0/24"], []]


@pytest.mark.parametrize(
    ("relayed", "told"),
    [
        (
            ["192.168.1.0/24"],
            "relayed: 192.168.1.0/24 overlaps office (192.168.1.0/24 on br-lan); take it out",
        ),
        (["10.9.0.0/16", "10.9.9.0/24"], "relayed: 10.9.9.0/24 overlaps 10.9.0.0/16, relayed to lab (10."),
    ],
    ids=["own", "twice"],
)
def test_a_relayed_network_that_overlaps_another_is_refused(relayed: list[str], told: str) -> None:
    lab = {"name": "lab", "interface": "eno1", "relayed": relayed}
    with pytest.raises(InputError) as caught:
        several(lab, {"name": "office", "address": "192.168.1.50"})
    [fault] = caught.value.faults
    assert told in fault


def giving(**more: Any) -> list[dict[str, Any]]:
    said = {"first": "10.0.0.100", "last": "10.0.0.199", **more}
    return several({"name": "lab", "interface": "eno1", "dhcp": said})


def test_what_is_given_belongs_to_its_network() -> None:
    [found] = giving(router="10.0.0.1", dns=["10.0.0.1", "9.9.9.9"])
    assert (found["network"], found["dhcp"]["router"], found["dhcp"]["lease"]) == (
        "10.0.0.0/24",
        "10.0.0.1",
        "12h",
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            {"first": "10.0.1.100", "last": "10.0.1.199"},
            ["first: 10.0.1.100 is no", "last: 10.0.1.199 is no"],
        ),
        ({"last": "10.0.0.255"}, ["last: 10.0.0.255 is no address of a machine in 10.0.0.0/24"]),
        ({"first": "10.0.0.0", "last": "10.0.0.1"}, ["first: 10.0.0.0 is no address of a machine"]),
        ({"first": "10.0.0.2"}, ["the server's own address 10.0.0.2 is between first and last"]),
        ({"router": "10.0.0.150"}, ["the router's address 10.0.0.150 is between first and last"]),
        ({"router": "10.0.9.1"}, ["router: 10.0.9.1 is no address of a machine in 10.0.0.0/24"]),
        ({"dns": ["9.9.9.9"]}, ["dns: 9.9.9.9 is not in 10.0.0.0/24, and no router leads there; add router"]),
    ],
)
def test_addresses_that_do_not_fit_the_network_are_refused(more: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        giving(**more)
    assert len(caught.value.faults) == len(told)
    start = "netboot_networks: lab (10.0.0.0/24 on eno1): dhcp: "
    assert all(fault.startswith(start) for fault in caught.value.faults)
    assert all(part in fault for part, fault in zip(told, caught.value.faults, strict=True))


def held(
    lines: list[str], ports: list[int], address: str, ours: list[str], interface: str = "eth0"
) -> list[str]:
    """Who holds UDP ports in one network."""
    return port_holders(lines, [{"address": address, "interface": interface, "port": 80}], ours, ports)


def test_a_port_is_needed_in_each_network() -> None:
    lab = {"address": "10.0.0.2", "interface": "eno1", "port": 8080}
    office = {"address": "192.168.1.50", "interface": "br-lan", "port": 80}
    lines = [
        f'LISTEN 0 511 {local} 0.0.0.0:* users:(("caddy",pid=9,fd=1))'
        for local in ("10.0.0.2:80", "192.168.1.50:80")
    ]
    assert port_holders(lines, [lab, office], ["0"]) == ["caddy on 192.168.1.50:80"]
    assert port_holders(lines, [{**lab, "port": 80}, office], ["0"]) == [
        "caddy on 10.0.0.2:80",
        "caddy on 192.168.1.50:80",
    ]
    assert free_port(lines, [80, 81], [lab]) == free_port(lines, [80, 81], [office]) == 81
    bound = ['LISTEN 0 511 0.0.0.0%eth7:80 0.0.0.0:* users:(("caddy",pid=9,fd=1))']
    assert port_holders(bound, [office], ["0"]), "a TCP socket at any interface is in the way of ours at all"


SS = """\
UNCONN 0 0 0.0.0.0:67 0.0.0.0:* users:(("dhcpd",pid=1,fd=7))
UNCONN 0 0 0.0.0.0%eth0:4011 0.0.0.0:* users:(("dnsmasq",pid=2,fd=4))
UNCONN 0 0 10.0.0.2:69 0.0.0.0:* users:(("in.tftpd",pid=3,fd=4))
UNCONN 0 0 [::]:69 [::]:* users:(("in.tftpd",pid=3,fd=5))
UNCONN 0 0 192.168.1.50:69 0.0.0.0:*
UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=4,fd=1))
""".splitlines()


def test_who_is_in_the_way_is_named() -> None:
    others = ["dhcpd on 0.0.0.0:67", "in.tftpd on [::]:69"]
    unseen = "an unknown program on 192.168.1.50:69"
    assert held(SS, [67, 69, 4011], "192.168.1.50", ["2"]) == others
    assert held(SS[:2] + SS[3:], [67, 69, 4011], "192.168.1.50", ["0"]) == [
        others[0],
        "dnsmasq on 0.0.0.0%eth0:4011",
        others[1],
        unseen,
    ]


def test_another_program_of_the_same_name_is_in_the_way() -> None:
    line = 'LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=22,fd=6),("nginx",pid=21,fd=6))'
    assert held([line], [80], "192.168.1.50", ["21"]) == []
    assert held([line], [80], "192.168.1.50", ["23"]) == ["nginx on 0.0.0.0:80"]
    assert held([line], [80], "192.168.1.50", ["0"]) == ["nginx on 0.0.0.0:80"]


@pytest.mark.parametrize("local", ["0.0.0.0%virbr0:67", "*%virbr0:67", "[::]%virbr0:67"])
def test_who_serves_another_interface_is_not_in_the_way(local: str) -> None:
    line = f'UNCONN 0 0 {local} 0.0.0.0:* users:(("dnsmasq",pid=5,fd=3))'
    assert held([line], [67], "192.168.1.50", ["0"], "eno1") == []
    assert held([line], [67], "192.168.1.50", ["0"], "virbr0") == [f"dnsmasq on {local}"]
    everywhere = line.replace("%virbr0", "")
    assert held([everywhere], [67], "192.168.1.50", ["0"], "eno1") != []


def test_other_ports_and_other_addresses_are_nobodys_business() -> None:
    assert held(SS, [80], "192.168.1.50", ["0"]) == []
    assert held(SS[:2], [4011], "192.168.1.50", ["2"]) == []
    assert held(SS, [53], "192.168.1.50", ["0"]) == []


def test_a_free_port_is_one_that_nobody_holds_at_the_address() -> None:
    assert free_port(SS, [67, 69, 53], [{"address": "192.168.1.50"}]) == 53
    assert free_port(SS, [67, 69], [{"address": "192.168.1.50"}]) == 70


def test_networks_are_written_with_their_length_and_once() -> None:
    given = ["192.168.1.0/255.255.255.0", "192.168.1.0/24", "10.0.0.7"]
    assert networks(given, "x") == ["192.168.1.0/24", "10.0.0.7/32"]


def test_every_network_that_is_none_is_named_with_its_variable() -> None:
    with pytest.raises(ValueError, match="pxe_http_networks") as caught:
        networks(
            ["192.168.1.5/24", "10.0.0.0/8", "all", "fe80::/10", "1.2.3.0/24;allow all"], "pxe_http_networks"
        )
    assert str(caught.value).count("pxe_http_networks: ") == 4
    assert "host bits" in str(caught.value)
