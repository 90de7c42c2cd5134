# SPDX-License-Identifier: GPL-3.0-or-later
"""One server in two networks, of which one comes when the services run already, as that of a VLAN does.

Its interface has the name of a VLAN's, and is an ordinary one: not each kernel that runs the tests knows VLANs.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from tests.lab import lan, server
from tests.servers import PROJECT, Device, ansible_playbook, said

pytestmark = pytest.mark.on("trixie")

SITE = PROJECT / "molecule/default/converge.yml"
HOME, LAB, PORT, VLAN = "192.168.1.50", "10.0.20.50", 8080, "lan0.20"
NETWORKS = [{"name": "home", "address": HOME}, {"name": "lab", "interface": VLAN, "port": PORT}]
MACHINES: dict[str, dict[str, Any]] = {
    "nuc1": {"netboot_network_name": "home"},
    "nuc2": {"netboot_network_name": "lab"},
    "nuc3": {"netboot_network_name": "lab"},
    "rest": {"netboot_mac": "any", "netboot_install": "always", "netboot_wipe": "always"},
}
NUC1, NUC2 = "01-f4-4d-30-60-64-69", "01-f4-4d-30-60-64-6a"
ROOTS = {HOME: f"http://{HOME}/", LAB: f"http://{LAB}:{PORT}/"}


#: Asks as a UEFI machine's iPXE that runs already (its option 175), and prints what it is told to fetch.
IPXE = """
import os, sys
sys.path.insert(0, sys.argv[2])
import pxe
number = os.urandom(4)
asks = pxe.discover(pxe.hardware("br0"), number, 7, sys.argv[1])[:-1] + bytes([175, 3, 177, 1, 1, 255])
for dummy, offer in pxe.broadcast("br0", {number: asks}, 2):
    if offer.server == sys.argv[1]:
        print(offer.file)
"""


class Second:
    """The second network: a router, and a place from where machines ask."""

    name = "networks-lab"

    def __init__(self, container: str) -> None:
        """Keep the server's container."""
        self.container = container
        self.device = Device(self.name)

    def come(self) -> None:
        """Let the server have an interface there, with its address."""
        info = server.inspect(self.container)
        assert info
        there = lan.find(self.name)
        lan.attach(there, info["State"]["Pid"], "networks20", IPv4Interface(f"{LAB}/24"), VLAN)


def inventory(folder: Path, **changes: dict[str, Any]) -> str:
    """The option that names an inventory with both networks. changes: by machine, what is said of it instead."""
    one = {"netboot_networks": NETWORKS, "netboot_address": ""}
    told = {
        "netboot_servers": {"hosts": {"trixie": one}},
        "netboot_machines": {"hosts": {**MACHINES, **changes}},
    }
    path = folder / "networks.json"
    path.write_text(json.dumps(told))
    return f"--inventory={path}"


@pytest.fixture(scope="module")
def lab(host: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    """The second network, which the server serves as well; at the end it is as it was."""
    lan.down(Second.name)
    lan.up(Second.name, IPv4Network("10.0.20.0/24"))
    second = Second(host.backend.name)
    try:
        second.come()
        done = ansible_playbook(host, SITE, inventory(tmp_path_factory.mktemp("networks")))
        assert done.returncode == 0, said(done)
        yield second
    finally:
        lan.down(Second.name)
        done = ansible_playbook(host, SITE)
        assert done.returncode == 0, said(done)


def tftp(device: Device, address: str, path: str) -> str:
    done = device.run("busybox", "tftp", "-g", "-r", path, "-l", "/dev/stdout", address)
    return done.stdout if done.returncode == 0 else ""


def web(device: Device, address: str, path: str) -> str:
    return device.run("curl", "-sS", "--max-time", "5", f"{ROOTS[address].rstrip('/')}{path}").stdout


def roots(text: str) -> set[str]:
    """The web servers that a text leads to."""
    found = re.findall(r"http://[0-9.:]+/", text)
    found += [f"http://{one}/" for one in re.findall(r"\(http,([0-9.:]+)\)", text)]
    return set(found)


def soon(is_so: Callable[[], Any]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "not within 60 s"


def test_a_second_run_changes_nothing(host: Any, lab: Second, tmp_path: Path) -> None:
    done = ansible_playbook(host, SITE, inventory(tmp_path))
    assert re.search(r"changed=0 .*failed=0", said(done)), said(done)


def test_a_machine_in_no_network_is_refused(host: Any, lab: Second, tmp_path: Path) -> None:
    done = ansible_playbook(host, SITE, inventory(tmp_path, nuc2={"netboot_network_name": ""}))
    assert done.returncode != 0
    told = (
        "is missing, and the server has several networks; name the one that the machine boots in (home, lab)"
    )
    assert f"machine nuc2: netboot_network_name: {told}" in said(done)


def test_entries_and_seeds_carry_the_address_in_the_machine_s_network(
    host: Any, device: Device, lab: Second
) -> None:
    assert roots(tftp(device, HOME, f"pxelinux.cfg/{NUC1}")) == {ROOTS[HOME]}
    entry = tftp(lab.device, LAB, f"pxelinux.cfg/{NUC2}")
    assert roots(entry) == {ROOTS[LAB]}
    (seed,) = re.findall(r"ds=nocloud-net;s=http://[^/]+(/\S+/)", entry)
    assert roots(web(lab.device, LAB, f"{seed}user-data")) == {ROOTS[LAB]}


@pytest.mark.parametrize("address", [HOME, LAB])
def test_who_asks_in_a_network_is_answered_there(device: Device, lab: Second, address: str) -> None:
    asking, digits = (device, "C0A801") if address == HOME else (lab.device, "0A0014")
    (offer,) = asking.discover("--mac", "52:54:00:aa:bb:cc")
    assert (offer["server"], offer["loader"]) == (address, "lpxelinux.0")
    entries = (
        tftp(asking, address, f"pxelinux.cfg/{digits}"),
        tftp(asking, address, f"grub/{address}/default.cfg"),
        web(asking, address, "/grub/machines/52:54:00:aa:bb:cc.cfg"),
        web(asking, address, "/ipxe/machines/52-54-00-aa-bb-cc.ipxe"),
    )
    for entry in entries:
        assert roots(entry) == {ROOTS[address]}
    (seed,) = re.findall(r"ds=nocloud-net;s=http://[^/]+(/\S+/)", entries[0])
    user_data = web(asking, address, f"{seed}user-data")
    assert "/reports/rest." in user_data
    assert roots(user_data) == {ROOTS[address]}
    assert "@SERVER@" not in user_data


@pytest.mark.parametrize("address", [HOME, LAB])
def test_ipxe_is_told_the_address_in_its_network(device: Device, lab: Second, address: str) -> None:
    asking = device if address == HOME else lab.device
    done = asking.run(
        sys.executable, "-c", IPXE, address, str(PROJECT / "plugins/module_utils/_program/doctor")
    )
    assert done.stdout == f"{ROOTS[address]}ipxe/boot.ipxe\n", done.stderr


def test_the_doctor_asks_in_both(host: Any, lab: Second) -> None:
    done = host.run("netboot doctor")
    assert done.rc == 0, done.stdout
    for check, interface in (("pxe", "lan0"), ("others", "lan0"), ("pxe", VLAN), ("others", VLAN)):
        assert f"ok     {check}: on {interface}: " in done.stdout


def test_a_network_that_comes_later_is_served_and_keeps_the_other_from_nothing(
    host: Any, device: Device, lab: Second
) -> None:
    host.run_expect([0], f"ip link delete {VLAN}")
    host.run_expect([0], "systemctl restart netboot-nginx netboot-dnsmasq")
    soon(lambda: roots(web(device, HOME, "/ipxe/machines/x.ipxe")) == {ROOTS[HOME]})
    soon(lambda: len(device.discover()) == 1)
    services = "systemctl show --value --property=MainPID,NRestarts netboot-nginx netboot-dnsmasq"
    before = host.check_output(services)
    found = host.run("netboot doctor").stdout
    assert f"pxe: {VLAN}: nobody can be asked on this interface" in found
    lab.come()
    soon(lambda: tftp(lab.device, LAB, f"pxelinux.cfg/{NUC2}"))
    soon(lambda: lab.device.discover("--seconds", "1"))
    assert roots(web(lab.device, LAB, "/ipxe/machines/x.ipxe")) == {ROOTS[LAB]}
    assert host.check_output(services) == before, "no service was started anew"
