# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.dnsmasq import (
    lacking,
    loader_lines,
    network_lines,
)
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._boot.place import NETWORK

LAB = {
    "name": "lab",
    "address": "10.0.20.1",
    "interface": "eno1.20",
    "network": "10.0.16.0/20",
    "port": 8080,
    "base_url": "http://10.0.20.1:8080",
}
GIVEN: dict[str, Any] = {
    "name": "alone",
    "address": "192.168.40.1",
    "interface": "eno1.40",
    "network": "192.168.40.0/24",
    "port": 80,
    "base_url": "http://192.168.40.1",
    "dhcp": {
        "first": "192.168.40.100",
        "last": "192.168.40.199",
        "router": "192.168.40.254",
        "dns": ["192.168.40.254", "9.9.9.9"],
        "lease": "12h",
    },
}


def machine(mac: str, *quirks: str, image: str | None = None, ca: str = "auto") -> dict[str, Any]:
    return {
        "name": f"nuc-{mac}",
        "mac": mac,
        "quirks": list(quirks),
        "image": image,
        "secure_boot_ca": ca,
    }


def test_all_alike_need_one_line() -> None:
    one = ["pxe-service=x86PC,homelab.netboot,lpxelinux"]
    assert loader_lines([]) == loader_lines([machine("a")]) == one


def test_the_odd_ones_are_tagged_and_the_others_are_not_offered_their_loader() -> None:
    assert loader_lines([machine("a"), machine("b", "tftp-only"), machine("c", "tftp-only")]) == [
        "dhcp-mac=set:tftp-only,b",
        "dhcp-mac=set:tftp-only,c",
        "pxe-service=tag:tftp-only,x86PC,homelab.netboot,pxelinux",
        "pxe-service=tag:!tftp-only,x86PC,homelab.netboot,lpxelinux",
    ]


def test_the_boot_rom_of_a_raspberry_pi_is_answered_in_its_words_and_its_uefi_as_any_other() -> None:
    machines = [machine("a", "raspberry-pi"), machine("b"), machine("c", "tftp-only", "raspberry-pi")]
    lines = loader_lines(machines, ["shimaa64.efi"], [NETWORK], "2.90")
    assert lines == [
        "dhcp-mac=set:raspberry-pi,a",
        "dhcp-mac=set:raspberry-pi,c",
        "pxe-service=tag:raspberry-pi,x86PC,Raspberry Pi Boot",
        "pxe-service=tag:!raspberry-pi,x86PC,homelab.netboot,lpxelinux",
        "pxe-service=ARM64_EFI,homelab.netboot,efi/shimaa64.efi",
    ]


def test_the_machine_that_stands_for_any_sets_what_is_usual() -> None:
    assert loader_lines([machine("any", "tftp-only"), machine("b"), machine("c", "tftp-only")]) == [
        "dhcp-mac=set:not-tftp-only,b",
        "pxe-service=tag:!not-tftp-only,x86PC,homelab.netboot,pxelinux",
        "pxe-service=tag:not-tftp-only,x86PC,homelab.netboot,lpxelinux",
    ]


def test_uefi_is_answered_where_there_is_a_loader() -> None:
    lines = loader_lines([], ["shimx64.efi", "grubx64.efi"], [NETWORK], "Dnsmasq version 2.90  Copyright")
    assert lines[1:] == [
        "pxe-service=X86-64_EFI,homelab.netboot,efi/shimx64.efi",
        "pxe-service=BC_EFI,homelab.netboot,efi/shimx64.efi",
    ]


@pytest.mark.parametrize(
    ("version", "spoken"), [("2.90", False), ("2.91", True), ("2.100", True), ("3.0", True), ("", False)]
)
def test_http_boot_needs_a_dnsmasq_that_can_give_it(version: str, spoken: bool) -> None:
    lines = loader_lines([], ["shimx64.efi"], [NETWORK], version)
    assert ("dhcp-option-pxe=tag:http16,67,http://192.168.1.50/efi/shimx64.efi" in lines) is spoken
    assert ("dhcp-pxe-vendor=PXEClient,HTTPClient" in lines) is spoken


def test_without_a_loader_http_boot_is_not_answered_either() -> None:
    assert loader_lines([], [], [NETWORK], "2.91") == loader_lines([])


def test_without_a_shim_everybody_gets_ipxe_and_then_its_script() -> None:
    lines = loader_lines([machine("a", "ipxe"), machine("b")], ["ipxe.efi"], [NETWORK], "2.90")
    assert lines[1:] == [
        "dhcp-match=set:runs-ipxe,175",
        "dhcp-match=set:uefi,option:client-arch,7",
        "dhcp-match=set:uefi,option:client-arch,9",
        "dhcp-boot=tag:runs-ipxe,tag:uefi,http://192.168.1.50/ipxe/boot.ipxe",
        "pxe-service=tag:!runs-ipxe,X86-64_EFI,homelab.netboot,efi/ipxe.efi",
        "pxe-service=tag:!runs-ipxe,BC_EFI,homelab.netboot,efi/ipxe.efi",
    ]


def test_a_machine_with_the_quirk_gets_ipxe_and_all_others_shim() -> None:
    lines = loader_lines([machine("a", "ipxe"), machine("b")], ["shimx64.efi", "ipxe.efi"], [NETWORK], "2.91")
    assert lines[1] == "dhcp-mac=set:ipxe,a"
    assert "dhcp-boot=tag:ipxe,tag:runs-ipxe,tag:uefi,http://192.168.1.50/ipxe/boot.ipxe" in lines
    assert [line for line in lines if line.startswith(("pxe-service", "dhcp-option-pxe"))][1:] == [
        "pxe-service=tag:!ipxe,X86-64_EFI,homelab.netboot,efi/shimx64.efi",
        "pxe-service=tag:ipxe,tag:!runs-ipxe,X86-64_EFI,homelab.netboot,efi/ipxe.efi",
        "pxe-service=tag:!ipxe,BC_EFI,homelab.netboot,efi/shimx64.efi",
        "pxe-service=tag:ipxe,tag:!runs-ipxe,BC_EFI,homelab.netboot,efi/ipxe.efi",
        "pxe-service=tag:!ipxe,16,homelab.netboot,efi/shimx64.efi",
        "dhcp-option-pxe=tag:!ipxe,tag:http16,67,http://192.168.1.50/efi/shimx64.efi",
        "pxe-service=tag:ipxe,tag:!runs-ipxe,16,homelab.netboot,efi/ipxe.efi",
        "dhcp-option-pxe=tag:ipxe,tag:!runs-ipxe,tag:http16,67,http://192.168.1.50/efi/ipxe.efi",
    ]


def test_machines_of_an_image_that_shim_refuses_get_ipxe_and_all_others_shim() -> None:
    machines = [machine("a", image="focal"), machine("b", image="noble"), machine("c", image="focal")]
    there = ["shimx64.efi", "ipxe.efi", "focal.by-ipxe"]
    lines = loader_lines(machines, there, [NETWORK], "2.90")
    assert lines[1:3] == ["dhcp-mac=set:ipxe,a", "dhcp-mac=set:ipxe,c"]
    assert "pxe-service=tag:!ipxe,X86-64_EFI,homelab.netboot,efi/shimx64.efi" in lines
    assert "pxe-service=tag:ipxe,tag:!runs-ipxe,X86-64_EFI,homelab.netboot,efi/ipxe.efi" in lines
    # who stands for any machine at all may have it too, and BIOS is not concerned
    usual = loader_lines(
        [machine("any", image="focal"), machine("b", image="noble")], there, [NETWORK], "2.90"
    )
    assert usual[:2] == ["pxe-service=x86PC,homelab.netboot,lpxelinux", "dhcp-mac=set:not-ipxe,b"]
    assert "pxe-service=tag:not-ipxe,X86-64_EFI,homelab.netboot,efi/shimx64.efi" in usual


def test_ipxe_that_nobody_needs_is_not_offered() -> None:
    both = loader_lines([machine("b")], ["shimx64.efi", "ipxe.efi"], [NETWORK], "2.91")
    assert both == loader_lines([machine("b")], ["shimx64.efi"], [NETWORK], "2.91")


def test_arm64_is_answered_with_its_own_loaders_only() -> None:
    lines = loader_lines([], ["shimaa64.efi", "grubaa64.efi"], [NETWORK], "2.91")
    assert "pxe-service=ARM64_EFI,homelab.netboot,efi/shimaa64.efi" in lines
    assert "dhcp-option-pxe=tag:http19,67,http://192.168.1.50/efi/shimaa64.efi" in lines
    assert not any("x64" in line or "X86-64" in line or "tag:http16" in line for line in lines)


def test_machines_that_ask_for_an_authority_get_the_shim_that_it_has_signed_by_pxe_and_by_http() -> None:
    there = ["shimx64.efi", "2011/shimx64.efi", "2023/shimx64.efi", "ipxe.efi", "focal.by-ipxe"]
    machines = [
        machine("a", ca="2023"),
        machine("b"),
        machine("c", "ipxe"),
        machine("d", ca="2011", image="focal"),
    ]
    lines = loader_lines(machines, there, [NETWORK], "2.91")
    assert lines[1:4] == ["dhcp-mac=set:ca-2023,a", "dhcp-mac=set:ipxe,c", "dhcp-mac=set:ca-2011,d"]
    others = "tag:!ca-2023,tag:!ipxe,tag:!ca-2011,"
    assert [line for line in lines if line.startswith("pxe-service") and ",X86-64_EFI," in line] == [
        f"pxe-service={others}X86-64_EFI,homelab.netboot,efi/shimx64.efi",
        "pxe-service=tag:ipxe,tag:!runs-ipxe,X86-64_EFI,homelab.netboot,efi/ipxe.efi",
        "pxe-service=tag:ca-2011,X86-64_EFI,homelab.netboot,efi/2011/shimx64.efi",
        "pxe-service=tag:ca-2023,X86-64_EFI,homelab.netboot,efi/2023/shimx64.efi",
    ]
    url = "http://192.168.1.50/efi"
    assert f"dhcp-option-pxe={others}tag:http16,67,{url}/shimx64.efi" in lines
    assert f"dhcp-option-pxe=tag:ca-2023,tag:http16,67,{url}/2023/shimx64.efi" in lines


def test_the_machine_that_stands_for_any_may_ask_for_an_authority() -> None:
    there = ["shimx64.efi", "2011/shimx64.efi", "shimaa64.efi"]
    lines = loader_lines([machine("any", ca="2011"), machine("b")], there, [NETWORK], "2.90")
    assert lines[1] == "dhcp-mac=set:not-ipxe,b"
    assert "pxe-service=tag:not-ipxe,X86-64_EFI,homelab.netboot,efi/shimx64.efi" in lines
    assert "pxe-service=tag:!not-ipxe,X86-64_EFI,homelab.netboot,efi/2011/shimx64.efi" in lines
    # where there is no such shim, all get the one that there is
    assert "pxe-service=ARM64_EFI,homelab.netboot,efi/shimaa64.efi" in lines


def test_loaders_that_machines_ask_for_and_that_are_not_there_are_named() -> None:
    asking = [
        {"machine": name, "image": "noble", "wants": wants}
        for name, wants in (("nuc1", "ipxe"), ("nuc2", "2023"), ("nuc3", "2023"))
    ]
    first, second = lacking(asking, ["shimx64.efi", "2011/shimx64.efi"])
    assert first.startswith("the machines nuc1 have netboot_quirks: ipxe, but there is no efi/ipxe.efi. Role")
    assert second.startswith(
        "the machines nuc2, nuc3 have netboot_secure_boot_ca: 2023, "
        "but there is no efi/2023/shimx64.efi or efi/2023/shimaa64.efi."
    )
    assert lacking(asking, ["ipxe.efi", "2023/shimx64.efi"]) == []


def test_of_several_networks_each_client_is_told_the_address_in_its_own() -> None:
    lines = loader_lines([machine("a", "ipxe")], ["shimx64.efi", "ipxe.efi"], [NETWORK, LAB], "2.91")
    assert [line for line in lines if "http://" in line] == [
        "dhcp-boot=tag:ipxe,tag:runs-ipxe,tag:uefi,tag:eno1,http://192.168.1.50/ipxe/boot.ipxe",
        "dhcp-boot=tag:ipxe,tag:runs-ipxe,tag:uefi,tag:eno1.20,http://10.0.20.1:8080/ipxe/boot.ipxe",
        "dhcp-option-pxe=tag:!ipxe,tag:http16,tag:eno1,67,http://192.168.1.50/efi/shimx64.efi",
        "dhcp-option-pxe=tag:!ipxe,tag:http16,tag:eno1.20,67,http://10.0.20.1:8080/efi/shimx64.efi",
        "dhcp-option-pxe=tag:ipxe,tag:!runs-ipxe,tag:http16,tag:eno1,67,http://192.168.1.50/efi/ipxe.efi",
        "dhcp-option-pxe=tag:ipxe,tag:!runs-ipxe,tag:http16,tag:eno1.20,67,http://10.0.20.1:8080/efi/ipxe.efi",
    ]


def test_it_answers_in_each_network() -> None:
    assert network_lines([NETWORK, LAB]) == [
        "interface=eno1",
        "dhcp-range=192.168.1.0,proxy,255.255.255.0",
        "interface=eno1.20",
        "dhcp-range=10.0.16.0,proxy,255.255.240.0",
    ]
    assert network_lines([{**NETWORK, "relayed": [], "cached": ["192.168.40.0/24"]}])[2:] == [
        "dhcp-range=192.168.40.0,proxy,255.255.255.0",
    ]
    assert network_lines([{**NETWORK, "relayed": ["192.168.30.0/24"]}]) == [
        "interface=eno1",
        "dhcp-range=192.168.1.0,proxy,255.255.255.0",
        "dhcp-range=192.168.30.0,proxy,255.255.255.0",
    ]


def test_where_nobody_else_does_it_gives_addresses() -> None:
    assert network_lines([NETWORK, GIVEN])[2:] == [
        "interface=eno1.40",
        "dhcp-range=192.168.40.100,192.168.40.199,255.255.255.0,12h",
        "tag-if=set:gives,tag:eno1.40",
        "dhcp-option=tag:eno1.40,option:router,192.168.40.254",
        "dhcp-option=tag:eno1.40,option:dns-server,192.168.40.254,9.9.9.9",
    ]


def test_without_a_router_it_announces_none_not_even_itself() -> None:
    lines = network_lines([{**GIVEN, "dhcp": {**GIVEN["dhcp"], "router": "", "dns": []}}])
    assert [line for line in lines if "option" in line] == ["dhcp-option=tag:eno1.40,option:router"]


def test_with_the_address_it_names_the_loader_to_those_that_are_its_own() -> None:
    assert loader_lines([machine("a"), machine("b", "tftp-only")], ["shimx64.efi"], [GIVEN], "2.91")[2:] == [
        "dhcp-mac=set:tftp-only,b",
        "dhcp-match=set:arch0,option:client-arch,0",
        "dhcp-boot=tag:gives,tag:!left,tag:tftp-only,tag:arch0,pxelinux.0",
        "dhcp-boot=tag:gives,tag:!left,tag:!tftp-only,tag:arch0,lpxelinux.0",
        "dhcp-match=set:arch7,option:client-arch,7",
        "dhcp-boot=tag:gives,tag:!left,tag:arch7,efi/shimx64.efi",
        "dhcp-match=set:arch9,option:client-arch,9",
        "dhcp-boot=tag:gives,tag:!left,tag:arch9,efi/shimx64.efi",
        "dhcp-vendorclass=set:http16,HTTPClient:Arch:00016",
        "dhcp-option=tag:gives,tag:!left,tag:http16,67,http://192.168.40.1/efi/shimx64.efi",
        "dhcp-option-force=tag:gives,tag:!left,tag:http16,60,HTTPClient",
    ]


def test_beside_a_network_with_another_server_each_line_is_for_one_kind() -> None:
    lines = loader_lines([machine("a", "ipxe")], ["ipxe.efi"], [NETWORK, GIVEN], "2.91")
    named = [line for line in lines if line.startswith(("pxe-service", "dhcp-boot", "dhcp-option"))]
    scripts = [line for line in named if line.endswith("boot.ipxe")]
    assert scripts == [
        "dhcp-boot=tag:!left,tag:runs-ipxe,tag:uefi,tag:eno1,http://192.168.1.50/ipxe/boot.ipxe",
        "dhcp-boot=tag:!left,tag:runs-ipxe,tag:uefi,tag:eno1.40,http://192.168.40.1/ipxe/boot.ipxe",
    ]
    others = [line.partition("=")[2].partition(",")[0] for line in named if line not in scripts]
    assert set(others) == {"tag:gives", "tag:!gives"}
    assert "pxe-service=tag:!gives,x86PC,homelab.netboot,lpxelinux" in lines
    assert "dhcp-boot=tag:gives,tag:!left,tag:!runs-ipxe,tag:arch7,efi/ipxe.efi" in lines
    assert "dhcp-pxe-vendor=PXEClient,HTTPClient" in lines
