# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines started by their BMCs, by the playbooks that users run and community.general's own modules."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.power.bmcs import PASSWORD, Ipmi, Redfish, free_port
from tests.power.conftest import CABLE, Home

ARM = ("-e", "confirm=yes", "-e", "start=yes")
BOTH = ['Set boot device to "Pxe" for system "{}"', 'System "{}" power state set to "{}"']
INSTALL = "ansible-galaxy collection install --upgrade 'community.general:>=10.6.0'"


def power(value: Any) -> dict[str, Any]:
    return {"netboot_power": value}


@pytest.fixture
def wire() -> Iterator[socket.socket]:
    """The other end of the server's cable."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)) as one:
        one.bind((CABLE[1], 0))
        one.settimeout(5)
        yield one


def woken(wire: socket.socket) -> bytes:
    """What follows the magic packet's beginning, in the first one; IPv6 says other things there."""
    while True:
        dummy, magic, rest = wire.recv(2000).partition(b"\xff" * 6 + b"\x52\x54")
        if magic:
            return magic[6:] + rest


def test_those_that_can_be_started_are_and_the_others_are_not_armed(
    home: Home, start: Callable[..., Any], wire: socket.socket
) -> None:
    off, on = start(Redfish, nuc1=False), start(Redfish, nuc2=True)
    ipmi_off, ipmi_on = start(Ipmi, nuc3=False), start(Ipmi, nuc4=True)
    wrong = "not-the-password"
    machines = {
        "nuc1": power(off.power()),
        "nuc2": power(on.power()),
        "nuc3": power(ipmi_off.power()),
        "nuc4": power(ipmi_on.power(uefiboot=True)),
        "nuc5": power(start(Redfish, nuc5=False).power(password=wrong)),
        "nuc6": power({**off.power(), "port": free_port()}),
        "nuc7": power(start(Ipmi, nuc7=False).power(password=wrong)),
        "nuc8": power({**ipmi_off.power(), "port": free_port()}),
        "nuc9": power(start(Redfish, nuc9=False).power(ca_path="")),
        "nuc10": {},
    }
    assert home.playbook("arm", machines, *ARM, "-vvv") == 2

    assert off.said() == [BOTH[0].format("nuc1"), BOTH[1].format("nuc1", "On")]
    assert on.said() == [BOTH[0].format("nuc2"), BOTH[1].format("nuc2", "ForceRestart")]
    assert ipmi_off.said() == ["boot pxe", "power 1"]
    assert ipmi_on.said() == ["boot pxe", "reset 1"]
    assert woken(wire) == bytes.fromhex(home.box.macs["nuc10"].replace(":", "")) * 16
    assert "Wake-on-LAN was sent to nuc10. If that does not start it: switch nuc10 on now." in home.output
    assert "switch nuc9 on" not in home.output

    armed = {name for name in machines if home.state(name) == "armed"}
    assert armed == {"nuc1", "nuc2", "nuc3", "nuc4", "nuc10"}
    for name, told in (
        ("nuc5", "redfish at 127.0.0.1: HTTP Error 401"),
        ("nuc6", "redfish at 127.0.0.1: URL Error"),
        ("nuc7", "ipmi at 127.0.0.1: Incorrect password provided; see user and password"),
        ("nuc8", "ipmi at 127.0.0.1: no answer; nothing answers there: see address and port"),
        ("nuc9", "redfish at 127.0.0.1: "),
    ):
        assert f"machine {name}: netboot_power: {told}" in home.output
    assert "its certificate is not trusted: name the file of who signed it in ca_path" in home.output
    assert PASSWORD not in home.output
    assert wrong not in home.output


def test_what_is_missing_on_the_controller_is_said_with_the_command_that_installs_it(
    home: Home, start: Callable[..., Any], tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    home.controller["ansible_python_interpreter"] = str(tmp_path / "bare/bin/python")
    bmc, other = start(Ipmi, nuc1=False), start(Redfish, nuc2=False)
    machines = {"nuc1": power(bmc.power()), "nuc2": power(other.power())}
    assert home.playbook("arm", machines, *ARM) == 2
    assert "machine nuc1: netboot_power: ipmi at 127.0.0.1: " in home.output
    assert f"install it: {tmp_path}/bare/bin/python -m pip install pyghmi" in home.output
    assert (home.state("nuc1"), home.state("nuc2")) == ("local", "armed")

    home.collections.pop()
    home.box.do("disarm", "nuc2")
    assert home.playbook("arm", machines, *ARM) == 2
    for name, kind in (("nuc1", "ipmi"), ("nuc2", "redfish")):
        absent = f"{kind} at 127.0.0.1: the collection community.general is not installed: {INSTALL}"
        assert f"machine {name}: netboot_power: {absent}" in home.output
        assert home.state(name) == "local"
    assert bmc.said() == []


def test_start_alone_starts_what_is_armed_and_leaves_what_runs_alone(
    home: Home, start: Callable[..., Any]
) -> None:
    bmc, runs, stuck = start(Ipmi, nuc1=False), start(Ipmi, nuc2=True), start(Ipmi, nuc3=False)
    machines = {
        "nuc1": power(bmc.power()),
        "nuc2": power(runs.power()),
        "nuc3": power(stuck.power()),
    }
    stuck.stick()
    home.box.do("arm", "nuc1", "nuc3")
    assert home.playbook("start", machines, "--check") == 0
    assert bmc.said() == []
    assert home.playbook("start", machines) == 2
    assert bmc.said() == ["boot pxe", "power 1"]
    assert "machine nuc2 is not armed, so it was not started; to install it, run " in home.output
    assert runs.said() == []
    assert "machine nuc3: netboot_power: ipmi at 127.0.0.1: " in home.output
    assert stuck.said() == []


def test_one_bmc_with_several_machines_switches_the_one_that_is_meant(
    home: Home, start: Callable[..., Any]
) -> None:
    bmc = start(Redfish, blade1=True, blade2=False)
    machines = {
        "nuc1": power(bmc.power(resource_id="blade2", boot_override_mode="UEFI")),
        "nuc2": power(bmc.power(resource_id="blade3")),
    }
    assert home.playbook("arm", machines, *ARM) == 2
    assert bmc.said() == [
        'Set boot device to "Pxe" for system "blade2"',
        'Set boot mode to "UEFI" for system "blade2"',
        'System "blade2" power state set to "On"',
    ]
    told = "it has the machines blade1, blade2; name one of them in resource_id"
    assert f"machine nuc2: netboot_power: redfish at 127.0.0.1: {told}" in home.output
    assert home.state("nuc2") == "local"


def test_a_machine_without_any_way_is_switched_on_by_hand(home: Home) -> None:
    home.box.plan(whatever="any")
    home.box.do("publish")
    assert home.playbook("start", {"whatever": {"netboot_install": "always", "netboot_wipe": "always"}}) == 0
    assert "switch whatever on now." in home.output
    assert "Wake-on-LAN was sent to whatever" not in home.output


def test_an_inventory_that_is_wrong_stops_all_before_anything_is_done(home: Home) -> None:
    one = {"type": "redfish", "address": "192.168.1.60", "user": "admin", "password": PASSWORD}
    machines = {"nuc1": power(one), "nuc2": power(one), "nuc3": {}}
    assert home.playbook("arm", machines, *ARM) == 2
    assert "machines nuc1 and nuc2: netboot_power: both have the BMC 192.168.1.60" in home.output
    assert PASSWORD not in home.output
    assert {home.state(name) for name in machines} == {"local"}
