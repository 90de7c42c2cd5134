# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import traps
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu.documents import RAID_1

KEY = {
    "ssh_authorized_keys": [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"
    ]
}
OPEN = {"name": "me", "lock_passwd": False}


def config(actions: list[dict[str, Any]]) -> list[str]:
    return [f"{path[2:]}: {text}" for path, text in traps.sections("storage", {"config": actions})]


@pytest.mark.parametrize(
    "told",
    [
        {"identity": {"password": "$6$x"}},
        {"identity": {"password": ""}, "ssh": {"authorized-keys": ["k"]}},
        {"user-data": {"users": [{"name": "me", **KEY}]}},
        {"user-data": {"users": [{"name": "me", "ssh_import_id": ["gh:me"]}]}},
        {"user-data": {"users": [{**OPEN, "passwd": "$6$x"}]}},
        {"user-data": {"users": [{**OPEN}], "chpasswd": {"list": "me:$6$x"}}},
        {"user-data": {"users": ["default"]}, "ssh": {"authorized-keys": ["k"]}},
        {"user-data": {**KEY}},
    ],
)
def test_somebody_can_log_in(told: dict[str, Any]) -> None:
    assert list(traps.whole(told)) == []


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"identity": {"password": ""}, "ssh": {"authorized-keys": []}},
        {"user-data": {"users": []}},
        {"user-data": {"users": [{"name": "me"}]}, "ssh": {"authorized-keys": ["k"]}},
        {
            "user-data": {"users": [{"name": "me", "passwd": "$6$x"}]}
        },  # cloud-init locks it, unless told not to
        {"user-data": {"users": [{"name": "me", "passwd": "$6$x", "lock_passwd": True}]}},
    ],
)
def test_nobody_can_log_in(told: dict[str, Any]) -> None:
    ((path, text),) = traps.whole(told)
    assert path == ()
    assert text.startswith("netboot_ssh_keys: nobody could log in")


def test_who_can_log_in_is_not_judged_where_that_section_is_wrong_anyway() -> None:
    assert list(traps.whole({}, ["ssh"])) == []
    assert list(traps.whole({}, ["apt"])) != []


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("$6$salt$hash", True),
        ("$6$rounds=4096$salt$hash", True),
        ("$y$j9T$salt$hash", True),
        ("$2b$12$salthash", True),
        ("!", True),
        ("*", True),
        ("geheim", False),
        ("$ecret", False),
        ("$6$", False),
        (12345, False),
    ],
)
def test_a_password_is_a_hash_or_refused(password: Any, good: bool) -> None:
    assert traps.is_hash(password) is good
    cloud = {"users": [{"name": "me", "passwd": password}], "password": password}
    paths = [path for path, dummy in traps.sections("user-data", cloud)]
    assert paths == ([] if good else [("user-data", "password"), ("user-data", "users", 0, "passwd")])


@pytest.mark.parametrize("listed", ["root:$6$x\nme:secret\nyou:RANDOM", ["root:$6$x", "me:secret", "you:R"]])
def test_a_list_of_passwords_is_read_line_by_line(listed: Any) -> None:
    assert [path for path, dummy in traps.sections("user-data", {"chpasswd": {"list": listed}})] == [
        ("user-data", "chpasswd", "list", 1)
    ]


def test_users_of_chpasswd() -> None:
    users = [
        {"name": "a", "password": "$6$x"},
        {"name": "b", "type": "RANDOM"},
        {"name": "c", "password": "secret", "type": "text"},
        {"name": "d", "password": "secret"},
    ]
    assert [path[3] for path, dummy in traps.sections("user-data", {"chpasswd": {"users": users}})] == [2, 3]


def test_a_raid_1_is_fine() -> None:
    assert config(RAID_1) == []


@pytest.mark.parametrize("type_", ["disk", "dasd", "device"])
def test_the_device_of_something_physical_is_no_reference(type_: str) -> None:
    first = {"type": type_, "id": "x", "device": "/dev/sda", "device_id": "0.0.1520"}
    assert config([first, *RAID_1]) == []


@pytest.mark.parametrize(
    ("number", "key", "value", "told"),
    [
        (2, "device", "aa", "(2, 'device'): there is no 'aa' in storage.config; did you mean a?"),
        (5, "devices", ["a2", "b3"], "(5, 'devices'): there is no 'b3' in storage.config; did you mean b?"),
        (
            2,
            "device",
            "md",
            "(2, 'device'): 'md' comes later; Subiquity reads from top to bottom, move it up",
        ),
        (7, "id", "fs", "(7, 'id'): 'fs' is there twice; give each its own"),
        (7, "path", "/srv", "(): nothing is mounted at '/'; add an action of type mount with path '/'"),
    ],
)
def test_a_config_that_refers_to_nothing(number: int, key: str, value: Any, told: str) -> None:
    actions = [dict(action) for action in RAID_1]
    actions[number][key] = value
    assert config(actions) == [told]


def test_pools_mount_their_root_themselves() -> None:
    disk = {"type": "disk", "id": "d"}
    pool = {"type": "zpool", "id": "p", "vdevs": ["d"], "pool": "rpool", "mountpoint": "/"}
    assert config([disk, pool, {"type": "zfs", "id": "z", "pool": "p", "volume": "/ROOT"}]) == []


@pytest.mark.parametrize(
    ("layout", "key"),
    [
        ({"name": "direct", "password": "x"}, "password"),
        ({"name": "zfs", "sizing-policy": "all"}, "sizing-policy"),
        ({"name": "lvm", "encrypted": True}, "encrypted"),
        ({"name": "lvm", "recovery-key": True}, "recovery-key"),
        ({"name": "lvm", "match": {}}, "match"),
    ],
)
def test_wishes_that_a_layout_ignores_are_refused(layout: dict[str, Any], key: str) -> None:
    ((path, dummy),) = traps.sections("storage", {"layout": layout})
    assert path == ("storage", "layout", key)


@pytest.mark.parametrize("name", ["lvm", "zfs"])
def test_layouts_that_can_be_encrypted(name: str) -> None:
    assert list(traps.sections("storage", {"layout": {"name": name, "password": "x"}})) == []
