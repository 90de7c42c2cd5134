# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines

NUC1 = {"name": "nuc1", "mac": "F4-4D-30-60-64-69", "image": "focal"}


def faults_of(*raw: dict[str, Any], images: Any = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        machines.normalise(raw, images)
    return caught.value.faults


def test_a_machine_needs_only_name_and_mac() -> None:
    (machine,) = machines.normalise([{"name": "nuc1", "mac": "f44d.3060.6469"}], {"focal": {}})
    derived: dict[str, Any] = {"release": None, "folder": "images/focal/current", "image_kernel_args": []}
    derived.update(loader={}, host_key="", cloud_config={})
    named = {"name": "nuc1", "mac": "f4:4d:30:60:64:69", "image": "focal"}
    assert machine == {**machines.DEFAULTS, **named, **derived}


def test_what_is_normal_stays_so() -> None:
    once = machines.normalise([NUC1])
    assert machines.normalise(once) == once


def test_the_inventory_is_read_without_the_prefix_and_without_what_is_the_servers() -> None:
    hostvars = {
        "nuc1": {"netboot_mac": "x", "netboot_root": "/srv", "ansible_host": "y", "netboot_imgae": "z"}
    }
    hostvars["nuc1"]["netboot_told"] = "by the inventory plugin"
    assert machines.from_inventory(["nuc1"], hostvars) == [
        {"name": "nuc1", "ansible_host": "y", "mac": "x", "imgae": "z"}
    ]


def test_all_faults_are_told_at_once_each_with_machine_variable_and_remedy() -> None:
    faults = faults_of(
        {"name": "a_b", "mac": "f4:4d:30:60:64:01"},
        {"name": "n1"},
        {"name": "n2", "mac": "nonsense"},
        {"name": "n3", "mac": "f4:4d:30:60:64:03", "imgae": "focal"},
        {"name": "n4", "mac": "f4:4d:30:60:64:04", "image": "foacl"},
        {"name": "n5", "mac": "f4:4d:30:60:64:05", "install": "allways"},
        {"name": "n6", "mac": "f4:4d:30:60:64:06", "kernel_args": "console=ttyS0"},
        {"name": "n7", "mac": "f4:4d:30:60:64:07", "kernel_args": ["console=ttyS0 quiet"]},
        {
            "name": "n8",
            "mac": "f4:4d:30:60:64:08",
            "ssh_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET"],
        },
        {"name": "n9", "mac": "f4:4d:30:60:64:09", "autoinstall_site": []},
        images={"focal": {}},
    )
    assert faults == [
        "machine a_b: name: not a valid host name (RFC 1123); use letters, digits and '-'",
        "machine n1: netboot_mac: is missing; write the network card's address, like f4:4d:30:60:64:69",
        "machine n2: netboot_mac: 'nonsense' is not a MAC address; write it like f4:4d:30:60:64:69",
        "machine n3: netboot_imgae: no such setting; did you mean image?",
        "machine n4: netboot_image: 'foacl' is not in netboot_images; did you mean focal?",
        "machine n5: netboot_install: 'allways' is not one of once, always, never",
        "machine n6: netboot_kernel_args: must be a list of words such as [console=ttyS0]",
        "machine n7: netboot_kernel_args: 'console=ttyS0 quiet' is not one word; "
        "give each argument as an item of its own",
        "machine n8: netboot_ssh_keys[0]: is not a public key; "
        "give a line like 'ssh-ed25519 AAAA… you@home', as it stands in a file like id_ed25519.pub",
        "machine n9: netboot_autoinstall_site: must be a mapping, as Subiquity's documentation describes it",
    ]


def test_two_machines_with_one_mac_are_both_named_whatever_the_notation() -> None:
    faults = faults_of(NUC1, {"name": "nuc2", "mac": "f4:4d:30:60:64:69"})
    assert faults == ["machines nuc1 and nuc2: netboot_mac: both have f4:4d:30:60:64:69; each needs its own"]


def test_two_machines_with_one_name_are_refused() -> None:
    assert faults_of(NUC1, {"name": "NUC1", "mac": "f4:4d:30:60:64:70"}) == [
        "machines nuc1 and NUC1: name: both have NUC1; each needs its own"
    ]


@pytest.mark.parametrize(
    ("one", "other", "variables"),
    [
        ({"ansible_host": "192.168.1.9"}, {"ansible_host": "192.168.1.9"}, "ansible_host"),
        (
            {"ansible_host": "192.168.1.9"},
            {"network": {"address": "192.168.1.9/24"}},
            "ansible_host and netboot_network",
        ),
        (
            {"network": {"address": "192.168.1.9/16"}},
            {"network": {"address": "192.168.1.9/24"}},
            "netboot_network",
        ),
    ],
)
def test_two_machines_with_one_address_are_both_named(
    one: dict[str, Any], other: dict[str, Any], variables: str
) -> None:
    second = {"name": "nuc2", "mac": "f4:4d:30:60:64:70"}
    assert faults_of({**NUC1, **one}, {**second, **other}) == [
        f"machines nuc1 and nuc2: {variables}: both have 192.168.1.9; each needs its own"
    ]


def test_one_machine_may_say_its_address_twice() -> None:
    twice = {"ansible_host": "192.168.1.9", "network": {"address": "192.168.1.9/24"}}
    assert machines.normalise([{**NUC1, **twice}])[0]["ansible_host"] == "192.168.1.9"


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ({"adress": "192.168.1.9/24"}, "adress: no such key; did you mean address?"),
        ({"address": "192.168.1.9"}, "address: must be an address with the length of its prefix"),
        ({"address": "192.168.1.0/24"}, "address: must be an address with the length of its prefix"),
        (
            {"address": "192.168.1.9/24", "gateway": "192.168.2.1"},
            "gateway: '192.168.2.1' is not an address within",
        ),
        ({"address": "192.168.1.9/24", "nameservers": "192.168.1.1"}, "nameservers: must be a list"),
        ({"address": "192.168.1.9/24", "nameservers": ["router"]}, "nameservers: router: not an address"),
        ({"address": "192.168.1.9/24", "search": ["a b"]}, "search: a b: not a domain"),
    ],
)
def test_a_network_that_cannot_be_is_refused(network: dict[str, Any], told: str) -> None:
    faults = faults_of({**NUC1, "network": network})
    assert faults[0].startswith(f"machine nuc1: netboot_network: {told}")


def test_one_address_for_whatever_boots_is_refused() -> None:
    (fault,) = faults_of(
        {
            "name": "any",
            "mac": "any",
            "install": "always",
            "wipe": "always",
            "network": {"address": "192.168.1.9/24"},
        }
    )
    assert fault.startswith("machine any: netboot_network: one address for whatever boots; name each machine")


def test_only_one_machine_can_stand_for_any() -> None:
    any1, any2 = (
        {"name": name, "mac": "any", "install": "always", "wipe": "always"} for name in ("any1", "any2")
    )
    assert machines.normalise([any1])[0]["mac"] == "any"
    (fault,) = faults_of({"name": "any1", "mac": "any"})
    assert fault.startswith("machine any1: netboot_install: 'once' does not go with netboot_mac: any")
    assert faults_of(any1, any2) == ["machines any1 and any2: netboot_mac: both have any; each needs its own"]


@pytest.mark.parametrize(
    ("images", "told"), [({}, "describe it in netboot_images"), ({"a": 1, "b": 2}, "name one of a, b")]
)
def test_an_image_must_be_named_unless_there_is_just_one(images: dict[str, int], told: str) -> None:
    (fault,) = faults_of({"name": "n", "mac": "f4:4d:30:60:64:69"}, images=images)
    assert fault.startswith("machine n: netboot_image: is missing; ")
    assert told in fault


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "../a", "a/b", "a..b", "a" * 64, ".".join(["a" * 63] * 5), "ä"]
)
def test_what_is_no_host_name_is_refused(name: str) -> None:
    assert "not a valid host name" in faults_of({"name": name, "mac": "f4:4d:30:60:64:69"})[0]


GIB = 1 << 30
NOBLE = {"release": "24.04.3", "folder": "images/noble/c351", "sizes": {"iso": 3 * GIB, "initrd": GIB // 2}}


def test_a_machine_learns_from_its_image() -> None:
    (machine,) = machines.normalise([{"name": "n", "mac": "f4:4d:30:60:64:69"}], {"noble": NOBLE})
    assert (machine["release"], machine["folder"]) == ("24.04.3", "images/noble/c351")
    assert machines.normalise([machine], {"noble": NOBLE}) == [machine]


def with_memory(memory: Any, image: Any = None, **settings: Any) -> list[str]:
    machine = {"name": "n", "mac": "f4:4d:30:60:64:69", "memory": memory, **settings}
    try:
        machines.normalise([machine], {"noble": image or NOBLE})
    except InputError as error:
        return error.faults
    return []


@pytest.mark.parametrize("memory", [None, "8G", "8 GiB", "8192MB", "64g"])
def test_enough_memory_is_enough(memory: str) -> None:
    assert with_memory(memory) == []


def test_a_machine_with_too_little_memory_is_refused_with_the_reason() -> None:
    (fault,) = with_memory("7.9GB")
    assert fault.startswith(
        "machine n: netboot_memory: 7.9GB is too little for image noble, which needs 8 GB: "
    )
    # the size of Ubuntu Server 22.04.5's ISO
    jammy = {"release": "22.04.5", "sizes": {"iso": 2136926208, "initrd": 70 << 20}}
    assert "2.5GB is too little for image noble, which needs 5.2 GB: " in with_memory("2.5GB", jammy)[0]
    assert with_memory("4G", install="never") == []
    assert with_memory("4G", {"release": None, "sizes": {}}) == []  # not known before the first download


def test_a_ram_disk_needs_less_where_the_release_can_use_one() -> None:
    arguments = {"kernel_args": ["root=/dev/ram0", "ramdisk_size=4000000"]}
    assert with_memory("5GB", {**NOBLE, "release": "22.04.5"}, **arguments) == []
    assert len(with_memory("4.9GB", {**NOBLE, "release": "22.04.5"}, **arguments)) == 1
    assert len(with_memory("5GB", **arguments)) == 1


@pytest.mark.parametrize("memory", ["8", 8, "lots", "8 apples", "0GB", "-8G", True])
def test_a_size_without_a_unit_could_mean_two_things(memory: Any) -> None:
    (fault,) = with_memory(memory)
    remedy = "write a number and its unit, like 8GB or 4096MB"
    assert fault == f"machine n: netboot_memory: '{memory}' is no size of memory; {remedy}"


def test_a_thousand_machines_are_quick_and_all_there() -> None:
    raw = [{"name": f"n{i}", "mac": f"52:54:00:00:{i // 256:02x}:{i % 256:02x}"} for i in range(1000)]
    assert [machine["name"] for machine in machines.normalise(raw)] == [f"n{i}" for i in range(1000)]


def test_a_machine_without_a_name_is_told_without_its_secrets() -> None:
    with pytest.raises(InputError) as caught:
        machines.normalise([{"mac": "f4:4d:30:60:64:69", "password_hash": "$6$secret"}])
    assert "machine f4:4d:30:60:64:69: name: not a valid" in str(caught.value)
    assert "secret" not in str(caught.value)
