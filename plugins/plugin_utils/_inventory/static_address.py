# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""A machine's static address, C(netboot_network), checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest

KEYS = ("address", "gateway", "nameservers", "search")
_EXAMPLE = "192.168.1.32/24"


def faults(machine: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with C(netboot_network), each with the key and the remedy.

    :param machine: with C(mac) and C(network), a mapping.
    """
    network = machine["network"]
    if not network:
        return
    if machine["mac"] == ANY:
        yield "one address for whatever boots; name each machine with its netboot_mac, or leave this out"
    for key in network:
        if key not in KEYS:
            yield f"{key}: no such key; {suggest(str(key), KEYS)}"
    address = _interface(network.get("address"))
    if address is None:
        yield f"address: must be an address with the length of its prefix, like {_EXAMPLE}"
    gateway = network.get("gateway")
    if gateway and (_address(gateway) is None or (address and _address(gateway) not in address.network)):
        within = f" within {address.network}" if address else ""
        yield f"gateway: '{gateway}' is not an address{within}; write the router's"
    for key, is_right, what in (("nameservers", _address, "an address"), ("search", _is_domain, "a domain")):
        words = network.get(key) or []
        if not isinstance(words, list):
            yield f"{key}: must be a list"
            continue
        wrong = [str(word) for word in words if not is_right(word)]
        if wrong:
            yield f"{key}: {', '.join(wrong)}: not {what}"


def address_of(machine: Mapping[str, Any]) -> str:
    """Return the static address without its prefix, or nothing."""
    network = machine["network"]
    address = _interface(network.get("address")) if isinstance(network, Mapping) else None
    return str(address.ip) if address else ""


def _interface(value: Any) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    if not isinstance(value, str) or "/" not in value:
        return None
    try:
        found: ipaddress.IPv4Interface | ipaddress.IPv6Interface = ipaddress.ip_interface(value)
    except ValueError:
        return None
    # The address of the network itself, as in 192.168.1.0/24, is a common slip; /31 and /32 have none.
    is_network = found.ip == found.network.network_address and found.network.num_addresses > 2  # noqa: PLR2004
    return None if is_network else found


def _address(value: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_domain(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not set(value) & set(" /,:")
