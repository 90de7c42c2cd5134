# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong is told from what is good, for each check; the checks are pure functions of what was seen."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import SEED_FILES
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor import (
    disks,
    examining,
    loaders,
    network,
    services,
    targets,
)
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.finding import (
    NOTE,
    WRONG,
    Finding,
    Result,
)
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.network import Heard
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.pxe import Answer
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.targets import Target
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import dnsmasq, grub, ipxe, pxelinux
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.entries import Entry

TOKEN = "0123456789abcdef" * 2
US, ROUTER = "192.168.1.50", "192.168.1.1"
HOSTS = {"http": [US], "tftp": [US]}


def what(result: Result) -> list[tuple[str, str]]:
    return [(one.where, one.what) for one in result.findings]


# --- services


def shown(**other: str) -> str:
    """What systemctl shows of good units; other: unit (with _ for . and -) → its ActiveState."""
    blocks = []
    for name in (*services.RUNNING, *services.AT_TIMES):
        usual = "active" if name in services.RUNNING else "inactive"
        state = other.get(name.replace("-", "_").replace(".", "_"), usual)
        file = "enabled" if name in services.STARTED else "static"
        load = "not-found" if state == "gone" else "loaded"
        blocks.append(f"Id={name}\nLoadState={load}\nActiveState={state}\nSubState=x\nUnitFileState={file}\n")
    return "\n".join(blocks)


def test_units_that_run_are_good() -> None:
    assert services.judge(services.read(shown()), {}).findings == []


def test_a_unit_that_does_not_run_is_told_with_its_last_words() -> None:
    units = services.read(shown(netboot_nginx_service="failed", netboot_reports_service="failed"))
    assert services.stopped(units) == ["netboot-nginx.service"]
    result = services.judge(units, {"netboot-nginx.service": ["bind() failed"]})
    assert what(result) == [
        ("netboot-nginx.service", "it does not run (failed, x)"),
        ("netboot-reports.service", "its last run failed"),
    ]
    assert result.findings[0].shown_by == ["bind() failed"]


def test_a_unit_that_is_not_there_or_not_enabled_is_told() -> None:
    text = shown(netboot_expire_timer="gone").replace(
        "x\nUnitFileState=enabled", "x\nUnitFileState=masked", 1
    )
    assert what(services.judge(services.read(text), {})) == [
        ("netboot-expire.timer", "systemd does not have it (not-found)"),
        ("netboot-dnsmasq.service", "it does not start with the host (masked)"),
    ]
    assert len(services.judge({}, {}).findings) == len(services.RUNNING)  # where systemd does not answer


# --- where entries lead


def entry(*, tftp: bool) -> Entry:
    folder = "images/noble/0123456789ab"
    seed = f"ds=nocloud;s=http://{US}/machines/nuc1/{TOKEN}/"
    arguments = ("autoinstall", f"url=http://{US}/{folder}/noble.iso", seed, "x=http://elsewhere/y")
    return Entry("install", "Install", f"{folder}/vmlinuz", f"{folder}/initrd", arguments, US if tftp else "")


@pytest.mark.parametrize("tftp", [True, False])
@pytest.mark.parametrize("loader", [pxelinux, grub, ipxe])
def test_every_file_that_an_entry_names_is_found(loader: object, tftp: bool) -> None:
    text = loader.LOADER.write("nuc1", [entry(tftp=tftp)], f"http://{US}")  # type: ignore[attr-defined]
    found = targets.named(text, US)
    way = "tftp" if tftp else "http"
    folder = "images/noble/0123456789ab"
    assert set(found) == {
        Target(way, US, f"{folder}/vmlinuz"),
        Target(way, US, f"{folder}/initrd"),
        Target("http", US, f"{folder}/noble.iso"),
        *(Target("http", US, f"machines/nuc1/{TOKEN}/{name}") for name in SEED_FILES),
    }
    assert len(found) == len(set(found))


def test_an_entry_that_chooses_at_boot_leads_nowhere_in_particular() -> None:
    (text,) = ipxe.LOADER.static([{}]).values()
    assert targets.named(text, US) == []


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (
            "lpxelinux.0",
            [Target("tftp", US, "lpxelinux.0"), Target("tftp", US, "ldlinux.c32")],
        ),
        (
            f"http://{US}/efi/shimx64.efi",
            [Target("http", US, "efi/shimx64.efi"), Target("http", US, "efi/grubx64.efi")],
        ),
        ("efi/ipxe.efi", [Target("tftp", US, "efi/ipxe.efi")]),
    ],
)
def test_a_loader_and_what_it_needs_next(file: str, found: list[Target]) -> None:
    assert targets.loaders(file, US) == found


def test_what_is_not_handed_out_is_told_once_and_without_its_token() -> None:
    good, bad = Target("http", US, "images/a"), Target("http", US, f"machines/nuc1/{TOKEN}/user-data")
    old = Target("http", "192.168.1.9", "images/a")
    wanted = {good: ["one"], bad: ["two", "one"], old: ["three"]}
    answers = {good: "", bad: "nginx answers 404 Not Found"}
    result = targets.judge(wanted, answers, HOSTS, [])
    assert what(result) == [
        (
            f"http://{US}/machines/nuc1/-/user-data",
            "nginx answers 404 Not Found; named by one and 1 more",
        ),
        ("http://192.168.1.9/images/a", f"named by three, but this server is {US}"),
    ]
    (found,) = targets.judge({good: ["one"]}, {good: "no answer (timed out)"}, HOSTS, []).findings
    assert found.remedy.startswith("systemctl restart netboot-nginx.service")
    assert targets.judge(wanted, {}, HOSTS, ["netboot-nginx.service"]).findings == []


# --- PXE and DHCP


def heard(*offers: Answer, file: str = "lpxelinux.0", archs: Sequence[int] = (0, 7)) -> dict[int, Heard]:
    return {arch: Heard(offers, file) for arch in archs}


OURS = Answer(US, is_pxe=True)
LEASE = Answer(ROUTER, "192.168.1.7", after=ROUTER)  # as dnsmasq in a router says it: itself, and no file


def test_a_server_that_answers_beside_a_router_is_good() -> None:
    assert network.judge_ours(heard(OURS, LEASE), US, "lan0").findings == []
    result = network.judge_others(heard(OURS, LEASE), US, "lan0")
    assert (result.findings, result.good) == ([], f"addresses come from {ROUTER}")


def test_every_kind_of_firmware_that_is_offered_anything_is_played() -> None:
    assert set(network.ARCHS) == {0, *(arch.number for arch in dnsmasq.ARCHS)}


def test_a_server_that_does_not_answer_or_names_no_file_is_told() -> None:
    silent = network.judge_ours(heard(LEASE, OURS._replace(is_pxe=False), archs=(0, 11)), US, "lan0")
    assert what(silent) == [
        ("BIOS (architecture 0)", f"{US} does not answer its broadcast on lan0"),
        ("UEFI arm64 (architecture 11)", f"{US} does not answer its broadcast on lan0"),
    ]
    (found,) = network.judge_ours(heard(OURS, file="", archs=[7]), US, "lan0").findings
    assert found.what == f"{US} answers, but names no file to boot, also not on port 4011"
    assert network.judge_ours({}, US, "lan0").findings == []  # nothing was promised


def test_who_else_tells_machines_what_to_boot_is_told() -> None:
    router = LEASE._replace(file="pxelinux.0", after="192.168.1.8")
    (found,) = network.judge_others(heard(OURS, router), US, "lan0").findings
    assert (found.where, found.what) == (ROUTER, "it tells machines to boot pxelinux.0 from 192.168.1.8")
    assert "options 66 and 67" in found.remedy
    (found,) = network.judge_others(heard(OURS, LEASE, Answer("192.168.1.60", is_pxe=True)), US, "l").findings
    assert (found.where, found.what) == ("192.168.1.60", "it tells machines to boot by its own PXE menu")
    assert "second PXE server" in found.remedy


def test_no_dhcp_server_is_wrong_and_two_are_worth_a_note() -> None:
    (found,) = network.judge_others(heard(OURS), US, "lan0").findings
    assert (found.where, found.what) == ("lan0", "no DHCP server offers an address to a machine")
    two = network.judge_others(heard(LEASE, LEASE._replace(server="192.168.1.2", after="")), US, "lan0")
    assert [(one.level, one.what) for one in two.findings] == [
        (NOTE, f"2 DHCP servers offer addresses: {ROUTER}, 192.168.1.2")
    ]


def test_where_this_server_gives_the_addresses_it_must_be_the_only_one() -> None:
    own = Answer(US, "192.168.1.9", "lpxelinux.0", US)
    assert network.judge_ours(heard(own), US, "lan0").findings == []
    result = network.judge_others(heard(own), US, "lan0", gives=True)
    assert (result.findings, result.good) == ([], f"addresses come from {US}, which is this server")
    assert network.judge_others({}, US, "lan0", gives=True).findings == [], (
        "that it is silent is said elsewhere"
    )
    (found,) = network.judge_others(heard(own, LEASE), US, "lan0", gives=True).findings
    assert (found.where, found.level) == (ROUTER, WRONG)
    assert "it gives addresses, too, where this server does" in found.what
    assert "take dhcp out of this network in netboot_networks" in found.remedy


def test_relays_of_networks_that_nobody_has_named_are_told_once() -> None:
    # as dnsmasq 2.90 says it, behind ISC's dhcrelay
    line = "no address range available for DHCP request via 192.168.30.1"
    result = network.judge_relays([line, line, "no address range available for DHCP request via lan0"])
    (found,) = result.findings
    assert (found.where, found.level) == ("192.168.30.1", NOTE)
    assert "netboot_networks (relayed)" in found.remedy
    assert network.judge_relays([]).findings == []


# --- disks


def test_images_are_compared_with_their_notes() -> None:
    noted = {"vmlinuz": [10, 1], "initrd": [20, 1], "a.iso": [30, 1], "x": [1, 1]}
    there = {"vmlinuz": [10, 1], "initrd": [19, 2], "a.iso": [30, 2], "x": None}
    result = disks.judge_images([disks.Version("a/1", noted, there), disks.Version("a/2", None, {})], ["b"])
    assert what(result) == [
        ("a/1/a.iso", "it was written to after it was verified"),
        ("a/1/initrd", "it has 19 bytes; 20 were verified"),
        ("a/1/x", "it is missing"),
        ("a/2", "the note of what was verified cannot be read"),
        ("b", "no version of it is in use"),
    ]
    assert disks.judge_images([disks.Version("a/1", noted, noted)], []).findings == []


def test_a_loader_that_is_not_the_one_that_was_verified_is_told() -> None:
    good = {
        "shimx64.efi": loaders.Noted("a", ["2011", "2023"], "a"),
        "grubx64.efi": loaders.Noted("b", [], "b"),
    }
    result = loaders.judge([loaders.Pair("/efi", good)])
    assert (result.findings, result.good) == (
        [],
        "/efi/shimx64.efi is signed by Microsoft's authority of 2011 and 2023",
    )
    bad = {"shimx64.efi": good["shimx64.efi"]._replace(now="c"), "grubx64.efi": loaders.Noted("b", [], None)}
    assert what(loaders.judge([loaders.Pair("/efi", bad), loaders.Pair("/efi/2023", None)])) == [
        ("/efi/grubx64.efi", "it is missing"),
        ("/efi/shimx64.efi", "it is not the file whose signatures were verified"),
        ("/efi/2023", "the note of who signed shim and GRUB is not there, or cannot be read"),
    ]


@pytest.mark.parametrize(
    ("years", "told"),
    [
        (["2011"], "authority of 2011, so firmware that knows only 2023's refuses it with Secure Boot on"),
        (["2023"], "authority of 2023, so firmware that knows only 2011's refuses it with Secure Boot on"),
        ([], "/efi/shimaa64.efi is not signed by Microsoft"),
    ],
)
def test_firmware_that_refuses_a_shim_is_said(years: list[str], told: str) -> None:
    pair = loaders.Pair("/efi", {"shimaa64.efi": loaders.Noted("a", years, "a")})
    assert loaders.judge([pair]).good.endswith(told)


def test_a_disk_without_room_is_told() -> None:
    good = disks.Disk("/srv", 1 << 30, None)
    assert disks.judge_space([good]).findings == []
    full, many = good._replace(free=5 << 20), good._replace(files=3)
    assert what(disks.judge_space([full, many])) == [
        ("/srv", "only 5 MiB are free; less than 100 is too little"),
        ("/srv", "only 3 more files can be made there (inodes)"),
    ]


def test_a_folder_that_a_service_may_not_use_is_told() -> None:
    fine, shut = disks.Folder("/a", "www-data", 1, 5), disks.Folder("/b", "www-data", 3, 5)
    assert what(disks.judge_folders([fine, shut])) == [("/b", "the user www-data may not put files there")]
    assert what(disks.judge_folders([fine._replace(has=4)])) == [
        ("/a", "the user www-data may not go through it")
    ]


@pytest.mark.parametrize(("user", "groups", "bits"), [(1, [2], 7), (9, [2], 3), (9, [9], 4), (1, [9], 7)])
def test_what_a_user_may_do(user: int, groups: list[int], bits: int) -> None:
    assert disks.bits_of(0o40734, 1, 2, user=user, groups=groups) == bits


def test_a_clock_that_is_behind_is_told() -> None:
    now = 1795600000.0  # in November 2026
    assert disks.judge_clock(now, now + 60, "f").findings == []
    assert what(disks.judge_clock(0.0, 0.0, "")) == [("1970-01-01 00:00 UTC", "the clock is years behind")]
    (found,) = disks.judge_clock(now, now + 2 * disks.AHEAD, "/var/f").findings
    assert found.what.startswith("the clock is behind: /var/f is of 2026-11-")


# --- words


def test_a_line_for_each_fault_with_its_remedy_and_no_token_or_control_character() -> None:
    fault = Finding("files", f"x/{TOKEN}/\x1b[1m", "it is gone", "put it back", shown_by=[f"a\tb {TOKEN}"])
    note = fault._replace(where="y", level=NOTE, shown_by=())
    results = [Result("services", [], "5 run"), Result("files", [fault, note], "so many")]
    assert examining.text(results).splitlines() == [
        "ok     services: 5 run",
        "wrong  files: x/-/ [1m: it is gone. Remedy: put it back.",
        "         a b -",
        "note   files: y: it is gone. Remedy: put it back.",
        "1 is wrong.",
    ]
    assert examining.text(results[:1]).endswith("\nNothing is wrong.")
    plain = json.loads(examining.plain(results))
    assert [one["level"] for one in plain[1]["findings"]] == ["wrong", "note"]
    assert TOKEN not in examining.plain(results)
