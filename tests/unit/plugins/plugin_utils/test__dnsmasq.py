# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
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


def test_uefi_is_answered_where_there_is_a_loader() -> None:
    lines = loader_lines(
        [], ["shimx64.efi", "grubx64.efi"], "http://192.168.1.50", "Dnsmasq version 2.90  Copyright"
    )
    assert lines[1:] == [
        "pxe-service=X86-64_EFI,homelab.netboot,efi/shimx64.efi",
        "pxe-service=BC_EFI,homelab.netboot,efi/shimx64.efi",
    ]


@pytest.mark.parametrize(
    ("version", "spoken"), [("2.90", False), ("2.91", True), ("2.100", True), ("3.0", True), ("", False)]
)
def test_http_boot_needs_a_dnsmasq_that_can_give_it(version: str, spoken: bool) -> None:
    lines = loader_lines([], ["shimx64.efi"], "http://192.168.1.50", version)
    assert ("dhcp-option-pxe=tag:http16,67,http://192.168.1.50/efi/shimx64.efi" in lines) is spoken
    assert ("dhcp-pxe-vendor=PXEClient,HTTPClient" in lines) is spoken


def test_without_a_loader_http_boot_is_not_answered_either() -> None:
    assert loader_lines([], [], "http://192.168.1.50", "2.91") == loader_lines([])
