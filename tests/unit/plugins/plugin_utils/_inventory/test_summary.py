# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.summary import lines

URL = "http://192.168.1.50"


def test_who_is_armed_and_what_becomes_of_their_disks() -> None:
    armed = {"nuc2": {"image": "noble", "wipe": "always"}, "nuc1": {"image": "focal", "wipe": "blank"}}
    assert lines(armed, ["nuc1: armed: netboot_install: once"], URL) == [
        "Armed, and THEIR DISKS WILL BE WIPED: nuc2 (noble).",
        "Armed, for blank disks only: nuc1 (focal).",
        "The server is http://192.168.1.50.",
        "Switch them on and let them boot from the network; homelab.netboot.watch tells what they do.",
    ]


def test_nobody_is_armed_and_who_should_have_been() -> None:
    lost = "nuc1: local: its state was lost; to install it, run the playbook homelab.netboot.arm"
    assert lines({}, [lost], URL) == [
        "No machine is armed: all boot their disks. To install one: homelab.netboot.arm -l NAME.",
        lost,
        "The server is http://192.168.1.50.",
    ]


def test_a_check_run_says_who_would_be_armed() -> None:
    armed = {"nuc2": {"image": "noble", "wipe": "always"}, "nuc1": {"image": "focal", "wipe": "blank"}}
    told = lines(armed, ["nuc3: local: x"], URL, would=True)
    assert told == [
        "Would be armed, and THEIR DISKS WILL BE WIPED: nuc2 (noble).",
        "Would be armed, for blank disks only: nuc1 (focal).",
        "nuc3: local: x",
        "This was a check run: nothing was changed. Run it without --check to make it so.",
    ]
    assert lines({}, [], URL, would=True)[0].startswith("No machine would be armed: ")


def test_a_thousand_machines_are_eight_lines() -> None:
    names = [f"n{number:04}" for number in range(1000)]
    armed = {
        name: {"image": "noble", "wipe": ("blank", "always")[number % 2]} for number, name in enumerate(names)
    }
    said = [f"{name}: local: x" for name in names]
    told = lines(armed, said, URL)
    assert len(told) == 8
    assert max(map(len, told)) < 300
    assert told[0].endswith(" and 490 more.")


def test_ports_that_the_firewall_shuts_come_before_other_notes() -> None:
    told = lines({}, [f"n{number}: local: x" for number in range(9)], URL, ["UDP 67", "TCP 80"])
    assert (
        told[1]
        == "The firewall shuts UDP 67, TCP 80, so no machine can boot: see above, or netboot_firewall."
    )
    assert told[2:5] == ["n0: local: x", "n1: local: x", "… and 7 more; homelab.netboot.status tells all."]
