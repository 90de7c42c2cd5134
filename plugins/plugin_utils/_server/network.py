# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Where the server stands in the boot network; whom it answers; who holds its ports already."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import dhcp
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.networks import CACHE, VARIABLE

#: The port that an address without one means (RFC 9110, 4.2.1).
_HTTP = 80


def boot_networks(
    looked: Mapping[str, Iterable[str]], wanted: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the networks that machines boot in: C(name), C(address), C(interface), C(network), C(port), C(base_url),
    C(relayed), C(cached), C(dhcp).

    C(network) is ADDRESS/LENGTH; C(relayed) the same of those whose relays ask there, C(cached) of those whose
    caches do. C(base_url) is the root of the web server there, without a slash at the end. C(dhcp) is what the server
    gives there, as C(_inventory.dhcp.wanted) returns it.

    :param looked: what C(ip -json address) printed as C(addresses), and C(ip -json route get) of an address that is
        not near as C(route); both lists of lines (ip(8)).
    :param wanted: as C(_inventory.networks.wanted) returns them. Without an address it is that of the interface,
        without both that of the default route.
    :raises InputError: naming the variable, what is there, and the remedy.
    """
    there = list(_addresses(_read(looked, "addresses")))
    default = default_address(looked)
    listed, faults = list(wanted), []
    found: list[dict[str, Any]] = []
    for one in listed:
        variable = f"{VARIABLE}: {one['name']}" if len(listed) > 1 else "netboot_address"
        try:
            if "/" in one["address"]:
                found.append(_of_cache(one, there))
            else:
                found.append(_network(one, there, default, variable))
        except ValueError as error:
            faults.append(str(error))
    faults += [*_not_apart(found), *_relays_apart(found)]
    faults += [f"{VARIABLE}: {_shown(one)}: {fault}" for one in found for fault in dhcp.unfit(one)]
    if faults:
        raise InputError("The server's networks are not usable", faults)
    return found


def _network(
    one: Mapping[str, Any], there: Iterable[Mapping[str, str]], default: str, variable: str
) -> dict[str, Any]:
    there, interface = list(there), one["interface"]
    address = one["address"] or ("" if interface else default)
    fitting = [found for found in there if found["address"] == (address or found["address"])]
    if interface:
        fitting = [found for found in fitting if found["interface"] == interface]
    listing = ", ".join(f"{found['address']} on {found['interface']}" for found in there) or "none at all"
    wanted = " ".join(filter(None, [address, f"on interface {interface}" if interface else ""]))
    if not fitting:
        raise ValueError(
            f"{variable}: this server has no IPv4 address {wanted or 'with a default route'}; it has {listing}. "
            "Name the address that it has in the network of the machines."
        )
    if len(fitting) > 1:
        raise ValueError(f"{variable}: several addresses fit ({listing}); say which one is meant.")
    [found] = fitting
    where = found["address"] if one["port"] == _HTTP else f"{found['address']}:{one['port']}"
    more = {"port": one["port"], "base_url": f"http://{where}", "relayed": list(one["relayed"]), "cached": []}
    return {"name": one["name"], **found, **more, "dhcp": one.get("dhcp", {})}


def _of_cache(one: Mapping[str, Any], there: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return the network of a cache, which is said with its length: its server cannot look."""
    said = ipaddress.IPv4Interface(one["address"])
    found = _network({**one, "address": str(said.ip)}, there, "", CACHE)
    if found["network"] != str(said.network):
        raise ValueError(
            f"{CACHE}: {said} says the network {said.network}, but on {found['interface']} it is {found['network']}; "
            "correct the length, which the server of this cache is told, too."
        )
    return {**found, "is_cache": True}


def default_address(looked: Mapping[str, Iterable[str]]) -> str:
    """Return the server's address on its default route, as L(boot_networks) reads it; empty without one."""
    return next((str(one.get("prefsrc", "")) for one in _read(looked, "route")), "")


def _not_apart(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Return a fault for each two networks between which a machine's address, or its interface, does not decide."""
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            both = f"{VARIABLE}: {_shown(one)} and {_shown(other)}"
            if one["interface"] == other["interface"]:
                yield (
                    f"{both} have one interface, so that nobody can tell in which of them a machine asks; keep one, or "
                    "part them by a VLAN"
                )
            elif ipaddress.IPv4Network(one["network"]).overlaps(ipaddress.IPv4Network(other["network"])):
                yield f"{both} overlap; correct the addresses or their prefix lengths, or keep one of them"


def _relays_apart(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Return a fault for each relayed network that overlaps another one: dnsmasq would take the first that fits."""
    own = [(f"{_shown(one)}", ipaddress.IPv4Network(one["network"])) for one in found]
    for one in found:
        for text in one["relayed"]:
            network = ipaddress.IPv4Network(text)
            for shown, other in own:
                if network.overlaps(other):
                    yield (
                        f"{VARIABLE}: {_shown(one)}: relayed: {text} overlaps {shown}; take it out here, or "
                        "correct it: each network is named once"
                    )
            own.append((f"{text}, relayed to {_shown(one)}", network))


def _shown(one: Mapping[str, Any]) -> str:
    return f"{one['name'] or one['address']} ({one['network']} on {one['interface']})"


def _read(looked: Mapping[str, Iterable[str]], part: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(looked.get(part, [])) or "[]")
    return found


def _addresses(links: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for link in links:
        for one in link.get("addr_info", []):
            if one.get("family") == "inet" and not ipaddress.ip_address(one["local"]).is_loopback:
                network = ipaddress.IPv4Interface(f"{one['local']}/{one['prefixlen']}").network
                yield {
                    "interface": str(link["ifname"]),
                    "address": str(one["local"]),
                    "network": str(network),
                }


def port_holders(
    ss_lines: Iterable[str],
    networks: Iterable[Mapping[str, Any]],
    ours: Iterable[str],
    ports: Sequence[int] = (),
) -> list[str]:
    """Return who else holds a port that is needed in one of the networks, as C(PROGRAM on ADDRESS:PORT).

    :param ss_lines: what C(ss -H -l -n -p) prints (ss(8)): the fifth column, or the fourth without a state, is local.
    :param networks: as L(boot_networks) returns them; a holder of all addresses is in the way too.
    :param ours: process ids of our services, V(0) for one that does not run. In a container root may not see whose
        a socket is; while a service of ours runs, such a one is taken for ours.
    :param ports: numbers of UDP ports that are needed in each. Who is bound to another interface, as the DHCP server
        of a network of virtual machines is (ADDRESS%INTERFACE:PORT, socket(7): SO_BINDTODEVICE), is not in the way.
        Without them, the TCP port of the web server in each.
    """
    lines = list(ss_lines)
    found = [
        holder
        for one in networks
        for holder in _holders(
            lines, ports or [one["port"]], one["address"], ours, one["interface"] if ports else ""
        )
    ]
    return list(dict.fromkeys(found))


def _holders(
    ss_lines: Iterable[str], ports: Iterable[int], address: str, ours: Iterable[str], interface: str
) -> list[str]:
    wanted, pids = {str(port) for port in ports}, set(ours) - {"0"}
    holders = []
    for line in ss_lines:
        local, host, device, port = _local(line)
        program = re.search(r'users:\(\("([^"]+)"', line)
        is_ours = bool(pids & set(re.findall(r"pid=(\d+)", line))) if program else bool(pids)
        elsewhere = bool(interface and device) and device != interface
        if port in wanted and host in _reached_at(address) and not is_ours and not elsewhere:
            holders.append(f"{program.group(1) if program else 'an unknown program'} on {local}")
    return holders


def free_port(ss_lines: Iterable[str], ports: Iterable[int], networks: Iterable[Mapping[str, Any]]) -> int:
    """Return the first of the ports that nobody holds in any of the networks, or the one behind the last of them.

    :param ss_lines, networks: as for L(port_holders).
    :param ports: port numbers, the best first.
    """
    hosts = {host for one in networks for host in _reached_at(one["address"])}
    held = {port for dummy, host, device, port in map(_local, ss_lines) if host in hosts}
    ports = list(ports)
    return next((port for port in ports if str(port) not in held), ports[-1] + 1)


def _local(line: str) -> tuple[str, str, str, str]:
    """Return a socket's own end as ss(8) prints it, and of that: address, interface if it is bound to one, port."""
    local = next((word for word in line.split() if re.search(r":\d+$", word)), "")
    where, _colon, port = local.rpartition(":")
    host, _percent, device = where.partition("%")
    return local, host.strip("[]"), device.strip("[]"), port


def _reached_at(address: str) -> set[str]:
    return {address, "*", "0.0.0.0", "::"}  # noqa: S104 - compared


def networks(values: Iterable[Any], variable: str) -> list[str]:
    """Return IPv4 networks in the form ADDRESS/LENGTH, each once, in the order given.

    :param values: each as ADDRESS/LENGTH or ADDRESS/NETMASK; an address alone is a network of one.
    :param variable: the name of the variable that they come from, for the message.
    :raises InputError: with every value that is no IPv4 network.
    """
    found = {}
    faults = []
    for value in values:
        try:
            found[str(ipaddress.IPv4Network(str(value)))] = True
        except ValueError as error:
            faults.append(f"{variable}: {error}; write a network like 192.168.1.0/24")
    if faults:
        raise InputError("The networks are not usable", faults)
    return list(found)
