# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a boot pass on a good one, and each fails on the fault that it is for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab import verdict
from tests.lab.arch import ARM64
from tests.lab.story import Line, Step, Story
from tests.unit.lab.recordings import (
    BOOT_BYTES,
    ISO,
    ISO_BYTES,
    MACHINES,
    UEFI_BOOT_BYTES,
    UEFI_ISO,
    UEFI_ISO_BYTES,
    lines,
    story,
)

Change = Callable[[str], list[str]]


def changed(machine: str, change: Change) -> Story:
    """The machine's story when the logs had been different: change makes any number of lines of each."""
    return story(
        machine, [Line(old.when, old.source, new) for old in lines(machine) for new in change(old.text)]
    )


def installed(told: Story) -> list[str]:
    """The verdict on an installation."""
    return verdict.installed(told, ISO, ISO_BYTES, BOOT_BYTES)


def drop(part: str) -> Change:
    """Lines that contain the part were never logged."""
    return lambda text: [] if part in text else [text]


def double(part: str) -> Change:
    """Lines that contain the part were logged twice."""
    return lambda text: [text, text] if part in text else [text]


def swap(old: str, new: str) -> Change:
    """The logs say something else."""
    return lambda text: [text.replace(old, new)]


def test_a_good_installation_has_no_fault() -> None:
    told = story("nuc1")
    assert installed(told) == []
    assert verdict.by_http(told) == []
    assert verdict.searched(told, "01-f4-4d-30-60-64-69") == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (drop("LAB done"), "did not get to the end"),
        (double("jammy.iso HTTP"), "fetched 2 times"),
        (double("jammy.iso HTTP"), "bytes fetched, more than"),
        (swap('jammy.iso HTTP/1.1" 200', 'jammy.iso HTTP/1.1" 206'), "instead of once"),
        (drop("/vendor-data"), "vendor-data: answered with nothing"),
        (swap('vendor-data HTTP/1.1" 200', 'vendor-data HTTP/1.1" 404'), "vendor-data: answered with [404]"),
    ],
)
def test_faults_of_an_installation(change: Change, fault: str) -> None:
    assert any(fault in text for text in installed(changed("nuc1", change)))


def test_kernel_by_http_is_not_kernel_by_tftp() -> None:
    assert len(verdict.by_tftp(story("nuc1"))) == 3
    told = changed("nuc1", drop("/images/jammy/initrd"))
    assert verdict.by_http(told) == ["initrd did not come by HTTP"]
    assert verdict.by_http(changed("nuc1", swap("lpxelinux.0", "pxelinux.0")))


def test_a_stranger_is_left_alone() -> None:
    assert verdict.left_alone(story("stranger")) == []
    assert verdict.searched(story("stranger"), "default") == []


def test_a_stranger_that_is_installed_is_a_fault() -> None:
    assert len(verdict.left_alone(story("nuc1"))) > 3


def test_good_uefi_boots_have_no_fault() -> None:
    for machine, chain in (("uefi-pxe", verdict.by_grub), ("uefi-http", verdict.by_http_boot)):
        told = story(machine)
        assert verdict.installed(told, UEFI_ISO, UEFI_ISO_BYTES, UEFI_BOOT_BYTES) == []
        assert chain(told) == []
        assert verdict.secure_boot(told, "kernel") == []
    told = story("uefi-http-stranger")
    assert verdict.left_alone(told) + verdict.by_http_boot(told) + verdict.secure_boot(told, "grub") == []


def test_a_machine_is_to_get_the_loaders_of_its_processor() -> None:
    for machine, chain in (("uefi-pxe", verdict.by_grub), ("uefi-http", verdict.by_http_boot)):
        arm = changed(machine, swap("x64.efi", "aa64.efi"))
        assert chain(arm, arch=ARM64) == []
        assert chain(arm)
        assert chain(story(machine), arch=ARM64)


OWN_ENTRY = "/srv/netboot/tftp/grub/machines/52:54:00:12:34:12.cfg"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (swap("bootfile name: efi/shimx64", "bootfile name: efi/ipxe"), "loaders named"),
        (drop("sent /srv/netboot/tftp/efi/grubx64"), "TFTP sent"),
        (drop("vmlinuz HTTP"), "by HTTP the loader fetched"),
        (double("initrd HTTP"), "by HTTP the loader fetched"),
        (swap("machines/52:54:00:12:34:12.cfg", "default.cfg"), "TFTP sent"),
        (swap(f"sent {OWN_ENTRY} to", f"file {OWN_ENTRY} not found for"), "was missing"),
    ],
)
def test_faults_of_grub_by_pxe(change: Change, fault: str) -> None:
    assert [text for text in verdict.by_grub(changed("uefi-pxe", change)) if fault in text]


def test_faults_of_http_boot() -> None:
    assert verdict.by_http_boot(story("uefi-pxe"))
    assert verdict.by_grub(story("uefi-http"))
    assert verdict.by_http_boot(changed("uefi-http", swap("option: 67", "option: 66")))
    assert verdict.by_http_boot(changed("uefi-http", swap('cfg HTTP/1.1" 200', 'cfg HTTP/1.1" 404')))


def test_secure_boot_that_nobody_speaks_of_is_off() -> None:
    told = changed("uefi-pxe", drop("Secure Boot is enabled"))
    assert verdict.secure_boot(told, "") == []
    assert verdict.secure_boot(told, "kernel")
    assert verdict.secure_boot(story("uefi-pxe"), "")


def test_a_kernel_that_is_refused() -> None:
    def refuse(text: str) -> list[str]:
        if "EFI stub" in text or "initrd HTTP" in text or "focal.iso HTTP" in text:
            return []
        return {"LAB done": ["error: bad shim signature.", "LOCAL DISK BOOTED"]}.get(
            text.strip(), [] if "LAB " in text else [text]
        )

    told = changed("uefi-pxe", refuse)
    assert verdict.refused(told) == []
    assert len(verdict.refused(story("uefi-pxe"))) == 4
    assert verdict.refused(changed("uefi-http-stranger", swap("x", "x")))


@pytest.mark.parametrize("gone", ["cfg/58b41815", "cfg/01-52", "cfg/C0A80 ", "cfg/default"])
def test_a_gap_in_the_search_is_a_fault(gone: str) -> None:
    assert verdict.searched(changed("stranger", drop(gone)), "default")


def test_a_request_that_was_repeated_is_no_fault() -> None:
    assert verdict.searched(changed("stranger", double("cfg/C0A80 ")), "default") == []
    assert verdict.searched(changed("stranger", double("cfg/default")), "default") == []


def test_the_search_ends_where_something_was_found() -> None:
    assert verdict.searched(story("nuc1"), "default")


def test_classic_search() -> None:
    names = verdict.classic_search(MACHINES["nuc1"].mac, "192.168.1.14")
    assert names[:3] == ["01-f4-4d-30-60-64-69", "C0A8010E", "C0A8010"]
    assert names[-3:] == ["C0", "C", "default"]


MAC = "52:54:00:12:34:17"
BY_IPXE = (
    Step(7.3, "loader", "server", "efi/ipxe.efi"),
    Step(8.3, "tftp", "server", "efi/ipxe.efi", 284_672),
    Step(8.3, "missing", "server", "autoexec.ipxe"),
    Step(10.5, "loader", "server", "http://192.168.1.50/ipxe/boot.ipxe"),
    Step(10.5, "http", "server", "/ipxe/boot.ipxe", 128, 200, "iPXE/1.21.1"),
    Step(10.5, "http", "server", "/ipxe/machines/52-54-00-12-34-17.ipxe", 311, 200, "iPXE/1.21.1"),
    Step(10.6, "http", "server", "/images/focal/c351/vmlinuz", 8_247_232, 200, "iPXE/1.21.1"),
    Step(10.7, "http", "server", "/images/focal/c351/initrd", 1_530_180, 200, "iPXE/1.21.1"),
)


def test_a_boot_by_ipxe() -> None:
    assert verdict.by_ipxe(Story(MAC, 0, steps=list(BY_IPXE))) == []


@pytest.mark.parametrize("gone", [0, 1, 3, 4, 5])
def test_a_boot_by_ipxe_of_which_something_is_missing(gone: int) -> None:
    assert verdict.by_ipxe(Story(MAC, 0, steps=[*BY_IPXE[:gone], *BY_IPXE[gone + 1 :]]))


def test_a_kernel_that_came_by_tftp_was_not_fetched_by_ipxe() -> None:
    tftp = Step(10.6, "tftp", "server", "images/focal/c351/vmlinuz", 8_247_232)
    assert verdict.by_ipxe(Story(MAC, 0, steps=[*BY_IPXE[:6], tftp]))


def test_a_rescue_system_is_started_without_what_installs() -> None:
    def said(text: str) -> Story:
        return Story(MAC, 0, steps=[Step(15, "said", "machine", f"cmdline text={text}")])

    assert verdict.rescued(said("vmlinuz ip=dhcp url=http://192.168.1.50/a.iso")) == []
    assert verdict.rescued(said("vmlinuz ip=dhcp url=http://192.168.1.50/a.iso autoinstall"))
    assert verdict.rescued(said("vmlinuz url=http://192.168.1.50/a.iso ds=nocloud;s=http://192.168.1.50/m/"))
    assert verdict.rescued(Story(MAC, 0))


def test_a_machine_that_asks_the_router_for_a_file_is_noticed() -> None:
    its = MACHINES["nuc1"].address
    assert verdict.beside_the_router(story("nuc1"), its) == []
    assert len(verdict.beside_the_router(story("nuc1"), "192.168.1.100")) == 1
    asked = f"Nov 22 11:02:39 dnsmasq-tftp[1]: file /lan/tftp/router.0 not found for {its}"
    for address, faults in ((its, 1), ("192.168.1.99", 0)):
        line = Line(MACHINES["nuc1"].power_on + 9, "router", asked.replace(its, address))
        assert len(verdict.beside_the_router(story("nuc1", [*lines("nuc1"), line]), its)) == faults


@pytest.mark.parametrize("machine", ["nuc1", "uefi-pxe"])
def test_firmware_that_boots_by_pxe_learns_its_loader_from_port_4011(machine: str) -> None:
    assert verdict.by_port_4011(story(machine)) == []
    told = story(machine)
    told.steps = [step for step in told.steps if step.kind != "loader"]
    assert verdict.by_port_4011(told) == ["no file was named"]
    assert verdict.by_port_4011(Story("52:54:00:12:34:01", 0.0)) == ["the server offered nothing"]


def test_http_boot_learns_it_from_the_offer() -> None:
    (fault,) = verdict.by_port_4011(story("uefi-http"))
    assert fault.startswith("the offer named http://")


def alone(*steps: tuple[float, str, str]) -> Story:
    """A boot in a network where the server gives the addresses."""
    told = Story("52:54:00:12:34:68", 0.0)
    told.steps = [Step(when, kind, "server", name) for when, kind, name in steps]
    return told


def test_who_gives_the_address_names_the_file_with_it() -> None:
    assert verdict.in_the_offer(alone((1, "offer", "proxy"), (1.001, "loader", "lpxelinux.0"))) == []
    late = alone((1, "offer", "proxy"), (3, "loader", "lpxelinux.0"))
    assert verdict.in_the_offer(late) == ["the offer did not name lpxelinux.0"]
    assert verdict.in_the_offer(story("nuc1")) != [], "beside a router port 4011 names it"
    assert verdict.in_the_offer(alone((1, "offer", "proxy"))) == ["no file was named"]
    assert verdict.in_the_offer(alone()) == ["the server offered nothing"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["10.0.0.100", "10.0.0.100"], ""),
        (["10.0.0.100", "10.0.0.101"], "between"),
        (["10.0.0.9"], "the server gave it {'10.0.0.9'} instead of one between 10.0.0.100 and 10.0.0.149"),
        ([], "the server gave it no address"),
    ],
    ids=["one", "two", "beside", "none"],
)
def test_the_server_gives_one_address_out_of_its_range(given: list[str], told: str) -> None:
    faults = verdict.from_the_server(
        alone(*((1, "address", one) for one in given)), "10.0.0.100", "10.0.0.149"
    )
    assert len(faults) == bool(told)
    assert told in "".join(faults)
