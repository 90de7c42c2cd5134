# SPDX-License-Identifier: GPL-3.0-or-later
"""A boot told from recorded logs."""

from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import dnsmasq, nginx
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.joining import Joiner

from tests.lab.story import Line, Story
from tests.unit.lab.recordings import BOOT_BYTES, ISO_BYTES, MACHINES, ROOT, lines, story


def test_an_installation_is_told_in_full() -> None:
    told = story("nuc1")
    kinds = [step.kind for step in told.steps]
    assert kinds[:8] == ["address", "offer", "loader", "tftp", "tftp", "missing", "tftp", "http"]
    assert told.end == "done"
    assert told.bytes_tftp == 75_072 + 119_524 + 361
    assert told.bytes_http == ISO_BYTES + BOOT_BYTES + 18 + 403
    assert told.seeds() == {
        "network-config": [200],
        "meta-data": [200],
        "user-data": [200],
        "vendor-data": [200],
    }


def test_a_uefi_machine_by_pxe() -> None:
    told = story("uefi-pxe")
    kinds = [step.kind for step in told.steps]
    assert kinds[:8] == ["address", "offer", "loader", "tftp", "missing", "missing", "missing", "tftp"]
    # the transfer that only asked for shim's size is none
    assert told.bytes_tftp == 1_036_152 + 2_344_384 + 418 + 365
    assert told.end == "done"
    assert told.secure_boot == "kernel"


def test_a_uefi_machine_by_http_boot() -> None:
    told = story("uefi-http")
    assert [step.name for step in told.of("loader")] == ["http://192.168.1.50/efi/shimx64.efi"]
    assert told.bytes_tftp == 0
    names = [step.name for step in told.of("http") if step.status == 200]
    assert names[:4] == [
        "/efi/shimx64.efi",
        "/efi/grubx64.efi",
        "/grub/grub.cfg",
        "/grub/machines/52:54:00:12:34:13.cfg",
    ]
    assert told.secure_boot == "kernel"
    assert story("uefi-http-stranger").secure_boot == "grub"


def test_what_came_to_any_of_its_addresses_is_the_machines() -> None:
    machine = MACHINES["uefi-http"]
    later = "Nov 22 11:02:57 dnsmasq-dhcp[1]: 8 DHCPACK(br0) 192.168.1.44 " + machine.mac
    at = next(n for n, line in enumerate(lines("uefi-http")) if "focal.iso" in line.text)
    moved = [
        Line(line.when, line.source, line.text.replace(f" {machine.address} ", " 192.168.1.44 "))
        for line in lines("uefi-http")[at:]
    ]
    told = story("uefi-http", [*lines("uefi-http")[:at], Line(machine.power_on + 9, "router", later), *moved])
    assert told.bytes_http == story("uefi-http").bytes_http


def test_what_the_firmwares_console_shows() -> None:
    told = Story(MACHINES["nuc1"].mac, 0)
    for text in (
        "\x1b[2J\x1b[01;01H\rLOCAL DISK BOOTED",
        "\rerror: bad shim signature.",
        "error: no such device.",
    ):
        told.feed(Line(1, "serial", text))
    assert [step.name for step in told.steps] == ["LOCAL DISK BOOTED", "refused why=bad shim signature"]


@pytest.mark.parametrize(
    ("why", "end"),
    [
        ("Access Denied", "refused by the firmware"),
        ("Security Violation", "refused by the firmware"),
        ("Not Found", ""),
    ],
)
def test_a_loader_that_the_firmware_refuses_is_an_end_and_one_that_is_not_there_is_none(
    why: str, end: str
) -> None:
    told = Story(MACHINES["nuc1"].mac, 0)
    place = "PciRoot(0x0)/Pci(0x2,0x0)/MAC(525400123458,0x1)"
    told.feed(Line(1, "serial", f'BdsDxe: failed to load Boot0002 "UEFI PXEv4" from {place}: {why}'))
    assert told.end == end


@pytest.mark.parametrize("machine", MACHINES)
def test_the_server_alone_tells_what_the_lab_tells_with_the_routers_log(machine: str) -> None:
    joiner = Joiner({}, ROOT)
    records = [dnsmasq.read(line.text) or nginx.read(line.text) for line in lines(machine)]
    told = [event for record in records if record for event in joiner.feed(record)]
    mine = [event for event in told if event.mac == MACHINES[machine].mac]
    own = [event for event in mine if event.kind in ("tftp", "missing", "http")]
    steps = [step for step in story(machine).steps if step.kind in ("tftp", "missing", "http")]
    assert [(one.kind, one.name, one.status) for one in own] == [
        (one.kind, one.name, one.status) for one in steps
    ]
    assert steps


def test_times_count_from_power_on() -> None:
    times = {step.name: step.when for step in story("nuc1").steps}
    assert times["proxy"] == pytest.approx(2.357, abs=0.001)
    assert times["/images/jammy/jammy.iso"] == pytest.approx(15.568, abs=0.001)


def test_machines_are_told_apart() -> None:
    told = story("stranger")
    assert told.end == "local disk"
    assert told.bytes_http == 0
    assert told.ips == {MACHINES["stranger"].address}
    assert all("f4-4d" not in step.name for step in told.steps)


def test_the_search_for_a_configuration_is_kept_in_its_order() -> None:
    search = story("stranger").config_search()
    assert search[0] == ("58b41815-581e-c62a-d4e2-525400123456", False)
    assert search[1] == ("01-52-54-00-12-34-56", False)
    assert [name for name, _found in search[2:]] == [*("C0A80128"[:n] for n in range(8, 0, -1)), "default"]
    assert [found for _name, found in search] == [False] * 10 + [True]


def test_a_failure_is_the_end() -> None:
    told = story("nuc1", [*lines("nuc1")[:-1], Line(1795345370.0, "serial", "LAB failed why=no DHCP lease")])
    assert told.end == "failed: no DHCP lease"


def test_what_was_logged_before_power_on_is_another_boot() -> None:
    told = Story(MACHINES["nuc1"].mac, 1795345400.0)
    for line in lines("nuc1"):
        told.feed(line)
    assert not told.steps


@pytest.mark.parametrize("source", ["dnsmasq", "nginx", "router", "serial"])
@pytest.mark.parametrize("text", ["", "following", "\x00\xff", "LABEL", '- - "GET" 200'])
def test_noise_is_no_step(source: str, text: str) -> None:
    assert Story(MACHINES["nuc1"].mac, 0).feed(Line(1, source, text)) == []


def test_what_was_logged_before_says_whose_another_address_is() -> None:
    """Another machine, switched on before, fetches its ISO while this one has not fetched its own."""
    machine, told = MACHINES["nuc1"], list(lines("nuc1"))
    at = next(n for n, line in enumerate(told) if line.source == "nginx" and ".iso " in line.text)
    iso = Line(told[at].when, "nginx", told[at].text.replace(machine.address, "192.168.1.44"))
    mixed = [*told[:at], iso, *told[at:]]
    given = "Nov 22 10:00:00 dnsmasq-dhcp[1]: 7 DHCPACK(br0) 192.168.1.44 52:54:00:00:00:44"
    before = Line(machine.power_on - 60, "router", given)
    assert story("nuc1", [before, *mixed]).bytes_http == story("nuc1").bytes_http
    assert story("nuc1", mixed).bytes_http == story("nuc1").bytes_http + ISO_BYTES, "nobody said whose it is"
