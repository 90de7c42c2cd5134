# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""A machine's static address as Netplan is told it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any


def netplan(mac: str, network: Mapping[str, Any]) -> dict[str, Any]:
    """Return C(autoinstall.network), which finds the network card by its hardware address (Netplan: "match").

    :param mac: the machine's; lower case with colons.
    :param network: C(address) with the length of its prefix; perhaps
        C(gateway), C(nameservers) and C(search).
    """
    card: dict[str, Any] = {"match": {"macaddress": mac}, "addresses": [network["address"]]}
    if network.get("gateway"):
        # Netplan's word "default" is unknown to the one of 20.04's first ISOs.
        everywhere = "0.0.0.0/0" if ipaddress.ip_interface(network["address"]).version == 4 else "::/0"  # noqa: PLR2004
        card["routes"] = [{"to": everywhere, "via": network["gateway"]}]
    names = {"addresses": network.get("nameservers"), "search": network.get("search")}
    names = {key: value for key, value in names.items() if value}
    if names:
        card["nameservers"] = names
    return {"version": 2, "ethernets": {"boot": card}}
