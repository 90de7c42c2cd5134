# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.filter.machine_settings import machine_settings
from ansible_collections.homelab.netboot.plugins.filter.machines import machines
from ansible_collections.homelab.netboot.plugins.filter.owners import owners
from ansible_collections.homelab.netboot.plugins.filter.seed_files import seed_files
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import listed, pack, unpack

LOGIN = {
    "netboot_ssh_keys": [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D me@home"
    ]
}
HOSTVARS: dict[str, Any] = {
    "nuc1": {
        **LOGIN,
        "netboot_mac": "F4-4D-30-60-64-69",
        "netboot_server": "server2",
        # cloud-init's module snap takes numbers as keys, and goes through them in their order
        "netboot_autoinstall": {"user-data": {"snap": {"commands": {2: "two", 10: "ten"}}}},
    },
    "nuc2": {**LOGIN, "netboot_mac": "F4-4D-30-60-64-70", "netboot_server": "server1"},
}


VALUES: tuple[Any, ...] = (
    *("", "ünï\0", 0, -1, 2.5, True, None, [], {}, [1, [None, "x"]], {"a": {"b": []}}),
    *({1: "one", None: 2, False: {3: 4}}, {"\0pairs": "as ours"}),
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_of_an_inventory_comes_back_as_it_was(value: Any) -> None:
    there = [{"name": "nuc1", "autoinstall": value}]
    back = unpack(pack(there))
    assert back == there
    assert repr(back) == repr(there)  # 1 and True are equal


@pytest.mark.parametrize("text", ["nuc1", "{}", "1", "[", ""])
def test_another_text_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match=r"no list|Expecting"):
        unpack(text)


def test_filters_make_the_same_of_a_text_as_of_a_list() -> None:
    carried = machine_settings(["nuc1", "nuc2"], HOSTVARS)
    by_list, by_text = machines(["nuc1", "nuc2"], HOSTVARS), machines(carried, as_text=True)
    assert isinstance(by_text, str)
    assert listed(by_text) == by_list == listed(by_list)
    assert seed_files(by_text) == seed_files(by_list)
    assert "2: two" in seed_files(by_text)["seed/nuc1/user-data"]
    servers = ["server1", "server2"]
    assert owners(carried, {}, servers) == owners(["nuc1", "nuc2"], HOSTVARS, servers)
    assert owners(carried, {}, servers, by_mac=True)["f4:4d:30:60:64:69"] == "server2"


def test_a_check_alone_finds_the_same_faults_and_writes_nothing() -> None:
    told = {"nuc1": dict(HOSTVARS["nuc1"])}
    good = machines(machine_settings(["nuc1"], told), as_text=True)
    assert seed_files(good, only_check=True) == {}
    told["nuc1"]["netboot_autoinstall"] = {"storag": {}}
    bad = machines(machine_settings(["nuc1"], told), as_text=True)
    said = []
    for only_check in (True, False):
        with pytest.raises(Exception, match="storag") as caught:
            seed_files(bad, only_check=only_check)
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("wrong", ["nuc1", "[nuc1]", '["nuc1"]', 7, {"nuc1": {}}, None], ids=repr)
def test_machines_that_are_no_list_are_refused_in_words(wrong: Any) -> None:
    for read in (machines, machine_settings):
        with pytest.raises(
            Exception, match=r"netboot_machines: must be a list of machines, such as \[nuc1\], not"
        ):
            read(wrong, HOSTVARS)
    for servers in (["server1"], ["server1", "server2"]):
        with pytest.raises(Exception, match="netboot_machines: must be a list of machines"):
            owners(wrong, HOSTVARS, servers)


def test_a_list_that_e_made_a_text_is_told_how_it_is_written() -> None:
    """ansible-playbook -e netboot_machines=[nuc1] hands over a text."""
    with pytest.raises(
        Exception, match=r"""not '\[nuc1\]'; after -e .* -e '\{"netboot_machines": \["nuc1"\]\}'"""
    ):
        machine_settings("[nuc1]", HOSTVARS)
