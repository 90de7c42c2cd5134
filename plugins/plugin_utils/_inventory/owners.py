# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which server a machine belongs to: that one alone arms it, publishes what it boots, and answers it."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, gather, suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import carried, networks
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain

Machine = Mapping[str, Any]
"""C(name), C(mac) and C(server), as the inventory says them, without the prefix."""


def read(names: Iterable[Any], hostvars: Mapping[str, Any]) -> list[Machine]:
    """Return of each machine what this file needs to know; mappings pass as they are.

    :param names: inventory host names, or settings as the filter P(homelab.netboot.machines#filter) takes them; or
        L(carried)'s text.
    :param hostvars: Ansible's variable of that name.
    :raises InputError: when it is none of these.
    """
    found: list[Machine] = []
    for name in carried.entries(names):
        if isinstance(name, Mapping):
            found.append(name)
            continue
        said = hostvars[name]
        keys = ("mac", "server", "network_name")
        settings = {key: said[f"netboot_{key}"] for key in keys if f"netboot_{key}" in said}
        found.append({"name": name, **settings})
    return found


def parted(machines: Iterable[Machine], servers: Sequence[str]) -> dict[str, list[Machine]]:
    """Return server → its machines, in their order; only servers that have some.

    :param servers: all there are. With one, a machine need not name it.
    :raises InputError: with every machine that names no server, or none that exists, and every one that two have.
    """
    listed = list(machines)
    only = servers[0] if len(servers) == 1 else ""
    faults = [*gather(_unowned(listed, servers)), *_twice(listed, only)]
    if faults:
        raise InputError("Not each machine has one server", faults)
    found: dict[str, list[Machine]] = {}
    for machine in listed:
        found.setdefault(_owner(machine) or only, []).append(machine)
    return found


def own(machines: Iterable[Machine], server: str, servers: Sequence[str]) -> list[Machine]:
    """Return the machines of one server; all of them when it is none of those that share machines.

    :raises InputError: as L(parted), for all machines.
    """
    listed = list(machines)
    return parted(listed, servers).get(server, []) if server in servers else listed


def are_shared(server: str, servers: Sequence[str]) -> bool:
    """Whether a server is one of several that share the machines."""
    return server in servers and len(servers) > 1


def _owner(machine: Machine) -> str:
    return str(machine.get("server") or "")


def _unowned(machines: Iterable[Machine], servers: Sequence[str]) -> Iterator[tuple[str, str]]:
    for machine in machines:
        name, owner = str(machine.get("name", "")), _owner(machine)
        if owner and owner not in servers:
            yield name, f"netboot_server: '{owner}' is no host of netboot_servers; {suggest(owner, servers)}"
        elif not owner and len(servers) > 1:
            yield (
                name,
                "netboot_server: is missing, and there are several servers; name the one that installs it "
                f"({', '.join(servers)}), as a rule in the group_vars of its site",
            )


def _twice(machines: Iterable[Machine], only: str) -> Iterator[str]:
    """Return a fault for each address that machines of two servers have: both would install that one."""
    first: dict[str, Machine] = {}
    for machine in machines:
        mac = _address(machine)
        other = first.setdefault(mac, machine)
        if mac and mac != ANY and (_owner(other) or only) != (_owner(machine) or only):
            yield (
                f"machines {other['name']} and {machine['name']}: netboot_mac: both have {mac}, and {_owner(other)} "
                f"and {_owner(machine)} would both install it; take one of them out, or correct its address"
            )


def _address(machine: Machine) -> str:
    """Return its MAC in the one form; empty when it has none that can be used, which is said elsewhere."""
    with contextlib.suppress(ValueError):
        return ANY if machine.get("mac") == ANY else _mac.normalise(machine.get("mac"))
    return ""


def owner_of(machines: Iterable[Machine], servers: Sequence[str]) -> dict[str, str]:
    """Return MAC → server, of all machines but those that stand for any."""
    return {
        _address(machine): server
        for server, those in parted(machines, servers).items()
        for machine in those
        if _address(machine) not in ("", ANY)
    }


# --- strangers: what boots and is not named


def stranger_faults(
    server: str,
    servers: Sequence[str],
    hostvars: Mapping[str, Any],
    machines: Iterable[Machine],
    strangers: Any,
) -> list[str]:
    """Return why a server cannot answer strangers, or must.

    :param hostvars: of each server C(netboot_strangers), C(netboot_result) where this run has looked at it, else what
        says where it stands, as far as it is there (L(networks.wanted)).
    :param strangers: C(netboot_strangers) of this one, its default included.
    """
    mine = plain({key: hostvars[server][key] for key in _SAID if key in hostvars[server]})
    try:
        answers = boolean(strangers)
    except TypeError:
        return [f"{server}: netboot_strangers: '{strangers}' is neither true nor false: write one of them"]
    if not answers:
        return [
            f"machine {machine['name']}: netboot_mac: any stands for machines that are not named, and {server} does "
            f"not answer these; set netboot_strangers: true for {server}, or name the machines one by one"
            for machine in own(machines, server, servers)
            if _address(machine) == ANY
        ]
    faults = []
    for other in servers if are_shared(server, servers) else ():
        said = hostvars[other]
        theirs = {key: said[key] for key in _SAID if key in said} if other != server else {}
        same = next(_may_be_one(mine, plain(theirs)), None)
        if boolean(theirs.get("netboot_strangers"), strict=False) and same:
            faults.append(
                f"{server} and {other}: netboot_strangers: both answer machines that are not named, in networks that "
                f"may be one ({_where(same[0])} and {_where(same[1])}). Set it to true for one of them only; where "
                "these are two networks with the same numbers, give each server a netboot_network_name of its own "
                "(the name in netboot_networks)"
            )
    return faults


_SAID = (
    "netboot_strangers",
    "netboot_result",
    networks.VARIABLE,
    *networks.SHORT,
)

#: The name that a person has given a network, and its addresses, as far as this run knows them.
_Network = tuple[str, ipaddress.IPv4Network | None]


def _may_be_one(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[_Network, _Network]]:
    """Return each two networks of two servers that may be the same. A person's word counts before their addresses."""
    for one in _networks(mine):
        for other in _networks(theirs):
            if one[0] and other[0]:
                is_same = one[0] == other[0]
            else:
                is_same = one[1] is None or other[1] is None or one[1].overlaps(other[1])
            if is_same:
                yield one, other


def _networks(said: Mapping[str, Any]) -> list[_Network]:
    """A server's networks; of one that this run does not look at only its addresses, and perhaps not even those."""
    looked = (said.get("netboot_result") or {}).get("networks")
    if looked:
        return [(one["name"], ipaddress.IPv4Network(one["network"])) for one in looked]
    if networks.faults(said):
        return [("", None)]
    return [(one["name"], _alone(one["address"])) for one in networks.wanted(said)]


def _alone(address: str) -> ipaddress.IPv4Network | None:
    with contextlib.suppress(ValueError):
        return ipaddress.IPv4Network(address)
    return None


def _where(network: _Network) -> str:
    return network[0] or str(network[1] or "an address that this run does not know")
