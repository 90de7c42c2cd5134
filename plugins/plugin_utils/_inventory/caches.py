# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The caches of the inventory: which host stands in which network, and whose images it hands on there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, gather, suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import networks, owners
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.owners import Machine

VARIABLE = networks.CACHE
#: What is read of a cache's host, and of the machines where there are several servers.
_SAID = (VARIABLE, "netboot_network_name", "netboot_server", "netboot_http_port")
#: And of its server, as far as this run has not looked at it.
_STANDS = (networks.VARIABLE, *networks.SHORT, "netboot_http_port")
_EXAMPLE = "write its own address with the length of its network, like 192.168.30.5/24"
#: The port that an address without one means (RFC 9110, 4.2.1).
_HTTP = 80


def read(names: Iterable[Any], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the inventory says of each cache: C(host), and the variables that are said.

    :param names: of inventory hosts, the group C(netboot_caches).
    :param hostvars: Ansible's variable of that name.
    """
    found = []
    for name in names:
        said = hostvars[name]
        found.append({"host": str(name), **{key: said[key] for key in _SAID if key in said}})
    return found


def of(
    caches: Iterable[Mapping[str, Any]],
    servers: Sequence[str],
    host: str,
    machines: Iterable[Any],
    hostvars: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the caches of a server; of a cache itself, what L(parted) returns of it.

    :param caches: as L(read) returns them, of all servers.
    :param machines: as L(owners.read) takes them; they are read only where another server's cache might be meant.
    :raises InputError: as L(parted), and with each machine that L(strays) names.
    """
    found = parted(caches, servers)
    if any(set(found) - {host}) and host in servers:
        faults = strays(owners.own(owners.read(machines, hostvars), host, servers), found, host)
        if faults:
            raise InputError("The caches are not usable", faults)
    own = [one for those in found.values() for one in those if one["host"] == host]
    return [{**one, **_asks(one, hostvars)} for one in own] or found.get(host, [])


def _asks(cache: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
    """Return C(server) and C(server_port): where a cache asks its server, from this run's look at it or the inventory.

    :raises InputError: when neither says it.
    """
    said = hostvars[cache["owner"]]
    told = (said.get("netboot_result") or {}).get("caches", [])
    for one in told:
        if one["host"] == cache["host"]:
            return {"server": one["server"], "server_port": one["server_port"]}
    settings = {key: said[key] for key in _STANDS if key in said}
    listed = [] if networks.faults(settings) else networks.wanted(settings)
    if len(listed) == 1 and listed[0]["address"]:
        return {"server": listed[0]["address"], "server_port": listed[0]["port"]}
    raise InputError(
        "The caches are not usable",
        [
            f"{cache['host']}: the address of its server {cache['owner']} is not known, as this run does not look "
            f"at it; run site for both (-l {cache['host']},{cache['owner']}), or say netboot_address of that one"
        ],
    )


def parted(caches: Iterable[Mapping[str, Any]], servers: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return server → its caches, each with C(host), C(name), C(address), C(network), C(port) and C(base_url).

    :param caches: as L(read) returns them.
    :param servers: all there are. With one, a cache need not name it.
    :raises InputError: with all that is wrong with all of them.
    """
    listed = list(caches)
    faults = [f"{one['host']}: {fault}" for one in listed for fault in _faults(one, servers)]
    found: dict[str, list[dict[str, Any]]] = {}
    for one in listed if not faults else ():
        owner = str(one.get("netboot_server") or servers[0])
        found.setdefault(owner, []).append({**_cache(one), "owner": owner})
    faults += [fault for those in found.values() for fault in _not_apart(those)]
    if faults:
        raise InputError("The caches are not usable", faults)
    return found


def _faults(one: Mapping[str, Any], servers: Sequence[str]) -> Iterator[str]:
    """Return what is wrong with one cache, each with the variable and the remedy."""
    owner, address = str(one.get("netboot_server") or ""), str(one.get(VARIABLE) or "")
    if one["host"] in servers:
        yield "is in netboot_servers and in netboot_caches; take it out of one of them, as a server needs no cache"
    if owner and owner not in servers:
        yield f"netboot_server: '{owner}' is no host of netboot_servers; {suggest(owner, servers)}"
    elif not owner and len(servers) != 1:
        yield (
            "netboot_server: is missing, and there are several servers; name the one whose images it hands on "
            f"({', '.join(servers)})"
            if servers
            else "there is no host in netboot_servers; name there the server whose images it hands on"
        )
    if not address:
        yield f"{VARIABLE}: is missing; {_EXAMPLE}"
    elif not _is_own_address(address):
        yield f"{VARIABLE}: '{address}' cannot be used; {_EXAMPLE}"
    yield from networks.name_faults(one.get("netboot_network_name"))
    yield from networks.port_faults(one.get("netboot_http_port"))


def _is_own_address(text: str) -> bool:
    """Whether it is a host's address, with a length that leaves room for a router and a machine."""
    try:
        found = ipaddress.IPv4Interface(text)
    except ValueError:
        return False
    edges = (found.network.network_address, found.network.broadcast_address)
    return "/" in text and found.network.num_addresses >= networks.SMALLEST and found.ip not in edges


def _cache(one: Mapping[str, Any]) -> dict[str, Any]:
    place, port = ipaddress.IPv4Interface(str(one[VARIABLE])), int(one.get("netboot_http_port") or _HTTP)
    where = str(place.ip) if port == _HTTP else f"{place.ip}:{port}"
    return {
        "host": one["host"],
        "name": str(one["netboot_network_name"]),
        "address": str(place.ip),
        "network": str(place.network),
        "port": port,
        "base_url": f"http://{where}",
    }


def _not_apart(caches: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Return a fault for each two caches of one server that a machine's network does not tell apart."""
    for index, one in enumerate(caches):
        for other in caches[index + 1 :]:
            both = f"{one['host']} and {other['host']}"
            if one["name"] == other["name"]:
                yield f"{both}: netboot_network_name: both have {one['name']}; a network has one cache, take one out"
            elif _network(one).overlaps(_network(other)):
                yield (
                    f"{both}: {VARIABLE}: their networks {one['network']} and {other['network']} overlap; correct the "
                    "addresses or their lengths, or keep one of them"
                )


def _network(one: Mapping[str, Any]) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(str(one["network"]))


def strays(
    machines: Iterable[Machine], caches: Mapping[str, Iterable[Mapping[str, Any]]], server: str
) -> list[str]:
    """Return a fault for each machine that is to boot in the network of another server's cache.

    :param machines: of one server, each with C(name) and C(network_name).
    :param caches: server → its caches.
    """
    own = {cache["name"] for cache in caches.get(server, ())}
    others = {
        cache["name"]: (other, cache["host"])
        for other, those in caches.items()
        for cache in those
        if other != server and cache["name"] not in own
    }
    return gather(
        (
            str(machine["name"]),
            f"netboot_network_name: {name} is the network of {others[name][1]}, a cache of {others[name][0]}; set "
            f"netboot_server: {others[name][0]}, or correct the name",
        )
        for machine in machines
        for name in [str(machine.get("network_name") or "")]
        if name in others
    )


# --- beside the networks of their server


def placed(
    caches: Iterable[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], default: str
) -> list[dict[str, Any]]:
    """Return the caches of a server with C(interface) and C(server): where they ask it, of its own addresses.

    :param found: the server's networks, as C(_server.network.boot_networks) returns them.
    :param default: the server's address on its default route, which leads to other networks.
    :raises InputError: with each that overlaps a network of the server's, or has its name.
    """
    listed = list(caches)
    faults = [fault for one in listed for fault in _beside(one, found)]
    if faults:
        raise InputError("The caches are not usable", faults)
    asked = next((one for one in found if one["address"] == default), found[0] if found else {})
    return [
        {**one, "interface": asked["interface"], "server": asked["address"], "server_port": asked["port"]}
        for one in listed
    ]


def asked_by(found: Iterable[Mapping[str, Any]], caches: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the server's networks, each with the networks of the caches that ask there, as C(cached).

    :param caches: as L(placed) returns them.
    """
    listed = list(caches)
    return [
        {**one, "cached": [cache["network"] for cache in listed if cache["server"] == one["address"]]}
        for one in found
    ]


def _beside(cache: Mapping[str, Any], found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in found:
        if one["name"] == cache["name"]:
            yield (
                f"{cache['host']}: netboot_network_name: {one['name']} is also the name of the server's own network; "
                "give one of them another name"
            )
        for text in (one["network"], *one["relayed"]):
            if ipaddress.IPv4Network(text).overlaps(_network(cache)):
                yield (
                    f"{cache['host']}: {VARIABLE}: its network {cache['network']} overlaps {text}, which its server "
                    f"has itself{' (relayed)' if text != one['network'] else ''}; correct one of them"
                )
