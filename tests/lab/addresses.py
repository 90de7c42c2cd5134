# SPDX-License-Identifier: GPL-3.0-or-later
"""Which subnet the lab's network gets: pure, so tested without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

WANTED = IPv4Network("192.168.1.0/24")
"""The network of inventories/home."""


def candidates() -> Iterator[IPv4Network]:
    """The wanted network first, then others that hardly any router uses by default."""
    yield WANTED
    for third in range(111, 200):
        yield IPv4Network(f"192.168.{third}.0/24")


def free_subnet(taken: Iterable[IPv4Network]) -> IPv4Network:
    """The first candidate that overlaps with none of the networks taken.

    A server in the lab also has an ordinary interface, through which it reaches package mirrors and the
    host's name servers. Were one of those in the lab's subnet, the lab would stand before it.
    ValueError when every candidate is taken.
    """
    others = list(taken)
    for network in candidates():
        if not any(network.overlaps(other) for other in others):
            return network
    raise ValueError("no free /24 for the lab in 192.168.0.0/16")


def networks_of(addresses: Iterable[dict[str, Any]]) -> list[IPv4Network]:
    """The IPv4 networks in the output of `ip -j -4 address show`."""
    return [
        IPv4Interface(f"{info['local']}/{info['prefixlen']}").network
        for link in addresses
        for info in link.get("addr_info", [])
        if info.get("family") == "inet" and "local" in info
    ]


def nameservers(resolv_conf: str) -> list[IPv4Network]:
    """The IPv4 name servers in the text of a resolv.conf, each as a /32."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver" and ":" not in words[1]:
            found.append(IPv4Network(IPv4Address(words[1])))
    return found
