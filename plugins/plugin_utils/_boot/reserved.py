# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""An address for each machine, where the server gives them (dnsmasq(8): dhcp-host).

dnsmasq forgets what it has offered until it is taken. Of two that ask at once, and that it would begin to look for an
address at the same place, the second is refused; most firmware then boots the disk.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import networks as inventory


def lines(machines: Iterable[Mapping[str, Any]], networks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Return the lines that keep an address for each machine; of more machines than addresses the last go without.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :param networks: C(netboot_result.networks).
    """
    named = [machine for machine in machines if machine["mac"] != ANY]
    for one in networks:
        if one.get("dhcp"):
            macs = [str(machine["mac"]) for machine in named if one in inventory.of(machine, networks)]
            for mac, address in _spread(macs, one["dhcp"]["first"], one["dhcp"]["last"]).items():
                yield f"dhcp-host={mac},{address}"


def _spread(macs: Iterable[str], first: str, last: str) -> dict[str, str]:
    """Return MAC → address. Where each begins to look is in its MAC, so that few move when another one comes."""
    begin = int(ipaddress.IPv4Address(first))
    size = int(ipaddress.IPv4Address(last)) - begin + 1
    taken: dict[int, str] = {}
    for mac in sorted(macs)[:size]:
        place = int.from_bytes(hashlib.sha256(mac.encode()).digest()[:8], "big") % size
        while place in taken:
            place = (place + 1) % size
        taken[place] = mac
    return {mac: str(ipaddress.IPv4Address(begin + place)) for place, mac in taken.items()}
