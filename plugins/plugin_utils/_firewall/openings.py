# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""How a port is opened to the boot network, in the words of the program that shuts it; and how it is shut again.

ufw and firewalld keep rules for good. nftables and iptables do not: their rules are put there again at each start of
the host, and the owner's file, which made the chain, is left alone.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from .rules import Packet, Table

#: How the comment of each of our rules begins.
OURS = "homelab.netboot"
#: A port from which dnsmasq may send a file by TFTP: any that the kernel gives, RFC 1350 (4) and ip_local_port_range.
_TFTP_DATA = 49152
_ANY = IPv4Network("0.0.0.0/32")
_BROADCAST = IPv4Network("255.255.255.255/32")


@dataclass(frozen=True)
class Place:
    """Where machines are, and the web server's port; firewalld's zones for their network, and for their interface.

    is_behind: the network is behind a DHCP relay. has_relay: it is the server's own, and such a relay asks from there.
    gives: the server gives the addresses there.
    is_cache: this host only passes on what is asked there, and serves HTTP.
    """

    interface: str
    network: IPv4Network
    address: IPv4Address
    port: int
    network_zone: str = ""
    interface_zone: str = ""
    is_behind: bool = False
    has_relay: bool = False
    gives: bool = False
    is_cache: bool = False


@dataclass(frozen=True)
class Opening:
    """What opens a port and shuts it again, for good; or what opens it until the host starts again."""

    by: str
    open: tuple[tuple[str, ...], ...] = ()
    close: tuple[tuple[str, ...], ...] = ()
    until_start: tuple[str, ...] = ()


def packets(place: Place) -> list[Packet]:
    """Return what machines send: to proxy-DHCP, TFTP (its first packet, then answers), PXE's boot server, HTTP.

    What a relay passes on comes from its own address, in the one network or the other (RFC 1542, 4.1.2 and 5.4). Who
    has an address from the server asks it directly for more time (RFC 2131, 4.4.5).
    """
    there, here = place.network, IPv4Network(place.address)
    near = Packet(place.interface, "udp", 67, _ANY, _BROADCAST, sport=(68, 68), type="broadcast")
    passed_on = Packet(place.interface, "udp", 67, there, here, sport=(67, 67))
    renewed = Packet(place.interface, "udp", 67, there, here, sport=(68, 68))
    web = Packet(place.interface, "tcp", place.port, there, here)
    if place.is_cache:  # what comes back to it from its server is of a connection that it began
        return [near, web]
    return [
        *([] if place.is_behind else [near]),
        *([passed_on] if place.is_behind or place.has_relay else []),
        *([renewed] if place.gives else []),
        Packet(place.interface, "udp", 69, there, here),
        Packet(place.interface, "udp", _TFTP_DATA, there, here, state="established"),
        Packet(place.interface, "udp", 4011, there, here, sport=(68, 68)),
        web,
    ]


def opening(table: Table, chain: str, packet: Packet, place: Place) -> Opening:
    """Return what lets a packet through that a base chain drops."""
    if any(name.startswith("ufw-") for name in table.chains):
        return _ufw(packet, place)
    if table.name == "inet firewalld" or "INPUT_ZONES" in table.chains:
        return _firewalld(packet, place)
    if table.program == "iptables":
        return _iptables(table, chain, packet, place)
    return _nft(table, chain, packet, place)


def _ufw(packet: Packet, place: Place) -> Opening:
    there = ("to", str(_BROADCAST[0])) if packet.saddr == _ANY else ("from", str(place.network), "to", "any")
    rule = ("in", "on", place.interface, "proto", packet.proto, *there, "port", str(packet.dport))
    if packet.state != "new":
        return Opening("ufw")  # it always lets them through, unless somebody has rewritten its own rules
    return Opening("ufw", (("ufw", "allow", *rule, "comment", OURS),), (("ufw", "delete", "allow", *rule),))


def _firewalld(packet: Packet, place: Place) -> Opening:
    # A rule cannot name an interface; but a broadcast comes from near, since it is not forwarded.
    broadcast = packet.saddr == _ANY
    zone = place.interface_zone if broadcast else place.network_zone or place.interface_zone
    where = f'destination address="{_BROADCAST[0]}"' if broadcast else f'source address="{place.network}"'
    rule = f'rule family="ipv4" {where} port port="{packet.dport}" protocol="{packet.proto}" accept'
    both = (("firewall-cmd", "--permanent"), ("firewall-cmd",))
    by = f"firewalld (zone {zone})"
    if packet.state != "new":
        return Opening(by)
    return Opening(
        by,
        tuple((*start, f"--zone={zone}", f"--add-rich-rule={rule}") for start in both),
        tuple((*start, f"--zone={zone}", f"--remove-rich-rule={rule}") for start in both),
    )


def _iptables(table: Table, chain: str, packet: Packet, place: Place) -> Opening:
    there = ("-d", str(_BROADCAST[0])) if packet.saddr == _ANY else ("-s", str(place.network))
    which = (
        ("--dport", str(packet.dport))
        if packet.state == "new"
        else ("-m", "conntrack", "--ctstate", "ESTABLISHED")
    )
    rule = ("-i", place.interface, *there, "-p", packet.proto, *which)
    comment = ("-m", "comment", "--comment", f"{OURS} {packet.label}")
    argv = ("iptables", "-w", "-t", table.name, "-I", chain, *rule, *comment, "-j", "ACCEPT")
    return Opening(f"iptables (chain {table.name} {chain})", until_start=argv)


def _nft(table: Table, chain: str, packet: Packet, place: Place) -> Opening:
    there = ("daddr", str(_BROADCAST[0])) if packet.saddr == _ANY else ("saddr", str(place.network))
    which: tuple[str, ...] = (packet.proto, "dport", str(packet.dport))
    if packet.state != "new":
        which = ("meta", "l4proto", packet.proto, "ct", "state", "established")
    rule = (
        "iifname",
        f'"{place.interface}"',
        "ip",
        *there,
        *which,
        "accept",
        "comment",
        f'"{OURS} {packet.label}"',
    )
    argv = ("nft", "insert", "rule", *table.name.split(), chain, *rule)
    return Opening(f"nftables (chain {table.name} {chain})", until_start=argv)


def shown(argv: tuple[str, ...]) -> str:
    """Return a command as it is typed into a shell."""
    return shlex.join(argv)
