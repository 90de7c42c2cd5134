# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The addresses that a server of ours gives in a network where no DHCP server is: key C(dhcp) of a network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest

KEYS = ("first", "last", "router", "dns", "lease")
#: Who is switched off for a night has the same address in the morning.
LEASE = "12h"
_LEASE = re.compile(r"[1-9][0-9]{0,4}[mhd]")
_EXAMPLE = "write a mapping such as {first: 192.168.40.100, last: 192.168.40.199}"


def wanted(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a network says of its addresses, with all of L(KEYS); nothing where another server gives them.

    :param one: an item of C(netboot_networks); L(faults) finds nothing in it.
    """
    said = one.get("dhcp") or {}
    if not said:
        return {}
    return {
        **{key: str(said.get(key) or "") for key in ("first", "last", "router")},
        "dns": [str(address) for address in said.get("dns") or []],
        "lease": str(said.get("lease") or LEASE),
    }


def faults(one: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with the key C(dhcp) of an item of C(netboot_networks), each with the remedy."""
    said = one.get("dhcp")
    if said is None or said == "":
        return
    if not isinstance(said, Mapping) or not said:
        yield f"dhcp: must be a mapping; {_EXAMPLE}"
        return
    for key in said:
        if key not in KEYS:
            yield f"dhcp: there is no '{key}'; {suggest(str(key), KEYS)}"
    if not one.get("interface"):
        yield "dhcp: needs the interface, so that no other network gets these addresses; add interface"
    if one.get("relayed"):
        yield "dhcp: does not go with relayed; have the relay ask the server of another network, or take one out"
    yield from _range_faults(said)
    yield from _other_faults(said)


def _range_faults(said: Mapping[str, Any]) -> Iterator[str]:
    ends = {key: said.get(key) for key in ("first", "last")}
    for key, value in ends.items():
        if not value:
            yield f"dhcp: has no {key}; {_EXAMPLE}"
        elif not _address(value):
            yield f"dhcp: {key}: '{value}' is no IPv4 address; {_EXAMPLE}"
    first, last = map(_address, ends.values())
    if first and last and first > last:
        yield f"dhcp: first ({first}) is behind last ({last}); write them the other way round"


def _other_faults(said: Mapping[str, Any]) -> Iterator[str]:
    router, dns, lease = (said.get(key) or "" for key in ("router", "dns", "lease"))
    if router and not _address(router):
        yield f"dhcp: router: '{router}' is no IPv4 address; write that of the way out, or take it out"
    if not isinstance(dns, Iterable) or (isinstance(dns, (str, Mapping)) and dns):
        yield "dhcp: dns: must be a list; write the name servers' addresses, such as [192.168.40.1]"
        dns = []
    for address in dns:
        if not _address(address):
            yield f"dhcp: dns: '{address}' is no IPv4 address; write that of a name server"
    if lease and not _LEASE.fullmatch(str(lease)):
        yield f"dhcp: lease: '{lease}' cannot be used; write minutes, hours or days, such as 45m, 12h or 7d"


def unfit(one: Mapping[str, Any]) -> Iterator[str]:
    """Return why addresses cannot be given in a network as it is, each with the remedy.

    :param one: C(dhcp), and the server's C(network) and C(address) there.
    """
    said = one["dhcp"]
    if not said:
        return
    network, own = ipaddress.IPv4Network(one["network"]), ipaddress.IPv4Address(one["address"])
    first, last = ipaddress.IPv4Address(said["first"]), ipaddress.IPv4Address(said["last"])
    router = _address(said["router"])
    for key, address in (("first", first), ("last", last), ("router", router)):
        if address and (address not in network or address in (network[0], network[-1])):
            yield f"dhcp: {key}: {address} is no address of a machine in {network}; take one in that network"
    for whose, taken in (("the server's own", own), ("the router's", router)):
        if taken and first <= taken <= last:
            yield f"dhcp: {whose} address {taken} is between first and last; begin behind it, or end before it"
    for server in said["dns"]:
        if not router and ipaddress.IPv4Address(server) not in network:
            yield f"dhcp: dns: {server} is not in {network}, and no router leads there; add router, or take it out"


def _address(text: Any) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(str(text)) if text else None
    except ValueError:
        return None
