# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _machines, _pxelinux

URL = "http://192.168.1.50"
MAC = "f4:4d:30:60:64:69"
FILE = "tftp/pxelinux.cfg/01-f4-4d-30-60-64-69"
DEFAULT = "tftp/pxelinux.cfg/default"


def entries(machine: dict[str, Any], release: str | None = "20.04.6") -> dict[str, str]:
    images = {"focal": {"folder": "images/focal/c351", "release": release}}
    return _pxelinux.entries(_machines.normalise([machine], images)[0], URL)


def test_a_machine_gets_the_whole_kernel_line() -> None:
    assert entries({"name": "nuc1", "mac": MAC})[FILE].splitlines()[1:] == [
        "DEFAULT install",
        "LABEL install",
        "  KERNEL http://192.168.1.50/images/focal/c351/vmlinuz",
        "  INITRD http://192.168.1.50/images/focal/c351/initrd",
        "  APPEND ip=dhcp url=http://192.168.1.50/images/focal/c351/focal.iso autoinstall"
        " ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/@TOKEN@/ cloud-config-url=/dev/null",
        "  IPAPPEND 2",
    ]


def test_the_release_decides_how_the_data_source_is_called() -> None:
    machine = {"name": "nuc1", "mac": MAC}
    for release, source in {"22.04.5": "nocloud-net", "24.04": "nocloud", None: "nocloud-net"}.items():
        text = entries(machine, release)[FILE]
        assert f" ds={source};s=http://192.168.1.50/machines/nuc1/@TOKEN@/ " in text


def test_plain_pxelinux_gets_paths_below_the_tftp_root() -> None:
    text = entries({"name": "nuc1", "mac": MAC, "loader": "pxelinux"})[FILE]
    assert "KERNEL images/focal/c351/vmlinuz\n" in text
    assert "INITRD images/focal/c351/initrd\n" in text


def test_own_arguments_come_last_and_so_win() -> None:
    text = entries({"name": "nuc1", "mac": MAC, "kernel_args": ["ip=192.168.1.7", "quiet"]})[FILE]
    assert text.splitlines()[-2].endswith("cloud-config-url=/dev/null ip=192.168.1.7 quiet")


def test_what_is_not_named_or_not_armed_boots_its_disk() -> None:
    assert list(_pxelinux.static()) == [DEFAULT]
    assert list(_pxelinux.local()) == ["tftp/pxelinux.cfg"]
    for text in [*_pxelinux.static().values(), *_pxelinux.local().values()]:
        assert "LOCALBOOT" in text
        assert "KERNEL" not in text


def test_any_takes_the_place_of_what_is_not_named() -> None:
    assert "/machines/rest/" in entries({"name": "rest", "mac": "any", "install": "always"})[DEFAULT]
