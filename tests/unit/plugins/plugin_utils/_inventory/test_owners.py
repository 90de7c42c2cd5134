# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose each machine is, and what is refused. Whom dnsmasq answers then: tests/owners."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.filter.dnsmasq_owner_lines import dnsmasq_owner_lines
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import answered
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import moves, owners

SERVERS = ["server1", "server2"]
NUC1, NUC2 = "52:54:00:00:00:01", "52:54:00:00:00:02"


def named(*names: str) -> dict[str, Any]:
    """What a look found, of a server with networks that have the same numbers as those of all others."""
    return {
        "networks": [
            {"name": name, "network": f"192.168.{number}.0/24"} for number, name in enumerate(names, 1)
        ]
    }


NETWORK = {"networks": [{"name": "", "network": "192.168.1.0/24"}]}


def machine(name: str, server: str = "", mac: str = "") -> dict[str, Any]:
    return {"name": name, "mac": mac or f"52:54:00:00:00:0{name[-1]}", "server": server}


def test_with_one_server_all_machines_are_its() -> None:
    both = [machine("nuc1"), machine("nuc2", "server1")]
    assert owners.parted(both, ["server1"]) == {"server1": both}
    assert owners.own(both, "elsewhere", SERVERS) == both, "a server that shares nothing has all to itself"


def test_with_several_each_has_its_own() -> None:
    one, two = machine("nuc1", "server1", "52-54-00-00-00-01"), machine("nuc2", "server2")
    assert owners.own([one, two], "server1", SERVERS) == [one]
    assert owners.own([one], "server2", SERVERS) == []
    assert owners.owner_of([one, two, machine("x", "server1", "any")], SERVERS) == {
        NUC1: "server1",
        NUC2: "server2",
    }


@pytest.mark.parametrize(
    ("machines", "servers", "told"),
    [
        ([machine("nuc1"), machine("nuc2")], SERVERS, "machines nuc1, nuc2: netboot_server: is missing"),
        (
            [machine("nuc1", "sever1")],
            ["server1"],
            "machine nuc1: netboot_server: 'sever1' is no host of netboot_servers",
        ),
        ([machine("nuc1", "server3")], SERVERS, "netboot_server: 'server3' is no host"),
        (
            [machine("nuc1", "server1"), machine("nuc2", "server2", NUC1.upper())],
            SERVERS,
            f"machines nuc1 and nuc2: netboot_mac: both have {NUC1}, and server1 and server2 would both install it",
        ),
    ],
)
def test_what_is_not_disjoint_is_refused(machines: list[Any], servers: list[str], told: str) -> None:
    with pytest.raises(InputError) as error:
        owners.own(machines, servers[0], servers)
    assert told in str(error.value)
    assert "nothing was changed" in str(error.value)


def test_two_machines_for_any_are_no_twins() -> None:
    both = [machine("x", "server1", "any"), machine("y", "server2", "any")]
    assert set(owners.parted(both, SERVERS)) == set(SERVERS)


def strangers(one: dict[str, Any], two: dict[str, Any], *machines: dict[str, Any]) -> list[str]:
    hostvars = {"server1": one, "server2": two}
    return owners.stranger_faults("server1", SERVERS, hostvars, machines, one.get("netboot_strangers", False))


YES = {"netboot_strangers": True}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({**YES, "netboot_result": NETWORK}, {**YES, "netboot_result": NETWORK}),
        ({**YES, "netboot_result": NETWORK}, {"netboot_strangers": "yes", "netboot_address": "192.168.1.51"}),
        ({**YES, "netboot_result": NETWORK}, YES),
        (
            {**YES, "netboot_result": named("home")},
            {**YES, "netboot_address": "10.0.0.1", "netboot_network_name": "home"},
        ),
        (
            {**YES, "netboot_result": named("home")},
            {**YES, "netboot_result": NETWORK},
        ),
        ({**YES, "netboot_result": named("lab", "home")}, {**YES, "netboot_result": named("office", "lab")}),
        ({**YES, "netboot_result": named("lab", "")}, {**YES, "netboot_address": "192.168.2.9"}),
        (
            {**YES, "netboot_result": named("lab")},
            {**YES, "netboot_networks": [{"name": "lab", "interface": "eno1.3"}]},
        ),
        ({**YES, "netboot_result": named("lab")}, {**YES, "netboot_networks": "lab"}),
    ],
    ids=[
        "looked",
        "address",
        "unknown",
        "same-name",
        "one-name",
        "one-of-several",
        "one-unlooked",
        "name-unlooked",
        "unusable",
    ],
)
def test_two_that_answer_strangers_in_one_network_are_refused(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    (fault,) = strangers(one, two)
    assert fault.startswith("server1 and server2: netboot_strangers: both answer machines that are not named")
    assert "netboot_network_name of its own" in fault


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({**YES, "netboot_result": NETWORK}, {"netboot_result": NETWORK}),
        ({"netboot_result": NETWORK}, {**YES, "netboot_result": NETWORK}),
        ({**YES, "netboot_result": NETWORK}, {**YES, "netboot_address": "192.168.2.50"}),
        (
            {**YES, "netboot_result": named("berlin")},
            {**YES, "netboot_result": named("rome")},
        ),
        ({**YES, "netboot_result": named("a", "b")}, {**YES, "netboot_result": named("c", "d")}),
        (
            {**YES, "netboot_result": NETWORK},
            {
                **YES,
                "netboot_networks": [
                    {"name": "b", "address": "192.168.2.1"},
                    {"name": "c", "address": "192.168.3.1"},
                ],
            },
        ),
    ],
    ids=["only-one", "only-other", "other-network", "same-numbers", "several", "others"],
)
def test_others_are_not(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert strangers(one, two) == []


def test_a_machine_for_any_needs_a_server_that_answers_strangers() -> None:
    (fault,) = strangers({}, {}, machine("x", "server1", "any"))
    assert fault.startswith(
        "machine x: netboot_mac: any stands for machines that are not named, and server1 does not"
    )
    assert strangers(YES, {}, machine("x", "server1", "any")) == []
    assert strangers({}, {}, machine("x", "server2", "any")) == []


def test_a_word_that_is_neither_true_nor_false_is_refused() -> None:
    assert strangers({"netboot_strangers": "tru"}, {}) == [
        "server1: netboot_strangers: 'tru' is neither true nor false: write one of them"
    ]


def test_the_only_server_may_leave_strangers_alone() -> None:
    machines = [machine("nuc1", "", NUC1), machine("x", "", "any")]
    (fault,) = owners.stranger_faults("server1", ["server1"], {"server1": {}}, machines, "false")
    assert fault.startswith("machine x: netboot_mac: any stands for machines that are not named")
    assert owners.stranger_faults("server1", ["server1"], {"server1": {}}, machines, "true") == []


@pytest.mark.parametrize("servers", [["server1"], [], SERVERS[1:]], ids=["only", "none", "others"])
def test_dnsmasq_of_a_server_that_shares_nothing(servers: list[str]) -> None:
    machines = [machine("nuc1", "elsewhere", NUC1), machine("nuc2", "", NUC2)]
    asked: tuple[Any, ...] = (machines, {}, servers, "server1", ["192.168.1.50"])
    assert dnsmasq_owner_lines(*asked, strangers=True) == []
    assert dnsmasq_owner_lines(*asked) == answered.lines(
        {NUC1: "server1", NUC2: "server1"}, "server1", ["192.168.1.50"], strangers=False
    )


def test_dnsmasq_leaves_the_machines_of_others_alone() -> None:
    owner = {NUC1: "server1", NUC2: "server2"}
    asks = "dhcp-userclass=set:own,homelab.netboot/192.168.1.50/"
    assert answered.lines(owner, "server1", ["192.168.1.50"], strangers=False) == [
        f"dhcp-mac=set:own,{NUC1}",
        asks,
        "tag-if=set:left,tag:!own",
        "dhcp-ignore=tag:left,tag:!gives",
    ]
    assert answered.lines(owner, "server1", ["192.168.1.50"], strangers=True) == [
        f"dhcp-mac=set:left,{NUC2}",
        "dhcp-userclass=set:asks,homelab.netboot/",
        asks,
        "tag-if=set:left,tag:asks,tag:!own",
        "dhcp-ignore=tag:left,tag:!gives",
    ]


HELD = {"state": "up", "given": "", "name": "nuc1"}


@pytest.mark.parametrize(
    ("answer", "in_run", "begun", "told"),
    [
        ({"msg": "no route"}, SERVERS, False, "server1 cannot be asked whether it has it already (no route)"),
        ({"known": {NUC1: HELD}}, ["server2"], False, "server1 has it, and would go on answering it"),
        ({"known": {NUC1: HELD}}, SERVERS, True, "server1 has not given it"),
        (
            {"known": {NUC1: {**HELD, "state": "installing"}}},
            SERVERS,
            False,
            "server1 is installing it just now",
        ),
    ],
    ids=["silent", "absent", "kept", "installing"],
)
def test_a_machine_does_not_move(answer: dict[str, Any], in_run: list[str], begun: bool, told: str) -> None:
    (fault,) = moves.faults([{"item": "server1", **answer}], {NUC1: "nuc1"}, in_run, begun=begun)
    assert fault.startswith(
        f"machine nuc1: netboot_server: {told}" if "cannot" not in told else "machine nuc1: netboot_s"
    )
    assert told in fault


def test_a_machine_moves_that_its_server_gives_or_nobody_has() -> None:
    given: dict[str, Any] = {"item": "server1", "known": {NUC1: {**HELD, "given": "server2"}}}
    assert (
        moves.faults([given, {"item": "server3", "known": {}}], {NUC1: "nuc1"}, ["server2"], begun=True) == []
    )
    assert moves.faults([{"item": "server1", "known": {NUC1: HELD}}], {NUC1: "nuc1"}, SERVERS) == []
    assert moves.known([given, given]) == {NUC1: [{**HELD, "given": "server2"}] * 2}
