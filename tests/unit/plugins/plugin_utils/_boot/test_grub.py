# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import entries, grub
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines

URL = "http://192.168.1.50"
MAC = "f4:4d:30:60:64:69"


def text(armed: bool = True, url: str = URL, **settings: Any) -> list[str]:
    (machine,) = machines.normalise(
        [{"name": "nuc1", "mac": MAC, **settings}],
        {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}},
    )
    return grub.write(
        "nuc1", entries.entries(machine, {"base_url": url, "address": "192.168.1.50"}, armed=armed), url
    ).splitlines()[1:]


def test_a_machine_gets_the_whole_kernel_line_quoted() -> None:
    assert text(kernel_args=["a'b"]) == [
        "set named=yes",
        "linux (http,192.168.1.50)/images/focal/c351/vmlinuz 'ip=dhcp'"
        " 'url=http://192.168.1.50/images/focal/c351/focal.iso' 'autoinstall'"
        " 'ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/@TOKEN@/' 'cloud-config-url=/dev/null'"
        " 'a'\\''b' 'BOOTIF=01-f4-4d-30-60-64-69'",
        "for attempt in 1 2 3 4 5; do",
        "  if initrd (http,192.168.1.50)/images/focal/c351/initrd; then boot; fi",
        "done",
    ]


def test_the_port_is_named_where_it_is_not_the_usual_one() -> None:
    assert text(url="http://192.168.1.50:8080")[1].startswith("linux (http,192.168.1.50:8080)/images/")


def test_by_tftp_and_without_bootif_when_the_machine_needs_that() -> None:
    lines = text(url="http://192.168.1.50:8080", quirks=["tftp-only", "no-bootif"])
    assert lines[1].startswith("linux (tftp,192.168.1.50)/images/focal/c351/vmlinuz ")
    assert lines[3] == "  if initrd (tftp,192.168.1.50)/images/focal/c351/initrd; then boot; fi"
    assert "BOOTIF" not in lines[1]


def test_every_machine_is_sent_to_its_own_file() -> None:
    assert grub.LOADER.paths(MAC, [{"base_url": URL}], several=True) == [
        (f"http/grub/machines/{MAC}.cfg", {"base_url": URL})
    ]
    assert grub.LOADER.paths("any", [{"base_url": URL}], several=False) == [
        ("http/grub/default.cfg", {"base_url": URL})
    ]
    (config,) = grub.LOADER.static([{}]).values()
    assert config.splitlines()[1:5] == [
        "source $prefix/machines/$net_default_mac.cfg",
        'if [ -z "$named" ]; then',
        "  source $prefix/default.cfg",
        "fi",
    ]
    assert "chainloader $loader" in config
    assert "linux" not in config


def test_whoever_is_left_alone_boots_its_disk() -> None:
    lines = text(armed=False)
    assert "    chainloader $loader" in lines
    assert not any("linux" in line for line in lines)


def test_whatever_boots_is_not_told_whose_card_to_take() -> None:
    assert "BOOTIF" not in text(mac="any", install="always", wipe="always")[1]


def test_a_menu_starts_its_first_entry_by_itself_and_goes_on_to_the_disk_when_that_fails() -> None:
    lines = text(menu=["rescue"])
    assert lines[:5] == [
        "set named=yes",
        "set menu=yes",
        "set default=0",
        "set timeout=5",
        "set fallback=1",
    ]
    assert [line.partition(" --id ")[2] for line in lines if line.startswith("menuentry")] == [
        "install {",
        "local {",
        "rescue {",
    ]
    assert "set fallback=0" in text(armed=False, menu=["rescue"])


def test_rescue_installs_nothing() -> None:
    lines = text(armed=False, menu=["rescue"])
    (kernel,) = (line for line in lines if line.startswith("  linux "))
    assert "autoinstall" not in kernel
    assert "ds=" not in kernel
    assert "url=http://192.168.1.50/images/focal/c351/focal.iso" in kernel
