# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._dnsmasq import loader_lines


def machine(mac: str, loader: str) -> dict[str, str]:
    return {"mac": mac, "loader": loader}


def test_all_alike_need_one_line() -> None:
    one = ["pxe-service=x86PC,homelab.netboot,lpxelinux"]
    assert loader_lines([]) == loader_lines([machine("a", "lpxelinux")]) == one


def test_the_odd_ones_are_tagged_and_the_others_are_not_offered_their_loader() -> None:
    assert loader_lines([machine("a", "lpxelinux"), machine("b", "pxelinux"), machine("c", "pxelinux")]) == [
        "dhcp-mac=set:pxelinux,b",
        "dhcp-mac=set:pxelinux,c",
        "pxe-service=tag:pxelinux,x86PC,homelab.netboot,pxelinux",
        "pxe-service=tag:!pxelinux,x86PC,homelab.netboot,lpxelinux",
    ]


def test_the_machine_that_stands_for_any_sets_what_is_usual() -> None:
    assert loader_lines(
        [machine("any", "pxelinux"), machine("b", "lpxelinux"), machine("c", "pxelinux")]
    ) == [
        "dhcp-mac=set:lpxelinux,b",
        "pxe-service=tag:lpxelinux,x86PC,homelab.netboot,lpxelinux",
        "pxe-service=tag:!lpxelinux,x86PC,homelab.netboot,pxelinux",
    ]
