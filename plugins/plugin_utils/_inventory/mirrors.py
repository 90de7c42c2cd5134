# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The mirrors of packages that the inventory names: whom the cache may ask, and nobody else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, shown
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import system


def named(
    names: Iterable[Any],
    hostvars: Mapping[str, Any],
    more: Iterable[Any] = (),
    addresses: Collection[str] = (),
) -> dict[str, list[str]]:
    """Return C(hosts), as C(host) or C(host:port), and C(names), without ports; none of them is Ubuntu's own.

    :param names: the machines, as C(machines.from_inventory) takes them. What is wrong with them is told elsewhere.
    :param more: C(pxe_http_apt_hosts).
    :param addresses: the server's own, which its machines ask directly: its web server would answer itself.
    :raises InputError: when C(more) names what is no host.
    """
    if isinstance(more, (str, Mapping)):
        raise InputError("The cache of packages", ["pxe_http_apt_hosts: must be a list such as [mirror.lan]"])
    wanted = [str(one) for one in more]
    wrong = [one for one in wanted if not system.is_mirror(one)]
    if wrong:
        faults = [
            f"pxe_http_apt_hosts: '{shown(one)}' is no host; write it like mirror.lan or mirror.lan:8080"
            for one in wrong
        ]
        raise InputError("The cache of packages", faults)
    found = {
        *wanted,
        *system.mirrors(_settings(machine) for machine in machines.from_inventory(names, hostvars)),
    }
    hosts = sorted(
        one
        for one in found
        if one.partition(":")[0] not in ("localhost", *addresses) and not system.is_ubuntu(one)
    )
    return {"hosts": hosts, "names": sorted({one.partition(":")[0] for one in hosts})}


def _settings(machine: Mapping[str, Any]) -> dict[str, Any]:
    given = {layer: plain(machine.get(layer) or {}) for layer in system.LAYERS}
    return system.wanted({layer: one if isinstance(one, Mapping) else {} for layer, one in given.items()})
