# SPDX-License-Identifier: GPL-3.0-or-later
"""Real packets of a machine, before and after ports are opened; in this order, each from where the last one ended."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Device, ansible_playbook, restart, said

CONVERGE = Path(__file__).parents[1] / "converge.yml"
OPENS = ("-e", "netboot_firewall=true")
#: What the owner has, without what counts packets.
RULES = """
if command -v ufw >/dev/null; then ufw status verbose; fi
if command -v firewall-cmd >/dev/null; then firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones; fi
cat /etc/nftables.conf
cat /etc/ufw/user.rules /etc/firewalld/zones/public.xml 2>/dev/null
if command -v nft >/dev/null; then nft -s list ruleset; fi
"""
#: Server → what its firewalls shut, and a command that opens some of it.
SHUT = {
    "bookworm": (
        "UDP 67, UDP 69, UDP 4011, TCP 80; by ufw and nftables (chain inet home input)",
        "ufw allow in on lan0 proto udp from 192.168.1.0/24 to any port 69 comment homelab.netboot",
    ),
    "trixie": (
        "UDP 67, UDP 4011, TCP 80; by firewalld (zone public)",
        'rule family="ipv4" source address="192.168.1.0/24" port port="80" protocol="tcp" accept',
    ),
}
#: DHCP, TFTP, PXE's own port, HTTP.
ALL = {"67", "69", "4011", "80"}


def rules(host: Any) -> str:
    """All of it, in an order of its own: the kernel lists a table where it was made last."""
    return "".join(sorted(re.split(r"(?m)^(?=table )", str(host.run(RULES).stdout))))


def shown(host: Any) -> tuple[str, str]:
    return SHUT[host.backend.name.rpartition("-")[2]]


def reached(device: Device) -> set[str]:
    """What of ours a machine gets an answer from. It asks all at once: what is shut is seen by waiting."""
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(offers, device)
        tftp = pool.submit(device.run, "curl", "-sS", "-m", "3", "tftp://192.168.1.50/probe")
        http = pool.submit(device.http, "/", "-m", "3")
    found = {"67"} if asked.result() else set()
    found |= {"4011"} if any(offer.get("loader") for offer in asked.result()) else set()
    if tftp.result().stdout == "by TFTP\n":
        found.add("69")
    if http.result().stdout.startswith("HTTP/1.1 404"):
        found.add("80")
    return found


def opened(device: Device, turns: int = 5) -> set[str]:
    """What is reached at last: ours comes after the owner's rules, and `systemctl restart` waits only for these."""
    found = reached(device)
    return found if found == ALL or turns == 1 else opened(device, turns - 1)


def offers(device: Device) -> list[dict[str, Any]]:
    """What a DISCOVER is answered with; asking on port 4011 would fail where it is not answered at all."""
    return device.discover("--seconds", "1") if device.discover("--seconds", "1") else []


@pytest.fixture(scope="module")
def before(host: Any) -> str:
    return rules(host)


def test_machines_are_shut_out(device: Device, host: Any, before: str) -> None:
    assert "home" in before or "public" in before
    assert reached(device) == ({"69"} if "trixie" in host.backend.name else set())


def test_a_check_run_says_what_is_shut_and_changes_nothing(host: Any, before: str) -> None:
    done = ansible_playbook(host, CONVERGE, *OPENS, "--check")
    which, command = shown(host)
    assert done.returncode == 0, said(done)
    assert f"Shut to the boot network (192.168.1.0/24 on lan0): {which}. Machines cannot boot." in said(done)
    assert command in said(done).replace('\\"', '"')
    assert said(done).count("Shut to the boot network") == 1
    assert rules(host) == before


def test_a_run_opens_it(host: Any, device: Device) -> None:
    done = ansible_playbook(host, CONVERGE, *OPENS)
    assert done.returncode == 0, said(done)
    assert opened(device) == ALL


def test_the_next_run_changes_nothing(host: Any) -> None:
    there = rules(host)
    done = ansible_playbook(host, CONVERGE, *OPENS)
    assert re.search(r"changed=0 .*failed=0", done.stdout), said(done)
    assert "Shut to" not in said(done)
    assert rules(host) == there


def test_only_the_boot_network_is_let_in(host: Any) -> None:
    """Each rule names the interface or the network; of ufw's and nftables', both or the broadcasts of the interface."""
    lines = rules(host).splitlines()
    ours = [line for line in lines if re.search(r"homelab\.netboot|rule family=.* accept", line)]
    assert ours
    for line in ours:
        assert re.search(r"192\.168\.1\.0/24|255\.255\.255\.255", line), line


def test_what_the_owner_loads_again_leaves_it_open(host: Any, device: Device) -> None:
    commands: tuple[str, ...] = ("firewall-cmd --reload", "systemctl restart firewalld")
    if "bookworm" in host.backend.name:
        commands = ("systemctl reload nftables", "systemctl restart nftables", "ufw reload")
    for command in commands:
        host.run_expect([0], command)
        assert opened(device) == ALL, command


@pytest.mark.on("bookworm")  # where two kinds of rules are taken back
def test_another_port_of_the_web_server_takes_the_old_one_s_place(host: Any, device: Device) -> None:
    done = ansible_playbook(host, CONVERGE, *OPENS, "-e", "netboot_http_port=8080")
    assert done.returncode == 0, said(done)
    assert device.http("/", "-m", "3", port=8080).stdout.startswith("HTTP/1.1 404")
    assert not re.search(r'dport 80 accept|port="?80"? |to any port 80\b', rules(host))
    assert ansible_playbook(host, CONVERGE, *OPENS).returncode == 0
    assert opened(device) == ALL


def test_it_stays_open_when_the_host_starts_again(host: Any, device: Device) -> None:
    restart(host)
    assert opened(device) == ALL


def test_remove_shuts_what_was_opened_and_nothing_else(host: Any, before: str) -> None:
    done = ansible_playbook(host, "homelab.netboot.remove", "-e", "confirm=yes")
    assert done.returncode == 0, said(done)
    assert rules(host) == before
