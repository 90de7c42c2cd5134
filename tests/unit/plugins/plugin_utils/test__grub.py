# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _grub, _machines

MAC = "f4:4d:30:60:64:69"
FILE = f"http/grub/machines/{MAC}.cfg"
DEFAULT = "http/grub/default.cfg"


def entries(machine: dict[str, Any], url: str = "http://192.168.1.50") -> dict[str, str]:
    return _grub.entries(_machines.normalise([machine], {"focal": {"folder": "images/focal/c351"}})[0], url)


def test_a_machine_gets_the_whole_kernel_line_quoted() -> None:
    assert entries({"name": "nuc1", "mac": MAC, "kernel_args": ["a'b"]})[FILE].splitlines()[1:] == [
        "set named=yes",
        "linux (http,192.168.1.50)/images/focal/c351/vmlinuz 'ip=dhcp'"
        " 'url=http://192.168.1.50/images/focal/c351/focal.iso' 'autoinstall'"
        " 'ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/@TOKEN@/' 'cloud-config-url=/dev/null'"
        " 'a'\\''b' 'BOOTIF=01-f4-4d-30-60-64-69'",
        "initrd (http,192.168.1.50)/images/focal/c351/initrd",
        "boot",
    ]


def test_every_machine_is_sent_to_its_own_file() -> None:
    assert _grub.static()["http/grub/grub.cfg"].splitlines()[1:5] == [
        "source $prefix/machines/$net_default_mac.cfg",
        'if [ -z "$named" ]; then',
        "  source $prefix/default.cfg",
        "fi",
    ]
    plan = entries({"name": "nuc1", "mac": MAC}, url="http://192.168.1.50:8080")
    assert list(plan) == [FILE]
    assert "linux (http,192.168.1.50:8080)/images/focal/c351/vmlinuz " in plan[FILE]


def test_what_is_not_named_or_not_armed_boots_its_disk() -> None:
    assert sorted(_grub.static()) == [DEFAULT, "http/grub/grub.cfg"]
    assert list(_grub.local()) == ["http/grub/machines"]
    for text in [*_grub.static().values(), *_grub.local().values()]:
        assert "chainloader $loader" in text
        assert "linux" not in text


def test_whoever_is_named_and_not_armed_does_not_take_what_is_meant_for_others() -> None:
    assert "set named=yes\n" in _grub.local()["http/grub/machines"]
    rest = entries({"name": "rest", "mac": "any", "install": "always"})
    assert "/machines/rest/" in rest[DEFAULT]
    assert "BOOTIF" not in rest[DEFAULT]
