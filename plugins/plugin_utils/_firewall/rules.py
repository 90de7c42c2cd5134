# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What a packet meets on its way into the server: rules of any packet filter in one form, and a walk through them.

A filter is read by nft.py or iptables.py. What cannot be read is taken for a condition that our packets do not meet:
they are new, well formed, and not too many.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Network = ipaddress.IPv4Network
#: Verdicts that end a packet's way through one base chain.
FINAL = ("accept", "drop")
_CLIENTS = (1024, 65535)


@dataclass(frozen=True)
class Packet:
    """What a machine sends; O(saddr) may be a whole network, then it stands for all machines there."""

    iif: str
    proto: str
    dport: int
    saddr: Network
    daddr: Network
    sport: tuple[int, int] = _CLIENTS  # the first and the last that it may come from
    type: str = "local"  # of the address that it goes to, as the kernel calls it: local or broadcast
    state: str = "new"
    family: str = "ipv4"

    @property
    def label(self) -> str:
        """The port as people write it, V(UDP 69)."""
        port = f"{self.proto.upper()} {self.dport}"
        return port if self.state == "new" else f"{self.proto.upper()} of connections that are open"


@dataclass(frozen=True)
class Condition:
    """One thing that a rule asks for: a name of Packet's, and values of which one must fit. Another name: unknown."""

    name: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Rule:
    """Conditions, and what then happens: accept, drop, return, V(jump NAME), V(goto NAME), or nothing."""

    conditions: tuple[Condition, ...]
    verdict: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Chain:
    """Rules in their order. Only a base chain, one that the kernel itself calls, has a policy."""

    policy: str = ""
    rules: list[Rule] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """The chains of one table; which program lists it (V(nft) or V(iptables)), and its name there."""

    program: str
    name: str
    chains: Mapping[str, Chain]


def closing(tables: list[Table], packet: Packet, ours: str = "") -> Iterator[tuple[Table, str]]:
    """Yield each table with its base chain that drops the packet.

    :param ours: rules whose comment begins with it are passed over; without it, all rules count.
    """
    for table in tables:
        for name, chain in table.chains.items():
            if chain.policy and (_walk(table.chains, name, packet, ours, ()) or chain.policy) != "accept":
                yield table, name


def _walk(chains: Mapping[str, Chain], name: str, packet: Packet, ours: str, way: tuple[str, ...]) -> str:
    """Return accept, drop, or nothing at the end of the chain."""
    for rule in chains[name].rules if name in chains and name not in way else ():
        if (ours and rule.comment.startswith(ours)) or not all(_fits(one, packet) for one in rule.conditions):
            continue
        if rule.verdict in FINAL:
            return rule.verdict
        if rule.verdict == "return":
            return ""
        kind, _space, target = rule.verdict.partition(" ")
        found = _walk(chains, target, packet, ours, (*way, name)) if kind in ("jump", "goto") else ""
        if found or kind == "goto":
            return found
    return ""


def _fits(condition: Condition, packet: Packet) -> bool:
    known = {"iif", "proto", "saddr", "daddr", "type", "state", "family", "dport", "sport"}
    if condition.name not in known:
        return False
    fits = any(_value_fits(condition.name, value, packet) for value in condition.values)
    return fits != condition.negated


def _value_fits(name: str, value: str, packet: Packet) -> bool:
    if name in ("dport", "sport"):
        least, _dash, most = value.partition("-")
        first, last = (packet.dport, packet.dport) if name == "dport" else packet.sport
        return value.replace("-", "").isdigit() and int(least) <= first and last <= int(most or least)
    there = getattr(packet, name)
    if isinstance(there, Network):
        return _inside(there, value)
    if name == "iif" and value[-1:] in ("+", "*"):
        return bool(packet.iif.startswith(value[:-1]))
    return bool(there == value)


def _inside(there: Network, value: str) -> bool:
    first, _dash, last = value.partition("-")
    try:
        if last:
            return ipaddress.IPv4Address(first) <= there[0] and there[-1] <= ipaddress.IPv4Address(last)
        return there.subnet_of(Network(value, strict=False))
    except ValueError:
        return False  # an address of IPv6, or a name
