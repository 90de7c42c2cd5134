# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The networks of a server, as its settings name them; and in which of them a machine boots."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import gather, suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import dhcp

VARIABLE = "netboot_networks"
#: For the only network, instead: variable → key.
SHORT: Mapping[str, str] = {
    "netboot_address": "address",
    "netboot_interface": "interface",
    "netboot_network_name": "name",
}
#: The address of a cache, with the length of its network.
CACHE = "netboot_cache_address"
#: What is said of each network.
KEYS = ("name", "interface", "address", "port", "relayed", "dhcp")
INTERFACE = re.compile(r"[A-Za-z0-9._@-]{1,15}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_LAST_PORT = 65535
#: Addresses of a network with a relay and a machine: its own and that of broadcasts are the other two.
SMALLEST = 4
_EXAMPLE = "write a list such as [{name: lab, interface: eno1.20}]"


def wanted(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each network of a server with all of L(KEYS), as the settings say it: what is empty is to be found out.

    :param settings: C(netboot_networks), those of L(SHORT), and C(netboot_http_port); L(faults) finds nothing in them.
    """
    port = settings.get("netboot_http_port", 80)
    if settings.get(CACHE):  # of a cache: it says where it stands, and with which length of prefix
        own = {"name": str(settings.get("netboot_network_name") or ""), "interface": "", "port": int(port)}
        return [{**own, "address": str(settings[CACHE]), "relayed": []}]
    listed = settings.get(VARIABLE) or [{key: settings.get(variable) for variable, key in SHORT.items()}]
    return [
        {
            **{key: str(one.get(key) or "") for key in SHORT.values()},
            "port": int(one.get("port") or port),
            "relayed": [str(network) for network in one.get("relayed") or []],
            "dhcp": dhcp.wanted(one),
        }
        for one in listed
    ]


def faults(settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with C(netboot_networks), each with the network and the remedy."""
    listed = settings.get(VARIABLE) or []
    if not isinstance(listed, Iterable) or isinstance(listed, (str, Mapping)):
        return [f"{VARIABLE}: must be a list; {_EXAMPLE}"]
    listed = list(listed)
    found = [
        f"{variable}: does not go with {VARIABLE}, which says it of each network; take it out, or set it to ''"
        for variable in SHORT
        if listed and settings.get(variable)
    ]
    for number, one in enumerate(listed, 1):
        found += [
            f"{VARIABLE}: {_called(one, number)}: {fault}"
            for fault in _faults_of(one, several=len(listed) > 1)
        ]
    mappings = [one for one in listed if isinstance(one, Mapping)]
    return found + [fault for key in SHORT.values() for fault in _twice(mappings, key)]


def _called(one: Any, number: int) -> str:
    name = one.get("name") if isinstance(one, Mapping) else None
    return str(name) if name and _NAME.fullmatch(str(name)) else f"network {number}"


def _faults_of(one: Any, *, several: bool) -> Iterator[str]:
    """Return what is wrong with one network."""
    if not isinstance(one, Mapping):
        yield f"must be a mapping; {_EXAMPLE}"
        return
    for key in one:
        if key not in KEYS:
            yield f"there is no '{key}'; {suggest(str(key), KEYS)}"
    name, interface, address, port, relayed = (one.get(key) or "" for key in KEYS[:5])
    if several and not name:
        yield "has no name; give it one, which machines say in netboot_network_name"
    elif name and not _NAME.fullmatch(str(name)):
        yield "name: cannot be used; write letters, digits, '.', '_' and '-', at most 32"
    if not interface and not address:
        yield "has neither interface nor address; name the one that faces the machines"
    if interface and not INTERFACE.fullmatch(str(interface)):
        yield "interface: cannot be used; write the name of an interface as `ip link` shows it, like eno1.20"
    if address and not _is_address(address):
        yield f"address: '{address}' is no IPv4 address; write the server's own there, like 192.168.1.50"
    yield from port_faults(port, "port")
    yield from _relayed_faults(relayed or [])
    yield from dhcp.faults(one)


def port_faults(port: Any, variable: str = "netboot_http_port") -> Iterator[str]:
    """Return what is wrong with the port of a web server; nothing is, where none is said."""
    if port and not (str(port).isdigit() and 1 <= int(str(port)) <= _LAST_PORT):
        yield f"{variable}: '{port}' cannot be used; write a port number from 1 to 65535, like 80 or 8080"


def name_faults(name: Any) -> Iterator[str]:
    """Return what is wrong with the name of a cache's network, which it must have."""
    variable = "netboot_network_name"
    if not name:
        yield f"{variable}: is missing; give its network a name, which the machines there say, too"
    elif not _NAME.fullmatch(str(name)):
        yield f"{variable}: cannot be used; write letters, digits, '.', '_' and '-', at most 32"


def _relayed_faults(relayed: Any) -> Iterator[str]:
    """Return what is wrong with the networks whose relays ask here."""
    example = "write a list of networks such as [192.168.30.0/24]"
    if not isinstance(relayed, Iterable) or isinstance(relayed, (str, Mapping)):
        yield f"relayed: must be a list; {example}"
        return
    for one in relayed:
        try:
            size = ipaddress.IPv4Network(str(one)).num_addresses
        except ValueError as error:
            yield f"relayed: {error}; {example}"
        else:
            if size < SMALLEST:
                yield f"relayed: '{one}' has no room for a relay and a machine; {example}"


def _is_address(text: Any) -> bool:
    try:
        ipaddress.IPv4Address(str(text))
    except ValueError:
        return False
    return True


def _twice(listed: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    values = [str(one.get(key) or "") for one in listed]
    return [
        f"{VARIABLE}: two have the {key} {value}; correct one of them, or take it out"
        for value in dict.fromkeys(values)
        if value and values.count(value) > 1
    ]


# --- in which of them a machine boots


def of(machine: Mapping[str, Any], networks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the networks that a machine may boot in: its own, or all where it stands for any and names none.

    A machine that names none is in the server's own network, where this is the only one, and not in that of a cache.

    :param machine: C(mac), and C(network_name) where it is said.
    :param networks: C(netboot_result.networks) of its server, and C(netboot_result.caches).
    """
    name = str(machine.get("network_name") or "")
    if not name:
        own = [one for one in networks if not is_cached(one)]
        return list(networks) if machine["mac"] == ANY else own if len(own) == 1 else []
    return [one for one in networks if one["name"] == name]


def is_cached(network: Mapping[str, Any]) -> bool:
    """Whether a network has a cache, which hands on what the server has: an item of C(netboot_result.caches)."""
    return bool(network.get("server"))


def behind(network: Mapping[str, Any]) -> list[str]:
    """Return the networks whose machines ask the server in this one: behind a relay, as a cache is one."""
    return [*network.get("relayed", []), *network.get("cached", [])]


def machine_faults(machines: Iterable[Mapping[str, Any]], networks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return for each machine why it is in no network of its server; none when these are not known."""
    names = [str(one["name"]) for one in networks if one["name"]]
    return gather(
        (str(machine["name"]), _fault(str(machine.get("network_name") or ""), names))
        for machine in machines
        if networks and not of(machine, networks)
    )


def _fault(name: str, names: Collection[str]) -> str:
    variable = "netboot_network_name"
    if not name:
        return (
            f"{variable}: is missing, and the server has several networks; name the one that the machine boots in "
            f"({', '.join(names)})"
        )
    remedy = suggest(name, names) if names else f"take it out, or give the server this {variable}, too"
    return f"{variable}: '{name}' is no network of the machine's server; {remedy}"
