# SPDX-License-Identifier: GPL-3.0-or-later
"""A second network behind a DHCP relay, as behind a switch that routes: ISC's dhcrelay asks the router and the server.

The relay is a network namespace with a bridge, where machines are, and a cable to the first network. It forwards, and
nothing else: the first network's router gives the addresses, in a range for this one. The program is taken out of
Debian's package, since the package would start a relay on this host.
"""

from __future__ import annotations

import tempfile
from ipaddress import IPv4Network
from pathlib import Path

from .common import BUILD, CACHE, digest, locked, run, say
from .lan import BRIDGE, RELAYED, Lan, attach_cable, exists, make_bridge

UPLINK = 60
"""The relay's address in the first network."""


def name_behind(lan: Lan) -> str:
    """The name of the network behind the relay."""
    return f"{lan.name}-relayed"


def up(lan: Lan, server: str) -> Lan:
    """Make the network behind the relay unless it is there. server: the address of ours in the first one."""
    behind = Lan(name_behind(lan), IPv4Network(RELAYED), behind=lan.name)
    if exists(behind.name):
        return behind
    make_bridge(behind)
    space = behind.namespace
    attach_cable(lan, space, "p" + digest(behind.name), f"{lan.address(UPLINK)}/{lan.subnet.prefixlen}")
    run("ip", "-n", space, "route", "add", "default", "via", lan.address(1))
    run("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    run("ip", "-n", lan.namespace, "route", "replace", RELAYED, "via", lan.address(UPLINK))
    folder = BUILD / "lans" / behind.name
    folder.mkdir(parents=True, exist_ok=True)
    ports = ("-id", BRIDGE, "-iu", "lan0", "-pf", str(folder / "relay.pid"))
    run("ip", "netns", "exec", space, program(), "-4", "-q", *ports, lan.address(1), server)
    return behind


def program() -> str:
    """The relay, fetched on first use; apt checks Debian's signature."""
    folder = CACHE / "debs" / "relay"
    with locked("debs-relay"):
        if not folder.exists():
            say("Fetching Debian's isc-dhcp-relay (once, 1 MB) …")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                run(
                    "sh", "-c", f"cd {work} && apt-get -qq -o APT::Sandbox::User=root download isc-dhcp-relay"
                )
                run("dpkg-deb", "--extract", next(Path(work).glob("*.deb")), Path(work, "unpacked"))
                Path(work, "unpacked").rename(folder)
    return str(folder / "usr/sbin/dhcrelay")
