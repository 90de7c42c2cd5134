# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import autoinstall, live, releases

HASH = "$6$aaaaaaaa$4ytjk4CO0B599Bzc/7w5hKErpcKA2/MyBcv5dCFNBin3TPSd6cH/XpYf9ZeGd7ZsjNn2xxUXejVbPGVF.jYa6/"
NUC1 = {
    "name": "nuc1",
    "mac": "f4:4d:30:60:64:69",
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"],
}
NOBLE = releases.find("24.04")


def composed(release: releases.Release = NOBLE, **settings: Any) -> dict[str, Any]:
    (machine,) = machines.normalise([{**NUC1, **settings}])
    return autoinstall.settings(machine, release)


def test_a_mac_and_a_key_are_enough() -> None:
    assert composed(protect_label="") == {
        "version": 1,
        "ssh": {"install-server": True, "allow-pw": False},
        "user-data": {
            "hostname": "nuc1",
            "users": [
                {
                    "name": "ubuntu",
                    "groups": ["adm", "sudo"],
                    "shell": "/bin/bash",
                    "ssh_authorized_keys": [
                        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"
                    ],
                    "lock_passwd": True,
                    "sudo": "ALL=(ALL) NOPASSWD:ALL",
                }
            ],
        },
    }


def test_with_a_password_sudo_asks_for_it() -> None:
    (user,) = composed(user="me", password_hash=HASH, ssh_keys=[])["user-data"]["users"]
    assert (user["name"], user["passwd"], user["lock_passwd"]) == ("me", HASH, False)
    assert "sudo" not in user


def test_site_group_and_machine_are_laid_over_one_another_in_this_order() -> None:
    told = composed(
        autoinstall_site={
            "locale": "de_DE",
            "packages": ["a", "b"],
            "ssh": {"allow-pw": True},
            "updates": "all",
        },
        autoinstall_group={"locale": "fr_FR", "packages": ["c"], "apt": {"geoip": False}},
        autoinstall={"locale": "ja_JP", "apt": {"fallback": "abort"}},
    )
    assert told["locale"] == "ja_JP"  # the machine's
    assert told["packages"] == ["c"]  # a list is replaced
    assert told["apt"] == {"geoip": False, "fallback": "abort"}  # mappings are merged
    assert told["ssh"] == {"install-server": True, "allow-pw": True}  # also over what is generated
    assert told["updates"] == "all"


def test_keys_that_nobody_here_knows_pass() -> None:
    told = composed(autoinstall={"apt": {"novel": 1}, "user-data": {"bootcmd": ["true"]}})
    assert told["apt"] == {"novel": 1}
    assert told["user-data"]["bootcmd"] == ["true"]
    assert told["user-data"]["hostname"] == "nuc1"


def test_with_an_identity_subiquity_makes_the_user() -> None:
    identity = {"hostname": "h", "username": "u", "password": "$6$x"}
    told = composed(autoinstall={"identity": identity})
    assert "user-data" not in told
    assert told["identity"] == identity
    assert told["ssh"]["authorized-keys"] == [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"
    ]


def test_an_identity_is_completed_from_the_settings() -> None:
    told = composed(user="me", password_hash=HASH, autoinstall={"identity": {"realname": "Me"}})
    assert told["identity"] == {"hostname": "nuc1", "username": "me", "password": HASH, "realname": "Me"}


def test_no_network_is_written_unless_wished() -> None:
    assert "network" not in composed()


@pytest.mark.parametrize(
    ("network", "card"),
    [
        ({"address": "192.168.1.32/24"}, {"addresses": ["192.168.1.32/24"]}),
        (
            {
                "address": "192.168.1.32/24",
                "gateway": "192.168.1.1",
                "nameservers": ["192.168.1.1", "9.9.9.9"],
                "search": ["lan"],
            },
            {
                "addresses": ["192.168.1.32/24"],
                "routes": [{"to": "0.0.0.0/0", "via": "192.168.1.1"}],
                "nameservers": {"addresses": ["192.168.1.1", "9.9.9.9"], "search": ["lan"]},
            },
        ),
        (
            {"address": "fd00::32/64", "gateway": "fd00::1"},
            {"addresses": ["fd00::32/64"], "routes": [{"to": "::/0", "via": "fd00::1"}]},
        ),
    ],
)
def test_a_static_address_is_given_to_the_card_that_boots(network: Any, card: dict[str, Any]) -> None:
    match = {"match": {"macaddress": "f4:4d:30:60:64:69"}}
    assert composed(network=network)["network"] == {"version": 2, "ethernets": {"boot": {**match, **card}}}


def test_a_disk_is_chosen_for_the_layout_that_the_inventory_wishes() -> None:
    assert composed(disk={"serial": "S3Z*"})["storage"] == {
        "layout": {"name": "lvm", "match": {"serial": "S3Z*"}}
    }
    told = composed(disk={"size": "smallest"}, autoinstall={"storage": {"layout": {"name": "zfs"}}})
    assert told["storage"] == {"layout": {"name": "zfs", "match": {"size": "smallest"}}}


def test_a_whole_config_stays_as_it_is() -> None:
    config = [{"type": "disk", "id": "d", "match": {"serial": "S"}}]
    assert composed(autoinstall={"storage": {"config": config}})["storage"] == {"config": config}


def test_who_says_only_swap_still_gets_a_disk() -> None:
    told = composed(autoinstall={"storage": {"swap": {"size": 0}}})
    assert told["storage"] == {"layout": {"name": "lvm"}, "swap": {"size": 0}}


@pytest.mark.parametrize("release", ["20.04", "22.04", ""])
def test_the_boot_order_stays_where_the_installer_would_put_the_network_first(release: str) -> None:
    row = releases.find(release)
    assert composed(row)["storage"] == {"grub": {"reorder_uefi": False}, "layout": {"name": "lvm"}}
    wished = {"storage": {"grub": {"reorder_uefi": True}}}
    assert composed(row, autoinstall=wished)["storage"]["grub"] == {"reorder_uefi": True}


def test_what_is_served_is_what_was_checked_and_the_commands_of_our_own() -> None:
    (machine,) = machines.normalise(
        [{**NUC1, "autoinstall": {"late-commands": ["one"], "early-commands": ["two"]}}]
    )
    told = autoinstall.compose(machine, "http://192.168.1.50", NOBLE)
    checked = autoinstall.settings(machine, NOBLE)
    told["user-data"].pop("phone_home")
    assert {key: told[key] for key in checked if not key.endswith("-commands")} == {
        key: checked[key] for key in checked if not key.endswith("-commands")
    }
    assert "one" in told["late-commands"]
    assert told["early-commands"] == [*live.commands("http://192.168.1.50")["early-commands"][0], "two"]


def phone_home(base_url: str = "http://192.168.1.50", **settings: Any) -> Any:
    (machine,) = machines.normalise([{**NUC1, **settings}])
    return autoinstall.compose(machine, base_url, NOBLE).get("user-data", {}).get("phone_home")


def test_the_installed_system_tells_its_first_start_with_or_without_an_identity() -> None:
    ours = {
        "url": "http://192.168.1.50/reports/nuc1.@TOKEN@.up",
        "post": ["pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519"],
        "tries": 10,
    }
    assert phone_home() == ours
    identity = {"hostname": "x", "username": "y", "password": HASH}
    assert phone_home(autoinstall={"identity": identity}) == ours
    assert phone_home(autoinstall={"user-data": {"packages": ["tmux"]}}) == ours
    assert phone_home(base_url="") is None


def test_who_has_a_phone_home_keeps_it_and_who_is_not_one_machine_once_has_none() -> None:
    theirs = {"url": "http://192.168.1.9/"}
    assert phone_home(autoinstall_site={"user-data": {"phone_home": theirs}}) == theirs
    assert phone_home(install="always", wipe="always") is None
    assert phone_home(install="always", wipe="always", mac="any") is None
