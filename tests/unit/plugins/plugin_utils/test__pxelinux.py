# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _machines, _pxelinux

URL = "http://192.168.1.50"
MAC = "f4:4d:30:60:64:69"
FILE = "01-f4-4d-30-60-64-69"


def files(*machines: dict[str, Any]) -> dict[str, str]:
    return _pxelinux.files(
        _machines.normalise(machines, {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}}), URL
    )


def test_a_machine_gets_the_whole_kernel_line() -> None:
    assert files({"name": "nuc1", "mac": MAC})[FILE].splitlines()[1:] == [
        "DEFAULT install",
        "LABEL install",
        "  KERNEL http://192.168.1.50/images/focal/c351/vmlinuz",
        "  INITRD http://192.168.1.50/images/focal/c351/initrd",
        "  APPEND ip=dhcp url=http://192.168.1.50/images/focal/c351/focal.iso autoinstall"
        " ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/ cloud-config-url=/dev/null",
        "  IPAPPEND 2",
    ]


def test_the_release_decides_how_the_data_source_is_called() -> None:
    machine = {"name": "nuc1", "mac": MAC}
    for release, source in {"22.04.5": "nocloud-net", "24.04": "nocloud", None: "nocloud-net"}.items():
        text = _pxelinux.files(_machines.normalise([machine], {"focal": {"release": release}}), URL)[FILE]
        assert f" ds={source};s=http://192.168.1.50/machines/nuc1/ " in text


def test_plain_pxelinux_gets_paths_below_the_tftp_root() -> None:
    text = files({"name": "nuc1", "mac": MAC, "loader": "pxelinux"})[FILE]
    assert "KERNEL images/focal/c351/vmlinuz\n" in text
    assert "INITRD images/focal/c351/initrd\n" in text


def test_own_arguments_come_last_and_so_win() -> None:
    text = files({"name": "nuc1", "mac": MAC, "kernel_args": ["ip=192.168.1.7", "quiet"]})[FILE]
    assert text.splitlines()[-2].endswith("cloud-config-url=/dev/null ip=192.168.1.7 quiet")


def test_what_is_not_named_boots_its_disk() -> None:
    for machines in ([], [{"name": "nuc1", "mac": MAC}]):
        default = files(*machines)["default"]
        assert "LOCALBOOT" in default
        assert "KERNEL" not in default


def test_whoever_is_never_installed_is_spared_even_when_all_others_are_not() -> None:
    plan = files({"name": "spared", "mac": MAC, "install": "never"}, {"name": "rest", "mac": "any"})
    assert "LOCALBOOT" in plan[FILE]
    assert "KERNEL" not in plan[FILE]
    assert "/machines/rest/" in plan["default"]
