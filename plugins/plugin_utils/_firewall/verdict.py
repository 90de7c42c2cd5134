# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""From what the server's packet filters are now to what is shut, what opens it, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from . import iptables, nft
from .openings import OURS, Opening, Place, opening, packets, shown
from .rules import Packet, Table, closing


def verdict(
    looked: Mapping[str, list[str]], networks: Iterable[Mapping[str, Any]], opens: bool
) -> dict[str, Any]:
    """Return what the firewalls of the server keep from it, and how that is changed.

    :param looked: what roles/netboot/files/look.py printed, as lines by part: C(nft), C(iptables), C(note), and where
        firewalld runs C(zones) and C(default_zone).
    :param networks: C(interface), C(address), C(network) of the server in each, the web server's C(port) there, and the
        networks that are C(relayed) to it, by a relay or as C(cached) ones. C(is_cache): the host is a cache there.
    :param opens: whether the run opens what is shut, or only says so.
    :returns: as the filter C(homelab.netboot.server_facts) documents it: C(shut) and C(by), C(silent), C(say), C(open)
        and C(close), C(rules) and C(service), C(note), C(act).
    """
    tables = iptables.tables(looked.get("iptables", []))
    tables += nft.tables("\n".join(looked.get("nft", [])), {one.name for one in tables})
    wanted = [(place, packet) for place in _places(looked, networks) for packet in packets(place)]
    shut = [(place, packet) for place, packet in wanted if any(closing(tables, packet))]
    needed, now = _openings(tables, wanted, OURS), _openings(tables, shut, "")
    noted = [tuple(argv) for argv in json.loads("".join(looked.get("note", [])) or "{}").get("close", [])]
    keep = {argv for table in tables for one in _all(table, wanted) for argv in one.close}
    there = {argv[0] for argv in keep}  # a firewall that is stopped now keeps what it was told
    stale = [argv for argv in noted if argv[0] in there and argv not in keep]
    rules = [shown(one.until_start) for one in needed if one.until_start]
    left = _comments(tables) - {f"{OURS} {packet.label}" for dummy, packet in wanted}
    kept = dict.fromkeys([*noted, *(argv for one in now for argv in one.close)])
    return {
        "shut": list(dict.fromkeys(packet.label for dummy, packet in shut)),
        "silent": [place.interface for place, packet in shut if packet.type == "broadcast"],
        "by": list(dict.fromkeys(one.by for one in now)),
        "say": _said(tables, shut, opens=opens),
        "open": [list(argv) for one in now for argv in one.open],
        "close": [list(argv) for argv in stale],
        "rules": rules,
        "service": bool(rules or left),
        "note": json.dumps({"close": [argv for argv in kept if argv not in stale]}, indent=1) + "\n"
        if kept
        else "",
        "act": bool(shut or (opens and (stale or left))),
    }


def _places(looked: Mapping[str, list[str]], networks: Iterable[Mapping[str, Any]]) -> Iterator[Place]:
    zones = _zones(looked.get("zones", []))
    default = "".join(looked.get("default_zone", [])).strip()
    for one in networks:
        interface = str(one["interface"])
        relayed = [*one.get("relayed", []), *one.get("cached", [])]  # a cache is a relay, too
        for network in (one["network"], *relayed):
            is_behind = network in relayed
            yield Place(
                interface=interface,
                network=IPv4Network(str(network)),
                address=IPv4Address(str(one["address"])),
                port=int(one["port"]),
                network_zone=zones.get(str(network), ""),
                interface_zone=zones.get(interface, default),
                is_behind=is_behind,
                has_relay=bool(one.get("relayed")) and not is_behind,
                gives=bool(one.get("dhcp")),
                is_cache=bool(one.get("is_cache")),
            )


def _zones(lines: Iterable[str]) -> dict[str, str]:
    """Return interface or network → zone, from C(firewall-cmd --get-active-zones) (firewall-cmd(1)).

    >>> _zones(["home", "  interfaces: eth0 eth1", "public (default)", "  sources: 192.168.1.0/24"])
    {'eth0': 'home', 'eth1': 'home', '192.168.1.0/24': 'public'}
    """
    found, zone = {}, ""
    for line in lines:
        what, _colon, members = line.strip().partition(":")
        if not line.startswith(" "):
            zone = line.split()[0] if line.split() else ""
        elif what in {"interfaces", "sources"}:
            found.update(dict.fromkeys(members.split(), zone))
    return found


def _openings(tables: list[Table], which: Iterable[tuple[Place, Packet]], ours: str) -> list[Opening]:
    """Return what opens the packets' ports, each once; several firewalls may be there at once."""
    found = [
        opening(table, chain, packet, place)
        for place, packet in which
        for table, chain in closing(tables, packet, ours)
    ]
    return list(dict.fromkeys(found))


def _all(table: Table, wanted: Iterable[tuple[Place, Packet]]) -> list[Opening]:
    return [opening(table, "", packet, place) for place, packet in wanted]


def _comments(tables: list[Table]) -> set[str]:
    chains = [chain for table in tables for chain in table.chains.values()]
    return {rule.comment for chain in chains for rule in chain.rules if rule.comment.startswith(OURS)}


def _said(tables: list[Table], shut: list[tuple[Place, Packet]], *, opens: bool) -> list[str]:
    lines = []
    for place in dict.fromkeys(place for place, dummy in shut):
        lines += _said_of(tables, place, [packet for one, packet in shut if one == place], opens=opens)
    if any(one.until_start for one in _openings(tables, shut, "")) and not opens:
        lines.append(
            "A rule of nft or iptables is gone at the next start of the host: put it also where your other rules are, "
            "such as /etc/nftables.conf."
        )
    return lines


def _said_of(tables: list[Table], place: Place, shut: list[Packet], *, opens: bool) -> list[str]:
    """Return what is said of one network."""
    openings = _openings(tables, [(place, packet) for packet in shut], "")
    by = " and ".join(dict.fromkeys(one.by for one in openings))
    lines = [
        f"Shut to the {'relayed' if place.is_behind else 'boot'} network ({place.network} on {place.interface}): "
        f"{', '.join(dict.fromkeys(one.label for one in shut))}; by {by}. Machines cannot boot.",
        "They are opened, for that network only (netboot_firewall: true):"
        if opens
        else "netboot_firewall: true lets a run open them, for that network only. Or do it yourself:",
    ]
    lines += [shown(argv) for one in openings for argv in one.open]
    return lines + [shown(one.until_start) for one in openings if one.until_start]
