# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import entries, pxelinux
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines

URL = "http://192.168.1.50"
MAC = "f4:4d:30:60:64:69"


def text(armed: bool = True, **settings: Any) -> list[str]:
    (machine,) = machines.normalise(
        [{"name": "nuc1", "mac": MAC, **settings}],
        {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}},
    )
    return pxelinux.write(
        "nuc1", entries.entries(machine, {"base_url": URL, "address": "192.168.1.50"}, armed=armed), URL
    ).splitlines()[1:]


def test_a_machine_gets_the_whole_kernel_line() -> None:
    assert text() == [
        "DEFAULT install",
        "LABEL install",
        "  KERNEL http://192.168.1.50/images/focal/c351/vmlinuz",
        "  INITRD http://192.168.1.50/images/focal/c351/initrd",
        "  APPEND ip=dhcp url=http://192.168.1.50/images/focal/c351/focal.iso autoinstall"
        " ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/@TOKEN@/ cloud-config-url=/dev/null",
        "  IPAPPEND 2",
    ]


def test_plain_pxelinux_gets_paths_below_the_tftp_root() -> None:
    lines = text(quirks=["tftp-only"])
    assert "  KERNEL images/focal/c351/vmlinuz" in lines
    assert "  INITRD images/focal/c351/initrd" in lines


def test_own_arguments_come_last_and_so_win() -> None:
    lines = text(kernel_args=["ip=192.168.1.7", "quiet"])
    assert lines[-2].endswith("cloud-config-url=/dev/null ip=192.168.1.7 quiet")


def test_without_bootif_the_loader_adds_none() -> None:
    assert text(quirks=["no-bootif"]) == text()[:-1]


def test_whoever_is_left_alone_boots_its_disk() -> None:
    assert text(armed=False) == ["DEFAULT local", "LABEL local", "  LOCALBOOT -1"]


def test_a_menu_starts_its_first_entry_by_itself() -> None:
    lines = text(armed=False, menu=["rescue"])
    assert lines[:7] == [
        "UI menu.c32",
        "MENU TITLE homelab.netboot",
        "TIMEOUT 50",
        "DEFAULT local",
        "LABEL local",
        "  MENU LABEL The system on its disk",
        "  LOCALBOOT -1",
    ]
    assert lines[7:9] == ["LABEL rescue", "  MENU LABEL Rescue: focal without installing anything"]
    assert [line for line in text(menu=["rescue"]) if line.startswith(("DEFAULT", "LABEL"))] == [
        "DEFAULT install",
        "LABEL install",
        "LABEL local",
        "LABEL rescue",
    ]


def test_rescue_installs_nothing() -> None:
    lines = text(armed=False, menu=["rescue"])
    (append,) = (line for line in lines if "APPEND ip=" in line)
    assert append == (
        "  APPEND ip=dhcp url=http://192.168.1.50/images/focal/c351/focal.iso cloud-config-url=/dev/null"
    )
