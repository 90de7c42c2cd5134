# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils import _machines, _seeds
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError

NUC1 = {"name": "nuc1", "mac": "f4:4d:30:60:64:69", "ssh_keys": ["ssh-ed25519 KEY"]}


def files(*machines: dict[str, Any]) -> dict[str, str]:
    return _seeds.files(_machines.normalise(machines))


def autoinstall(**settings: Any) -> dict[str, Any]:
    text = files({**NUC1, **settings})["nuc1/user-data"]
    assert text.startswith("#cloud-config\n")
    content: dict[str, Any] = yaml.safe_load(text)["autoinstall"]
    return content


def test_all_four_files_are_always_there() -> None:
    plan = files(NUC1)
    assert sorted(plan) == [
        f"nuc1/{name}" for name in ("meta-data", "network-config", "user-data", "vendor-data")
    ]
    assert plan["nuc1/meta-data"] == "instance-id: nuc1\n"
    assert plan["nuc1/vendor-data"] == plan["nuc1/network-config"] == ""


def test_a_mac_and_a_key_are_enough() -> None:
    assert autoinstall() == {
        "version": 1,
        "ssh": {"install-server": True, "allow-pw": False},
        "user-data": {
            "hostname": "nuc1",
            "users": [
                {
                    "name": "ubuntu",
                    "groups": ["adm", "sudo"],
                    "shell": "/bin/bash",
                    "ssh_authorized_keys": ["ssh-ed25519 KEY"],
                    "lock_passwd": True,
                    "sudo": "ALL=(ALL) NOPASSWD:ALL",
                }
            ],
        },
    }


def test_with_a_password_sudo_asks_for_it() -> None:
    (user,) = autoinstall(user="me", password_hash="$6$x", ssh_keys=[])["user-data"]["users"]
    assert (user["name"], user["passwd"], user["lock_passwd"]) == ("me", "$6$x", False)
    assert "sudo" not in user


def test_what_the_inventory_says_is_laid_over() -> None:
    given = {"locale": "ja_JP.UTF-8", "ssh": {"allow-pw": True}, "storage": {"layout": {"name": "direct"}}}
    result = autoinstall(autoinstall=given)
    assert result["locale"] == "ja_JP.UTF-8"
    assert result["ssh"] == {"install-server": True, "allow-pw": True}
    assert result["storage"] == {"layout": {"name": "direct"}}


def test_with_an_identity_subiquity_makes_the_user() -> None:
    identity = {"hostname": "h", "username": "u", "password": "$6$x"}
    result = autoinstall(autoinstall={"identity": identity})
    assert "user-data" not in result
    assert result["ssh"]["authorized-keys"] == ["ssh-ed25519 KEY"]


def test_a_machine_that_nobody_could_log_in_to_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        files({**NUC1, "ssh_keys": []}, {"name": "ok", "mac": "f4:4d:30:60:64:70", "password_hash": "$6$x"})
    (fault,) = caught.value.faults
    assert fault.startswith("machine nuc1: netboot_ssh_keys: nobody could log in")


def test_a_machine_that_is_never_installed_has_no_seed() -> None:
    assert files({**NUC1, "install": "never", "ssh_keys": []}) == {}
