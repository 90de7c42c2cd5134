# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import entries, ipxe
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines

URL = "http://192.168.1.50"
NETWORK = {"base_url": URL, "address": "192.168.1.50"}
MAC = "f4:4d:30:60:64:69"


def text(armed: bool = True, **settings: Any) -> list[str]:
    (machine,) = machines.normalise(
        [{"name": "nuc1", "mac": MAC, **settings}],
        {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}},
    )
    return ipxe.write("nuc1", entries.entries(machine, NETWORK, armed=armed), URL).splitlines()


def test_a_machine_gets_the_whole_kernel_line_and_its_disk_when_that_fails() -> None:
    assert text()[:6] == [
        "#!ipxe",
        "# Managed by Ansible (homelab.netboot): nuc1",
        ":install",
        "kernel http://192.168.1.50/images/focal/c351/vmlinuz initrd=initrd ip=dhcp"
        " url=http://192.168.1.50/images/focal/c351/focal.iso autoinstall"
        " ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/@TOKEN@/ cloud-config-url=/dev/null"
        " BOOTIF=01-f4-4d-30-60-64-69 || goto local",
        "initrd --name initrd http://192.168.1.50/images/focal/c351/initrd || goto local",
        "boot || goto local",
    ]
    assert text()[6] == ":local"
    assert text()[-1] == "exit 1"


def test_whatever_boots_goes_on_with_the_card_that_it_booted_from() -> None:
    assert " BOOTIF=01-${netX/mac:hexhyp} ||" in text(mac="any", install="always", wipe="always")[3]
    assert "BOOTIF" not in text(mac="any", install="always", wipe="always", quirks=["no-bootif"])[3]


def test_by_tftp_when_the_machine_needs_that() -> None:
    assert text(quirks=["tftp-only"])[3].startswith("kernel tftp://192.168.1.50/images/focal/c351/vmlinuz ")


def test_whoever_is_left_alone_boots_its_disk_or_what_the_firmware_has_next() -> None:
    lines = text(armed=False)
    assert lines[2:4] == [
        ":local",
        r"sanboot --no-describe --drive 0 --filename \EFI\ubuntu\shimx64.efi ||",
    ]
    assert lines[-1] == "exit 1"
    assert not any(line.startswith(("kernel", "boot")) for line in lines)


def test_a_menu_starts_its_first_entry_by_itself_and_ends_with_the_disk() -> None:
    lines = text(menu=["rescue"])
    assert lines[2:8] == [
        "menu homelab.netboot",
        "item install Install focal: WIPES THE DISK",
        "item local The system on its disk",
        "item rescue Rescue: focal without installing anything",
        "choose --default install --timeout 5000 entry || goto local",
        "goto ${entry}",
    ]
    assert [line for line in lines if line.startswith(":")] == [":install", ":rescue", ":local"]


def test_rescue_installs_nothing() -> None:
    (kernel,) = (line for line in text(armed=False, menu=["rescue"]) if line.startswith("kernel "))
    assert "autoinstall" not in kernel
    assert "ds=" not in kernel


def test_every_ipxe_is_sent_to_its_own_script() -> None:
    (script,) = ipxe.LOADER.static([{}]).values()
    assert "chain machines/${netX/mac:hexhyp}.ipxe || goto local" in script.splitlines()
    assert ipxe.LOADER.paths(MAC, [{"base_url": URL}], several=True) == [
        ("http/ipxe/machines/f4-4d-30-60-64-69.ipxe", {"base_url": URL})
    ]
    assert ipxe.LOADER.paths("any", [{"base_url": URL}], several=False) == [
        ("http/ipxe/default.ipxe", {"base_url": URL})
    ]
