# SPDX-License-Identifier: GPL-3.0-or-later
"""The server gives addresses where nobody else does, and refuses to where somebody does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from tests.lab import lan, server
from tests.lab.common import run
from tests.servers import PROJECT, Device, Service, ansible_playbook, said

pytestmark = pytest.mark.on("trixie")

ROLE = PROJECT / "molecule/pxe_dnsmasq/converge.yml"
NAME, CARD, PORT, OWN = "pxe-dnsmasq-alone", "lan0.40", "alone40", "192.168.40.50"
RANGE = {"first": "192.168.40.100", "last": "192.168.40.149"}
CONF, LEASES = "/etc/netboot/dnsmasq.conf", "/var/lib/netboot-dnsmasq/leases"


def networks(folder: Path, **network: Any) -> str:
    """The option that names an inventory whose server has this network only."""
    one = {"netboot_networks": [{"name": "alone", **network}], "netboot_address": ""}
    path = folder / "networks.json"
    path.write_text(json.dumps({"netboot_servers": {"hosts": {"trixie": one}}}))
    return f"--inventory={path}"


@pytest.fixture(scope="module")
def alone(host: Any) -> Iterator[Device]:
    """Another computer in a network without a DHCP server, in which the server has an interface."""
    lan.down(NAME)
    there = lan.up(NAME, IPv4Network("192.168.40.0/24"), gives=False)
    try:
        info = server.inspect(host.backend.name)
        assert info
        lan.attach(there, info["State"]["Pid"], PORT, IPv4Interface(f"{OWN}/24"), CARD)
        yield Device(NAME)
    finally:
        lan.down(NAME)


@pytest.fixture(scope="module")
def given(host: Any, alone: Device, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """The same, when the server gives addresses there; at the end it is as it was."""
    folder = tmp_path_factory.mktemp("networks")
    try:
        done = ansible_playbook(host, ROLE, networks(folder, interface=CARD, dhcp=RANGE))
        assert done.returncode == 0, said(done)
        again = ansible_playbook(host, ROLE, networks(folder, interface=CARD, dhcp=RANGE))
        assert "changed=0" in said(again)
        assert "Ask who else gives addresses" in said(done)
        assert "Ask who else gives addresses" not in said(again), "it hears itself, and is not asked"
        yield alone
    finally:
        done = ansible_playbook(host, ROLE)
        assert done.returncode == 0, said(done)


def lease(device: Device) -> str:
    """What a client of another make than firmware is given: an address, or nothing."""
    done = device.run("busybox", "udhcpc", "-i", "br0", "-n", "-q", "-f", "-t", "3", "-s", "/bin/true")
    found = re.search(r"lease of ([\d.]+) obtained", done.stdout + done.stderr)
    return found[1] if found else ""


def test_a_run_is_refused_where_the_router_gives_addresses(host: Any, tmp_path: Path) -> None:
    before = host.file(CONF).content
    dhcp = {"first": "192.168.1.200", "last": "192.168.1.240"}
    done = ansible_playbook(host, ROLE, networks(tmp_path, interface="lan0", dhcp=dhcp))
    assert done.returncode != 0
    assert "netboot_networks: dhcp: alone: 192.168.1.1 answers on lan0." in said(done)
    assert "take dhcp out of that network" in said(done)
    assert "Nothing was changed." in said(done)
    assert "changed=0" in said(done)
    assert host.file(CONF).content == before


def test_a_run_is_refused_where_nobody_can_be_asked(host: Any, alone: Device, tmp_path: Path) -> None:
    port = ("ip", "-n", lan.find(alone.name).namespace, "link", "set", PORT)
    run(*port, "down")
    try:
        done = ansible_playbook(host, ROLE, networks(tmp_path, interface=CARD, dhcp=RANGE))
    finally:
        run(*port, "up")
    assert f"alone: nobody can be asked on {CARD} (it has no link)" in said(done)
    assert "changed=0" in said(done)


def test_an_address_beside_the_network_is_refused_by_name(host: Any, alone: Device, tmp_path: Path) -> None:
    dhcp = {**RANGE, "router": "192.168.41.1"}
    done = ansible_playbook(host, ROLE, networks(tmp_path, interface=CARD, dhcp=dhcp))
    assert f"alone (192.168.40.0/24 on {CARD}): dhcp: router: 192.168.41.1 is no address" in said(done)
    assert "changed=0" in said(done)


def test_a_machine_is_given_its_address_and_its_loader_at_once(given: Device) -> None:
    (offer,) = given.discover()
    assert (offer["server"], offer["file"], offer["lease"]) == (OWN, "lpxelinux.0", 43200)
    assert offer["address"].startswith("192.168.40.1")


def test_who_does_not_boot_is_given_an_address_and_no_router(given: Device, host: Any) -> None:
    (offer,) = given.discover("--plain")
    assert (offer["server"], offer["file"], offer["class"]) == (OWN, "", "")
    address = lease(given)
    assert address.startswith("192.168.40.1")
    assert address in host.file(LEASES).content_string
    said = host.check_output("journalctl -q -u netboot-dnsmasq -o cat --since=-60")
    assert "option:  3" not in said, "nobody is told a way out that leads nowhere"
    assert "option:  6" not in said, "nor a name server"


def test_an_address_is_kept_when_the_service_starts_again_and_when_the_leases_are_lost(
    given: Device, host: Any
) -> None:
    address = lease(given)
    host.run_expect([0], "systemctl restart netboot-dnsmasq")
    assert address in host.file(LEASES).content_string
    host.run_expect([0], f"systemctl stop netboot-dnsmasq; rm {LEASES}; systemctl start netboot-dnsmasq")
    assert lease(given) == address


def test_it_may_write_its_leases_and_no_more(given: Device, host: Any) -> None:
    service = Service(host, "netboot-dnsmasq")
    folder = host.file("/var/lib/netboot-dnsmasq")
    assert (folder.user, folder.mode) == ("dnsmasq", 0o700)
    assert service.inside("touch /var/lib/netboot-dnsmasq/x").returncode == 0
    host.run_expect([0], "rm /var/lib/netboot-dnsmasq/x")
    for path in ("/var/lib/x", "/srv/netboot/tftp/x", "/run/x"):
        assert "Read-only file system" in service.inside(f"touch {path}").stderr
    assert int(service.status()["CapEff"], 16) == 1 << 10 | 1 << 12
    assert service.exposure() <= 2.0
