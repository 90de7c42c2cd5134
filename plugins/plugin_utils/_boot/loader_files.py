# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The boot plan: every small file that loaders read, for every machine in every state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import BOOT, LOCAL, STATIC
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import grub, ipxe, pxelinux
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.entries import Loader, entries, local_only

LOADERS: tuple[Loader, ...] = (pxelinux.LOADER, grub.LOADER, ipxe.LOADER)


def files(machines: Iterable[Mapping[str, Any]], base_url: str) -> dict[str, str]:
    """Return the plan: path → content.

    - C(boot/NAME/PATH): what a machine finds at PATH below the server's root when it is armed. Those that are never
      installed have it too: it says where each of them looks.
    - C(local/FOLDER): what a named machine that is not armed finds in that folder, unless C(static) has its file.
    - C(static/PATH): what lies there in any case, unless a machine that is armed has the same path.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :param base_url: the server's HTTP root, without a slash at the end.
    """
    plan: dict[str, str] = {}
    machines = list(machines)
    for loader in LOADERS:
        plan[f"{LOCAL}/{loader.folder}"] = loader.write("not to be installed", local_only(), base_url)
        plan[f"{STATIC}/{loader.default}"] = loader.write(
            "whatever the inventory does not name", local_only(), base_url
        )
        plan.update({f"{STATIC}/{path}": text for path, text in loader.static(base_url).items()})
        for machine in machines:
            path, who = loader.path(machine["mac"]), f"{machine['name']}, {machine['mac']}"
            armed = entries(machine, base_url, armed=True)
            plan[f"{BOOT}/{machine['name']}/{path}"] = loader.write(who, armed, base_url)
            if machine["menu"]:
                plan[f"{STATIC}/{path}"] = loader.write(
                    f"{who}, not to be installed", entries(machine, base_url, armed=False), base_url
                )
    return plan
