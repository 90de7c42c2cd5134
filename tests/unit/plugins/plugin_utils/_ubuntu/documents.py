# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of autoinstall mappings, right and wrong, always the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

HASH = "$6$wdAcoXrU039hKYPd$508Qvbe7ObUnxoj15DRCkzC3qO7edjH0VV7BPNRDYK4QR8ofJaEEF2heacn0QgD"
LOGIN = {
    "user-data": {
        "hostname": "nuc1",
        "users": [{"name": "ubuntu", "ssh_authorized_keys": ["ssh-ed25519 KEY"]}],
    }
}
MINIMUM: dict[str, Any] = {"version": 1, **LOGIN}
RAID_1: list[dict[str, Any]] = [
    {"type": "disk", "id": "a", "match": {"serial": "A*"}, "ptable": "gpt", "grub_device": True},
    {"type": "disk", "id": "b", "match": {"serial": "B*"}, "ptable": "gpt"},
    {"type": "partition", "id": "a1", "device": "a", "size": "1G", "flag": "bios_grub"},
    {"type": "partition", "id": "a2", "device": "a", "size": -1},
    {"type": "partition", "id": "b2", "device": "b", "size": -1},
    {"type": "raid", "id": "md", "name": "md0", "raidlevel": 1, "devices": ["a2", "b2"]},
    {"type": "format", "id": "fs", "fstype": "ext4", "volume": "md"},
    {"type": "mount", "id": "root", "path": "/", "device": "fs"},
]

#: Right values of every section: what Subiquity's documentation shows, and a little more.
RIGHT: dict[str, list[Any]] = {
    "interactive-sections": [[], ["network", "storage"], ["*"]],
    "early-commands": [[], ["true"], [["sh", "-c", "true"], "true"]],
    "late-commands": [["curtin in-target -- apt-get update"], [["true"]]],
    "error-commands": [["tar -czf /installer-logs.tar.gz /var/log/installer/"]],
    "locale": ["en_US.UTF-8", "el_GR", "C.UTF-8", "ca_ES.UTF-8@valencia"],
    "refresh-installer": [{"update": True, "channel": "latest/edge"}, {"update": False}, {}],
    "keyboard": [
        {"layout": "us,gr", "variant": ",simple", "toggle": "alt_shift_toggle"},
        {"layout": "jp", "toggle": None},
    ],
    "source": [{"search_drivers": True, "id": "ubuntu-server-minimal"}],
    "network": [
        {"version": 2, "ethernets": {"enp0s31f6": {"dhcp6": True}}},
        {"network": {"version": 2, "ethernets": {"any": {"match": {"name": "en*"}, "dhcp4": True}}}},
        {
            "version": 2,
            "ethernets": {"a": {"match": {"macaddress": "f4:4d:30:60:64:69"}}, "b": {}},
            "bonds": {"bond0": {"interfaces": ["a", "b"]}},
            "vlans": {"vlan7": {"id": 7, "link": "bond0"}},
        },
    ],
    "proxy": ["http://172.16.90.1:3128", None],
    "apt": [
        {
            "mirror-selection": {
                "primary": ["country-mirror", {"uri": "http://m/ubuntu", "arches": ["amd64"]}]
            }
        },
        {"geoip": False, "fallback": "offline-install", "preserve_sources_list": False},
        {
            "primary": [{"arches": ["default"], "uri": "http://m/ubuntu"}],
            "disable_components": ["multiverse"],
        },
        {"sources": {"ppa": {"source": "ppa:a/b"}}, "conf": "APT::Get::Assume-Yes true;"},
        {"preferences": [{"package": "*", "pin": "release a=noble", "pin-priority": 200}]},
    ],
    "storage": [
        {"layout": {"name": "lvm"}},
        {"layout": {"name": "direct", "match": {"ssd": True, "size": "largest"}}},
        {"layout": {"name": "zfs", "match": {"serial": "CT*"}}},
        {"layout": {"name": "lvm", "sizing-policy": "all", "password": "a passphrase", "ptable": "msdos"}},
        {
            "layout": {
                "name": "direct",
                "match": [{"serial": "A"}, {"path": "/dev/nvme0n1"}],
                "reset-partition": "12G",
            }
        },
        {"layout": {"name": "hybrid", "encrypted": True}},
        {"config": RAID_1, "swap": {"size": 0}, "grub": {"reorder_uefi": False}},
    ],
    "identity": [
        {"realname": "U", "username": "ubuntu", "hostname": "nuc1", "password": HASH},
        {"username": "ubuntu", "hostname": "nuc1", "password": HASH, "groups": {"append": ["lpadmin"]}},
        {"username": "ubuntu", "hostname": "nuc1", "password": HASH, "groups": ["adm", "sudo"]},
    ],
    "active-directory": [{"admin-name": "ubuntu", "domain-name": "ad.example.com"}],
    "ubuntu-pro": [{"token": "C1NWcZTHLteJXGVMM6YhvHDpGrhyy7"}, {}],
    "ubuntu-advantage": [{"token": "C1NWcZTHLteJXGVMM6YhvHDpGrhyy7"}],
    "ssh": [{"install-server": True, "authorized-keys": ["ssh-ed25519 KEY"], "allow-pw": False}],
    "codecs": [{"install": True}],
    "drivers": [{"install": False}],
    "oem": [{"install": "auto"}, {"install": True}],
    "snaps": [[{"name": "etcd", "channel": "edge", "classic": False}, {"name": "go"}]],
    "debconf-selections": ["ufw ufw/enable boolean true\n"],
    "packages": [["ipython3", "dns-server^", "git=1:2.43-1"], []],
    "kernel": [{"package": "linux-image-5.13.0-40-generic"}, {"flavor": "hwe"}],
    "kernel-crash-dumps": [{"enabled": None}, {"enabled": True}],
    "timezone": ["Etc/UTC", "Europe/London", "geoip"],
    "updates": ["security", "all"],
    "shutdown": ["reboot", "poweroff"],
    "reporting": [
        {"builtin": {"type": "print"}},
        {"hook": {"type": "webhook", "endpoint": "http://example.com/path", "level": "INFO"}},
        {"central": {"type": "rsyslog", "destination": "@192.168.0.1"}, "builtin": {"type": "none"}},
        {"here": {"type": "journald", "identifier": "installer"}},
    ],
    "user-data": [{"users": [{"name": "a", "passwd": HASH, "lock_passwd": False}], "timezone": "Etc/UTC"}],
    "zdevs": [[{"id": "0.0.1507", "enabled": True}]],
}
#: Wrong ones beyond what is damaged below: what people write.
WRONG: dict[str, list[Any]] = {
    "version": [0, 2, "1", None],
    "interactive-sections": [["netwrok"], "network"],
    "early-commands": ["true", [1], [["a", 1]], [None], [[]], [""]],
    "locale": ["en-US", "english", "de_DEU.UTF-8", 1],
    "keyboard": [{"layout": "uk"}, {"layout": "us", "model": "pc105"}],
    "timezone": ["Europe/Berln", "CEST", 2],
    "network": [
        {"ethernets": {}},
        {"version": 1, "config": []},
        {"version": 2, "network": {"version": 2}},
        {"version": 2, "ethernets": {"match": {"macadress": "x"}}},
        {"version": 2, "ethernet": {}},
    ],
    "proxy": ["172.16.90.1:3128", False],
    "apt": [
        {"fallback": "offline"},
        {"mirror-selection": {"primary": ["http://m/ubuntu"]}},
        {"geo-ip": False},
    ],
    "storage": [
        {"layout": {"name": "lvmm"}},
        {"layout": {}},
        {"layout": "lvm"},
        {"layout": {"name": "direct", "match": {"serail": "X"}}},
        {"layout": {"name": "direct", "match": {}}},
        {"layout": {"name": "direct", "password": "a passphrase"}},
        {"layout": {"name": "lvm", "pasword": "a passphrase"}},
        {"layout": {"name": "lvm", "match": {"size": "500G"}}},
        {"layout": {"name": "lvm", "recovery-key": True}},
        {"layout": {"name": "lvm"}, "config": RAID_1},
        {"config": []},
        {"config": RAID_1[:-1]},
        {"config": RAID_1[1:]},
        {"config": [*RAID_1, RAID_1[0]]},
        {"config": [RAID_1[5], *RAID_1]},
        {"config": [{**RAID_1[0], "type": "disc"}, *RAID_1[1:]]},
        {"config": {"version": 1, "config": RAID_1}},
    ],
    "identity": [
        {"username": "ubuntu", "hostname": "nuc1", "password": "ubuntu"},
        {"username": "admin", "hostname": "nuc1", "password": HASH},
        {"username": "Ubuntu", "hostname": "nuc1", "password": HASH},
        {"username": "ubuntu", "hostname": "nuc 1", "password": HASH},
        {"username": "u", "hostname": "h", "password": HASH, "groups": {"append": ["a"], "override": ["b"]}},
    ],
    "ssh": [{"authorized_keys": ["ssh-ed25519 KEY"]}, {"install-server": "yes"}],
    "ubuntu-pro": [{"token": "C1NWcZTHLteJXGVMM6YhvHDpGrhy0O"}],
    "snaps": [["etcd"], [{"name": "etcd", "chanel": "edge"}]],
    "packages": ["tmux", [{"name": "tmux"}], ["tmux mc"]],
    "kernel": [{}, {"package": "a", "flavor": "b"}],
    "oem": ["auto", {"install": "yes"}],
    "updates": ["none"],
    "shutdown": ["halt"],
    "reporting": [{"hook": {"type": "webhok"}}, {"hook": {"type": "webhook"}}, {"type": "print"}],
    "user-data": [
        {"users": [{"name": "a", "passwd": "secret", "lock_passwd": False}]},
        {"users": [{"name": "a", "passwd": HASH}]},
        {"users": [{"name": "a", "ssh_authorized_keys": ["k"], "plain_text_passwd": "secret"}]},
        {**LOGIN["user-data"], "chpasswd": {"list": "ubuntu:secret"}},
        {
            **LOGIN["user-data"],
            "chpasswd": {"users": [{"name": "ubuntu", "password": "secret", "type": "text"}]},
        },
        {**LOGIN["user-data"], "password": "secret"},
        {"users": []},
        [],
    ],
}
#: Whole mappings in which sections do not go together, and keys that are none.
WHOLE: dict[str, dict[str, Any]] = {
    "no version": LOGIN,
    "no login": {"version": 1},
    "interactive and reporting": {
        **MINIMUM,
        "interactive-sections": ["*"],
        "reporting": {"b": {"type": "none"}},
    },
    "late-command": {**MINIMUM, "late-command": ["true"]},
    "user_data": {**MINIMUM, "user_data": {}},
    "autoinstall": {"autoinstall": MINIMUM},
    "bootcmd": {**MINIMUM, "bootcmd": ["true"]},
}
_OTHER: tuple[Any, ...] = (None, True, 7, "x", ["x"], {"x": "x"})


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and a mapping each."""
    yield "minimum", MINIMUM
    yield from WHOLE.items()
    for section, values in RIGHT.items():
        for number, value in enumerate(values):
            yield f"{section} {number}", {**MINIMUM, section: value}
            for name, damaged in _damaged(value):
                yield f"{section} {number}{name}", {**MINIMUM, section: damaged}
    for section, values in WRONG.items():
        for number, value in enumerate(values):
            yield f"{section} wrong {number}", {**MINIMUM, section: value}
    # Everything at once, one of each.
    everything = {section: values[0] for section, values in RIGHT.items() if section != "reporting"}
    yield "everything", {**MINIMUM, **everything, **LOGIN}


def _damaged(value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Yield a value with one thing in it changed: another type, a key that is not known, a key left out."""
    for other in _OTHER:
        if type(other) is not type(value):
            yield f" as {type(other).__name__}", other
    if isinstance(value, dict):
        yield " + unheard-of", {**value, "unheard-of": 1}
        for key, item in value.items():
            yield f" - {key}", {name: one for name, one in value.items() if name != key}
            yield f" mistyped {key}", {name + "_" * (name == key): one for name, one in value.items()}
            if depth:
                for name, damaged in _damaged(item, depth - 1):
                    yield f".{key}{name}", {**value, key: damaged}
    elif isinstance(value, list) and value and depth:
        for name, damaged in _damaged(value[0], depth - 1):
            yield f"[0]{name}", [damaged, *value[1:]]
