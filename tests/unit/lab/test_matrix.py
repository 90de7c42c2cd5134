# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix's table and JSON, and its row that proves that waste is noticed."""

from __future__ import annotations

import json

from tests.lab.accel import Accelerator
from tests.lab.story import Line
from tests.matrix import report, rows
from tests.matrix.fleet import SIDE_BY_SIDE, Outcome
from tests.unit.lab.recordings import BOOT_BYTES, ISO, ISO_BYTES, lines, story

FACTS = rows.Facts(ISO, ISO_BYTES, BOOT_BYTES)


def wasteful(agent: str = "Cloud-Init/25.1.4") -> list[Line]:
    """The recorded boot, with the ISO fetched three times: by casper's wget, then by cloud-init."""
    told = []
    for line in lines("nuc1"):
        told.append(line)
        if "jammy.iso HTTP" in line.text:
            told += [Line(line.when, line.source, line.text.replace('"Wget"', f'"{agent}"'))] * 2
    return told


def test_waste_is_expected_there_and_only_waste() -> None:
    assert rows.waste(story("nuc1", wasteful()), FACTS) == []
    assert len(rows.waste(story("nuc1"), FACTS)) == 3
    assert len(rows.waste(story("nuc1", wasteful("Wget")), FACTS)) == 1
    broken = [line for line in wasteful() if "LAB done" not in line.text]
    assert rows.waste(story("nuc1", broken), FACTS)


def test_the_imitation_is_not_taken_for_cloud_init() -> None:
    assert len(rows.cloud_init(story("nuc1"), FACTS)) == 4
    assert len(rows.waste_real(story("nuc1", wasteful()), FACTS)) == 4


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)
    assert rows.chosen("bios-pxelinux-trixie")[0].suite == "trixie"
    assert len(rows.chosen("")) == len(rows.ROWS)
    assert rows.chosen("no such row") == []


def place(mac: str) -> int:
    """Where among the router's 48 addresses dnsmasq begins to look for a free one (src/dhcp.c: address_allocate)."""
    total = 0
    for byte in bytes.fromhex(mac.replace(":", "")):
        total = (byte + (total << 6) + (total << 16) - total) & 0xFFFFFFFF
    return total % 48


def test_some_that_boot_at_once_would_be_offered_one_address_if_the_router_kept_none_for_them() -> None:
    """It forgets what it has offered until it is taken; who comes second is refused, and boots its disk."""
    mine = [row for row in rows.ROWS if (row.suite, row.inventory) == ("trixie", "named")]
    groups = [[place(row.mac) for row in mine[n : n + SIDE_BY_SIDE]] for n in range(len(mine))]
    assert any(len(set(places)) < len(places) for places in groups)


def test_report() -> None:
    good, bad = rows.ROWS[:2]
    done = [
        Outcome(good, 14.71, 194_959, 44_808_873, ISO_BYTES, [], "kernel"),
        Outcome(bad, 3, 0, 0, ISO_BYTES, ["a", "b"], by=Accelerator("kvm", ())),
    ]
    table = report.table(done)
    assert table[1].split()[2:] == [
        "14.7",
        "194,959",
        "44,808,873",
        "1.28",
        "on,",
        "says",
        "the",
        "kernel",
        "TCG",
        "ok",
    ]
    assert table[2].endswith("KVM  FAILED")
    assert [entry["result"] for entry in json.loads(report.as_json(done))] == ["ok", "a; b"]


def test_a_machine_that_was_named_a_loader_did_not_need_port_4011() -> None:
    told = story("stranger")
    assert [fault.partition(" ")[0] for fault in rows.needs_port_4011(told, FACTS)][:2] == [
        "lpxelinux.0",
        "it",
    ]
    told.steps = [step for step in told.steps if step.kind not in ("loader", "tftp", "missing")]
    assert rows.needs_port_4011(told, FACTS) == []
    told.steps = []
    assert len(rows.needs_port_4011(told, FACTS)) == 2
