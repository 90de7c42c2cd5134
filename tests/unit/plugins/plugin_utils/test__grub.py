# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _grub, _machines

MAC = "f4:4d:30:60:64:69"
FILE = f"machines/{MAC}.cfg"


def files(*machines: dict[str, Any], url: str = "http://192.168.1.50") -> dict[str, str]:
    return _grub.files(_machines.normalise(machines, {"focal": {"folder": "images/focal/c351"}}), url)


def test_a_machine_gets_the_whole_kernel_line_quoted() -> None:
    assert files({"name": "nuc1", "mac": MAC, "kernel_args": ["a'b"]})[FILE].splitlines()[1:] == [
        "set named=yes",
        "linux (http,192.168.1.50)/images/focal/c351/vmlinuz 'ip=dhcp'"
        " 'url=http://192.168.1.50/images/focal/c351/focal.iso' 'autoinstall'"
        " 'ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/' 'cloud-config-url=/dev/null'"
        " 'a'\\''b' 'BOOTIF=01-f4-4d-30-60-64-69'",
        "initrd (http,192.168.1.50)/images/focal/c351/initrd",
        "boot",
    ]


def test_every_machine_is_sent_to_its_own_file() -> None:
    plan = files({"name": "nuc1", "mac": MAC}, url="http://192.168.1.50:8080")
    assert sorted(plan) == ["default.cfg", "grub.cfg", FILE]
    assert plan["grub.cfg"].splitlines()[1:5] == [
        "source $prefix/machines/$net_default_mac.cfg",
        'if [ -z "$named" ]; then',
        "  source $prefix/default.cfg",
        "fi",
    ]
    assert "linux (http,192.168.1.50:8080)/images/focal/c351/vmlinuz " in plan[FILE]


def test_what_is_not_named_or_not_answered_boots_its_disk() -> None:
    plan = files({"name": "nuc1", "mac": MAC})
    for name in ("default.cfg", "grub.cfg"):
        assert "chainloader $loader" in plan[name]
        assert "linux" not in plan[name]


def test_whoever_is_never_installed_is_spared_even_when_all_others_are_not() -> None:
    plan = files({"name": "spared", "mac": MAC, "install": "never"}, {"name": "rest", "mac": "any"})
    assert "chainloader" in plan[FILE]
    assert "linux" not in plan[FILE]
    assert "/machines/rest/" in plan["default.cfg"]
    assert "BOOTIF" not in plan["default.cfg"]
