# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded: what roles/netboot/files/look.py printed on servers of Debian 12 and 13, and again after the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._firewall.verdict import verdict
from ansible_collections.homelab.netboot.plugins.plugin_utils._server.looked import parts

RECORDED = Path(__file__).parent / "recorded"
WHERE = {"interface": "lan0", "address": "192.168.1.50", "network": "192.168.1.0/24"}
ALL = ["UDP 67", "UDP 69", "UDP 4011", "TCP 80"]


def recorded(name: str) -> list[str]:
    return (RECORDED / f"{name}.txt").read_text().splitlines()


def judged(lines: list[str], *, port: int = 80, opens: bool = False, **where: str) -> dict[str, Any]:
    return verdict(parts(lines), [{**WHERE, "port": port, **where}], opens)


def iptables(*rules: str, policy: str = "DROP") -> list[str]:
    return ["# part iptables", "*filter", f":INPUT {policy} [0:0]", ":web - [0:0]", *rules, "COMMIT"]


def nft(*expressions: list[Any], policy: str = "drop", more: list[Any] | None = None) -> list[str]:
    """A table with one chain of input, and a rule for each list of expressions."""
    there = {"family": "inet", "table": "home"}
    chains = [
        {"chain": {**there, "name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": policy}},
        {"chain": {**there, "name": "web"}},
    ]
    rules = [{"rule": {**there, "chain": "input", "expr": one}} for one in expressions]
    return ["# part nft", json.dumps({"nftables": [*(more or []), *chains, *rules]})]


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def port(number: Any, protocol: str = "udp") -> dict[str, Any]:
    return match({"payload": {"protocol": protocol, "field": "dport"}}, number)


STATE = match({"ct": {"key": "state"}}, ["established", "related"], "in")
ACCEPT, DROP = {"accept": None}, {"drop": None}


@pytest.mark.parametrize(
    ("name", "shut", "by"),
    [
        ("bare", [], []),
        ("ufw", ALL, ["ufw"]),
        ("nftables", ALL, ["nftables (chain inet home input)"]),
        ("ufw-and-nftables", ALL, ["ufw", "nftables (chain inet home input)"]),
        ("iptables", ["UDP 69", "UDP 4011"], ["iptables (chain filter INPUT)"]),
        ("firewalld-bookworm", ALL, ["firewalld (zone public)"]),
        ("firewalld-trixie", ALL, ["firewalld (zone public)"]),
    ],
)
def test_what_is_shut_and_by_whom(name: str, shut: list[str], by: list[str]) -> None:
    found = judged(recorded(name))
    assert (found["shut"], found["by"], found["act"]) == (shut, by, bool(shut))


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*-opened.txt")))
def test_the_commands_that_were_named_have_opened_it(name: str) -> None:
    found = judged(recorded(name), opens=True)
    assert (found["shut"], found["say"], found["open"], found["act"]) == ([], [], [], False)


def test_another_interface_or_network_is_not_let_in() -> None:
    assert judged(recorded("ufw-opened"), interface="lan1")["shut"] == ALL
    assert judged(recorded("nftables-opened"), interface="lan1")["shut"] == ALL
    for name in ("ufw-opened", "nftables-opened", "firewalld-trixie-opened", "firewalld-bookworm-opened"):
        # a broadcast of whoever has no address may come from any network of the interface
        assert judged(recorded(name), network="192.168.2.0")["shut"] == ALL[1:]


def test_the_very_commands() -> None:
    assert judged(recorded("ufw"))["say"][2:] == [
        "ufw allow in on lan0 proto udp to 255.255.255.255 port 67 comment homelab.netboot",
        "ufw allow in on lan0 proto udp from 192.168.1.0/24 to any port 69 comment homelab.netboot",
        "ufw allow in on lan0 proto udp from 192.168.1.0/24 to any port 4011 comment homelab.netboot",
        "ufw allow in on lan0 proto tcp from 192.168.1.0/24 to any port 80 comment homelab.netboot",
    ]
    nftables = judged(recorded("nftables"), port=8080)
    assert (
        "nft insert rule inet home input iifname '\"lan0\"' ip saddr 192.168.1.0/24 tcp dport 8080 accept "
        "comment '\"homelab.netboot TCP 8080\"'"
    ) in nftables["say"]
    assert "/etc/nftables.conf" in nftables["say"][-1]
    assert "/etc/nftables.conf" not in judged(recorded("nftables"), opens=True)["say"][-1]


def test_firewalld_s_zone_of_the_network_comes_before_that_of_the_interface() -> None:
    lines = [*recorded("firewalld-trixie"), "# part zones", "home (default)", "  sources: 192.168.1.0/24"]
    zones = [argv[2] for argv in judged(lines)["open"] if argv[1] == "--permanent"]
    assert zones == ["--zone=public", "--zone=home", "--zone=home", "--zone=home"]


def test_firewalld_is_told_for_now_and_for_good() -> None:
    found = judged(recorded("firewalld-trixie"))
    assert [argv[1] == "--permanent" for argv in found["open"]] == [True, False] * 4
    closing = [[word.replace("--add-", "--remove-") for word in argv] for argv in found["open"]]
    assert json.loads(found["note"])["close"] == closing


def test_what_is_not_kept_by_the_firewall_is_kept_by_a_service() -> None:
    before, after = judged(recorded("nftables")), judged(recorded("nftables-opened"))
    assert len(before["rules"]) == 4
    assert before["rules"] == after["rules"]
    assert (before["note"], before["service"], judged(recorded("ufw"))["service"]) == ("", True, False)


def test_a_port_that_is_not_used_any_more_is_shut_again() -> None:
    note = judged(recorded("ufw"))["note"]
    lines = [*recorded("ufw-opened"), "# part note", *note.splitlines()]
    same, other = judged(lines, opens=True), judged(lines, port=8080, opens=True)
    assert (same["close"], same["act"]) == ([], False)
    assert other["shut"] == ["TCP 8080"]
    assert [argv[-1] for argv in other["close"]] == ["80"]
    assert [argv[-1] for argv in json.loads(other["note"])["close"]] == ["67", "69", "4011", "8080"]
    rules = judged(recorded("nftables-opened"), port=8080, opens=True)
    assert "TCP 80'" not in str(rules["rules"])


def test_openings_that_are_left_over_are_a_reason_to_act() -> None:
    chain = iptables(
        '-A INPUT -p tcp -m comment --comment "homelab.netboot TCP 81" -j ACCEPT', policy="ACCEPT"
    )
    assert judged(chain, opens=True)["act"] is True
    assert judged(chain, opens=False)["act"] is False


def test_what_a_firewall_that_is_stopped_was_told_is_not_forgotten() -> None:
    note = judged(recorded("firewalld-trixie"))["note"]
    found = judged([*recorded("bare"), "# part note", note], opens=True)
    assert found["close"] == []
    assert json.loads(found["note"]) == json.loads(note)


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        ("-A INPUT -p udp -j ACCEPT", {"UDP 67", "UDP 69", "UDP 4011"}),
        ("-A INPUT -p udp -m multiport --dports 60:70,4011 -j ACCEPT", {"UDP 67", "UDP 69", "UDP 4011"}),
        ("-A INPUT -p udp -m udp --sport 68 --dport 67 -j ACCEPT", {"UDP 67"}),
        ("-A INPUT -s 192.168.0.0/16 -j ACCEPT", {"UDP 69", "UDP 4011", "TCP 80"}),
        ("-A INPUT -s 192.168.1.7/32 -j ACCEPT", set()),
        ("-A INPUT ! -s 10.0.0.0/8 -i lan+ -j ACCEPT", set(ALL)),
        ("-A INPUT ! -i lan0 -j ACCEPT", set()),
        ("-A INPUT -m addrtype --dst-type BROADCAST -j ACCEPT", {"UDP 67"}),
        (
            "-A INPUT -m iprange --src-range 192.168.1.0-192.168.1.255 -j ACCEPT",
            {"UDP 69", "UDP 4011", "TCP 80"},
        ),
        ("-A INPUT -m conntrack --ctstate NEW -m limit --limit 9/sec -j ACCEPT", set(ALL)),
        ("-A INPUT -m geoip --source-country DE -j ACCEPT", set()),
        ("-A INPUT -m owner ! --socket-exists -j ACCEPT", set()),
        ("-A INPUT -p tcp -j web\n-A web -m tcp --dport 80 -j ACCEPT", {"TCP 80"}),
        ("-A INPUT -p tcp -j web\n-A web -j RETURN\n-A web -j ACCEPT", set()),
        ("-A INPUT -p tcp -g web\n-A INPUT -j ACCEPT", {"UDP 67", "UDP 69", "UDP 4011"}),
        ("-A INPUT -j web\n-A web -j web", set()),
        (
            "-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n-A INPUT -j ACCEPT",
            {"UDP 67", "UDP 69", "UDP 4011"},
        ),
        ("-A INPUT -j LOG --log-prefix x\n-A INPUT -m comment --comment 'a -j DROP' -j ACCEPT", set(ALL)),
    ],
)
def test_rules_of_iptables(rule: str, opened: set[str]) -> None:
    known = "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT"
    assert set(ALL) - set(judged(iptables(known, *rule.split("\n")))["shut"]) == opened


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        ([port({"set": [67, {"range": [69, 70]}, 4011]}), ACCEPT], {"UDP 67", "UDP 69", "UDP 4011"}),
        ([port("@web", "tcp"), ACCEPT], {"TCP 80"}),
        (
            [port({"set": [80, 69]}, "th"), {"counter": {"packets": 1, "bytes": 1}}, ACCEPT],
            {"UDP 69", "TCP 80"},
        ),
        ([match({"meta": {"key": "iifname"}}, "lan*"), ACCEPT], set(ALL)),
        ([match({"meta": {"key": "iifname"}}, "lan0", "!="), ACCEPT], set()),
        ([match({"meta": {"key": "nfproto"}}, "ipv6"), ACCEPT], set()),
        ([match({"meta": {"key": "pkttype"}}, "broadcast"), ACCEPT], {"UDP 67"}),
        (
            [match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), ACCEPT],
            {"UDP 69", "UDP 4011", "TCP 80"},
        ),
        (
            [
                match(
                    {"payload": {"protocol": "ip", "field": "saddr"}},
                    {"prefix": {"addr": "192.168.1.0", "len": 24}},
                ),
                ACCEPT,
            ],
            {"UDP 69", "UDP 4011", "TCP 80"},
        ),
        (
            [
                {
                    "vmap": {
                        "key": {"payload": {"protocol": "udp", "field": "dport"}},
                        "data": {"set": [[67, ACCEPT], [69, DROP], [4011, {"jump": {"target": "web"}}]]},
                    }
                }
            ],
            {"UDP 67"},
        ),
        ([{"xt": {"type": "match", "name": "comment"}}, ACCEPT], set(ALL)),
        ([{"xt": {"type": "match", "name": "geoip"}}, ACCEPT], set()),
        ([match({"concat": [1, 2]}, "x"), ACCEPT], set()),
        ([{"jump": {"target": "web"}}], set()),
    ],
)
def test_rules_of_nftables(rule: list[Any], opened: set[str]) -> None:
    more = [
        {"set": {"family": "inet", "table": "home", "name": "web", "type": "inet_service", "elem": [80, 443]}}
    ]
    assert set(ALL) - set(judged(nft([STATE, ACCEPT], rule, more=more))["shut"]) == opened


def test_every_chain_must_let_a_packet_through() -> None:
    found = judged([*nft([STATE, ACCEPT]), *iptables("-A INPUT -j ACCEPT", "-A INPUT -j DROP")])
    assert found["by"] == ["nftables (chain inet home input)"]


def test_tftp_s_data_need_what_is_known_to_be_let_through() -> None:
    """RFC 1350, section 4: the server answers from another port, and a machine then writes to that one."""
    stateless = nft([port({"set": [67, 69, 4011]}), ACCEPT], [port(80, "tcp"), ACCEPT])
    found = judged(stateless)
    assert found["shut"] == ["UDP of connections that are open"]
    [rule] = found["rules"]
    assert "meta l4proto udp ct state established accept" in rule
    chain = iptables(
        "-A INPUT -p udp -m multiport --dports 67,69,4011 -j ACCEPT", "-A INPUT -p tcp -j ACCEPT"
    )
    assert "-m conntrack --ctstate ESTABLISHED" in judged(chain)["rules"][0]
    assert judged([*stateless[:1], nft([STATE, ACCEPT], [ACCEPT])[1]])["shut"] == []


def test_what_is_forwarded_or_translated_does_not_matter() -> None:
    forward = {
        "family": "ip",
        "table": "docker",
        "name": "DOCKER",
        "type": "filter",
        "hook": "forward",
        "prio": 0,
    }
    lines = ["# part nft", json.dumps({"nftables": [{"chain": {**forward, "policy": "drop"}}]})]
    lines += [
        "# part iptables",
        "*nat",
        ":PREROUTING DROP [0:0]",
        ":DOCKER - [0:0]",
        "-A DOCKER -j DROP",
        "COMMIT",
    ]
    lines += ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD DROP [0:0]", ":DOCKER-USER - [0:0]", "COMMIT"]
    assert judged(lines)["act"] is False


def test_of_several_networks_each_is_opened_for_itself() -> None:
    lab = {"interface": "lan0.20", "address": "10.0.20.1", "network": "10.0.20.0/24", "port": 8088}
    found = verdict(parts(nft([STATE, ACCEPT])), [{**WHERE, "port": 80}, lab], False)
    assert found["shut"] == [*ALL, "TCP 8088"]
    assert found["silent"] == ["lan0", "lan0.20"]
    assert [line for line in found["say"] if line.startswith("Shut to")] == [
        "Shut to the boot network (192.168.1.0/24 on lan0): UDP 67, UDP 69, UDP 4011, TCP 80; by nftables (chain inet "
        "home input). Machines cannot boot.",
        "Shut to the boot network (10.0.20.0/24 on lan0.20): UDP 67, UDP 69, UDP 4011, TCP 8088; by nftables (chain "
        "inet home input). Machines cannot boot.",
    ]
    for interface, network, port in (("lan0", "192.168.1.0/24", 80), ("lan0.20", "10.0.20.0/24", 8088)):
        rules = [line for line in found["rules"] if f"iifname '\"{interface}\"'" in line]
        assert len(rules) == len(ALL)
        assert any(f"saddr {network} tcp dport {port} accept" in line for line in rules)
    assert len(found["say"]) == 2 * (2 + len(ALL)) + 1, "that rules go with the next start is said once"


def test_a_relay_and_the_network_behind_it_are_let_in_too() -> None:
    """The relay asks UDP 67 from either network, and by name; machines behind it send no broadcast here."""
    near, behind = "192.168.1.0/24", "192.168.30.0/24"
    found = verdict(parts(nft([STATE, ACCEPT])), [{**WHERE, "port": 80, "relayed": [behind]}], False)
    assert found["shut"] == ALL
    assert found["silent"] == ["lan0"]
    assert [line.split(": ")[0] for line in found["say"] if line.startswith("Shut to")] == [
        f"Shut to the boot network ({near} on lan0)",
        f"Shut to the relayed network ({behind} on lan0)",
    ]
    asked = [line.split("ip ")[1].split(" comment")[0] for line in found["rules"] if "dport 67" in line]
    assert asked == [
        "daddr 255.255.255.255 udp dport 67 accept",
        f"saddr {near} udp dport 67 accept",
        f"saddr {behind} udp dport 67 accept",
    ]
    for which in ("udp dport 69", "udp dport 4011", "tcp dport 80"):
        assert any(f"saddr {behind} {which} accept" in line for line in found["rules"])


def test_who_has_an_address_of_the_server_may_ask_for_more_time() -> None:
    place = {**WHERE, "port": 80, "dhcp": {"first": "192.168.1.100"}}
    for one, more in ((place, [f"saddr {WHERE['network']} udp dport 67"]), ({**place, "dhcp": {}}, [])):
        found = verdict(parts(nft([STATE, ACCEPT])), [one], False)
        asked = [line.split("ip ")[1].split(" accept")[0] for line in found["rules"] if "dport 67" in line]
        assert asked == ["daddr 255.255.255.255 udp dport 67", *more]


def test_where_a_relay_is_shut_out_alone_that_is_told() -> None:
    place = {**WHERE, "port": 80, "relayed": ["192.168.30.0/24"]}
    from_here = match(
        {"payload": {"protocol": "ip", "field": "saddr"}}, {"prefix": {"addr": "192.168.1.0", "len": 24}}
    )
    broadcast = match({"payload": {"protocol": "ip", "field": "daddr"}}, "255.255.255.255")
    rules = [[STATE, ACCEPT], [broadcast, ACCEPT], [from_here, ACCEPT]]
    assert verdict(parts(nft(*rules)), [{**place, "relayed": []}], False)["shut"] == []
    found = verdict(parts(nft(*rules)), [place], False)
    assert found["shut"] == ALL
    assert found["silent"] == []
    assert [line for line in found["say"] if line.startswith("Shut to the boot")] == []


def test_a_cache_is_asked_by_broadcast_and_by_http_alone() -> None:
    found = verdict(parts(nft([STATE, ACCEPT])), [{**WHERE, "port": 80, "is_cache": True}], False)
    assert found["shut"] == ["UDP 67", "TCP 80"]
    asked = [line.split("ip ")[1].split(" comment")[0] for line in found["rules"]]
    assert asked == ["daddr 255.255.255.255 udp dport 67 accept", "saddr 192.168.1.0/24 tcp dport 80 accept"]


def test_a_cache_is_let_in_by_its_server_as_a_relay() -> None:
    place = {**WHERE, "port": 80, "relayed": [], "cached": ["192.168.30.0/24"]}
    found = verdict(parts(nft([STATE, ACCEPT])), [place], False)
    asked = [line.split("ip ")[1].split(" comment")[0] for line in found["rules"] if "dport 67" in line]
    assert "saddr 192.168.30.0/24 udp dport 67 accept" in asked
    assert any("saddr 192.168.30.0/24 tcp dport 80 accept" in line for line in found["rules"])
