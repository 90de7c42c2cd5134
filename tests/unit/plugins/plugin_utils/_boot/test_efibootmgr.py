# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.efibootmgr import network_entry

MAC = "f4:4d:30:60:64:69"
HEAD = "BootCurrent: 0001\nTimeout: 1 seconds\nBootOrder: 0001,0003,0004\n"
DISK = "Boot0001* ubuntu\tHD(1,GPT,4d3a,0x800,0x219800)/File(\\EFI\\ubuntu\\shimx64.efi)\n"
PXE6 = (
    "Boot0002* UEFI PXEv6 (MAC:F44D30606469)\tPciRoot(0x0)/Pci(0x2,0x0)/MAC(f44d30606469,1)/IPv6([::],0,0)\n"
)
PXE4 = "Boot0003* UEFI PXEv4 (MAC:F44D30606469)\tPciRoot(0x0)/Pci(0x2,0x0)/MAC(f44d30606469,1)/IPv4(0.0.0.0,0,0)\n"
OTHER = "Boot0004* UEFI PXEv4 (MAC:525400000001)\tPciRoot(0x0)/Pci(0x3,0x0)/MAC(525400000001,1)/IPv4(0.0.0.0,0,0)\n"


def test_the_card_that_the_inventory_names_by_ipv4() -> None:
    assert network_entry(HEAD + DISK + OTHER + PXE6 + PXE4, MAC) == "0003"
    assert network_entry(HEAD + DISK + PXE6 + OTHER, MAC) == "0002"


def test_another_one_rather_than_none() -> None:
    assert network_entry(HEAD + DISK + OTHER, MAC) == "0004"
    assert network_entry(HEAD + "Boot0007  Network Boot\n" + DISK, MAC) == "0007"


def test_a_disk_is_none() -> None:
    assert network_entry(HEAD + DISK, MAC) == ""
    assert network_entry("", MAC) == ""
