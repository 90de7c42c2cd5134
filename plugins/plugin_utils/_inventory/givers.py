# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which of several servers give addresses: in one network one at most may. Two that begin in one run hear nobody."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import networks, owners
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain

_SAID = ("netboot_result", networks.VARIABLE, *networks.SHORT)
#: The name that a person has given a network, and its addresses, or the first that is given there.
_Network = tuple[str, ipaddress.IPv4Network]


def faults(server: str, servers: Sequence[str], hostvars: Mapping[str, Any]) -> list[str]:
    """Return with which others a server would give addresses in one network.

    :param hostvars: of each server C(netboot_result) where this run has looked at it, else what says where it stands.
    """
    if not owners.are_shared(server, servers):
        return []
    mine = list(_given(hostvars[server]))
    return [
        f"{server} and {other}: {networks.VARIABLE}: dhcp: both give addresses in networks that may be one "
        f"({one[0] or one[1]} and {two[0] or two[1]}). Take dhcp out of one of them; where these are two networks with "
        "the same numbers, give them different names"
        for other in servers
        if other != server and mine
        for one in mine
        for two in _given(hostvars[other])
        if one[1].overlaps(two[1]) and not (one[0] and two[0] and one[0] != two[0])
    ]


def _given(said: Mapping[str, Any]) -> Iterator[_Network]:
    told = plain({key: said[key] for key in _SAID if key in said})
    looked = (told.get("netboot_result") or {}).get("networks")
    if not looked and networks.faults(told):
        return
    for one in looked or networks.wanted(told):
        if one.get("dhcp"):
            with contextlib.suppress(ValueError):
                yield one["name"], ipaddress.IPv4Network(one.get("network") or one["dhcp"]["first"])
