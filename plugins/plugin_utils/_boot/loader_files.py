# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The boot plan: every small file that loaders read, for every machine in every state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import BOOT, LOCAL, STATIC
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import grub, ipxe, pxelinux
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.entries import (
    Loader,
    entries,
    local_only,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.networks import of as networks_of

LOADERS: tuple[Loader, ...] = (pxelinux.LOADER, grub.LOADER, ipxe.LOADER)


def files(machines: Iterable[Mapping[str, Any]], networks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the plan: path → content.

    - C(boot/NAME/PATH): what a machine finds at PATH below the server's root when it is armed. Those that are never
      installed have it too: it says where each of them looks.
    - C(local/FOLDER): what a named machine that is not armed finds in that folder, unless C(static) has its file.
    - C(static/PATH): what lies there in any case, unless a machine that is armed has the same path.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :param networks: the server's, C(netboot_result.networks), and those of its caches. The entries of a machine name
        the address in its own; what stands for any has files in each.
    """
    plan: dict[str, str] = {}
    machines, several = list(machines), len(networks) > 1
    for loader in LOADERS:
        plan[f"{LOCAL}/{loader.folder}"] = loader.write("not to be installed", local_only(), "")
        unnamed = [loader.default, *(path for one in networks if several for path in loader.shared(one))]
        left_alone = loader.write("whatever the inventory does not name", local_only(), "")
        plan.update({f"{STATIC}/{path}": left_alone for path in unnamed})
        plan.update({f"{STATIC}/{path}": text for path, text in loader.static(networks).items()})
        for machine in machines:
            plan.update(_files_of(machine, loader, networks_of(machine, networks), several=several))
    return plan


def _files_of(
    machine: Mapping[str, Any], loader: Loader, networks: Sequence[Mapping[str, Any]], *, several: bool
) -> dict[str, str]:
    """Return what is there of one machine for one loader."""
    plan, who = {}, f"{machine['name']}, {machine['mac']}"
    for path, network in loader.paths(machine["mac"], networks, several=several):
        base_url = str(network["base_url"])
        armed, resting = (entries(machine, network, armed=is_armed) for is_armed in (True, False))
        plan[f"{BOOT}/{machine['name']}/{path}"] = loader.write(who, armed, base_url)
        if machine["menu"]:
            plan[f"{STATIC}/{path}"] = loader.write(f"{who}, not to be installed", resting, base_url)
    return plan
