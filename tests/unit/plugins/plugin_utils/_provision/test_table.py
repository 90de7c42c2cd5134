# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._provision.table import lines


def machine(name: str, state: str, address: str = "", **times: str) -> dict[str, Any]:
    milestones = {key: time and f"2026-11-26T{time}Z" for key, time in times.items()}
    return {"machine": name, "state": state, "address": address, "milestones": milestones}


def test_each_machine_has_its_phases_its_address_and_its_result() -> None:
    whole = machine(
        "nuc1", "up", "192.168.1.21", asked="10:00:00", installer="10:03:30", report="10:15:00", up="10:17:00"
    )
    failed = machine("nuc2", "failed", asked="10:00:00", installer="10:04:00")
    assert lines([failed, whole], ["nuc1"]) == [
        "machine  boots    installs  starts   address       result",
        "nuc1     3.5 min  11.5 min  2.0 min  192.168.1.21  up",
        "nuc2     4.0 min  -         -        -             failed",
    ]


def test_what_failed_after_it_was_up_is_told() -> None:
    assert lines([machine("nuc1", "up")], [])[1].endswith("up, then failed")


def test_a_time_that_is_not_known_or_of_another_installation_is_none() -> None:
    (dummy, line) = lines(
        [machine("nuc1", "up", asked="", installer="10:00:00", report="09:00:00")], ["nuc1"]
    )
    assert line.split() == ["nuc1", "-", "-", "-", "-", "up"]
