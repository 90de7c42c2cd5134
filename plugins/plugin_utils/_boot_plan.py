# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The boot entries of all loaders, as data at rest: the server hands out those of machines that are armed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _grub, _pxelinux

#: Each has entries(machine, base_url), local() and static(), with paths below the folder that is served.
LOADERS = (_pxelinux, _grub)


def files(machines: Iterable[Mapping[str, Any]], base_url: str) -> dict[str, str]:
    """Return the plan: path → content.

    C(boot/NAME/PATH) is a machine's entry as long as it is armed; C(local/FOLDER) what a machine that is not
    armed finds in its place; C(static/PATH) what everybody finds, unless an armed machine has this very path.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :param base_url: the server's HTTP root, without a slash at the end.
    """
    plan = {}
    for loader in LOADERS:
        plan.update({f"local/{folder}": text for folder, text in loader.local().items()})
        plan.update({f"static/{path}": text for path, text in loader.static().items()})
    for machine in machines:
        for loader in LOADERS:
            texts = loader.entries(machine, base_url)
            plan.update({f"boot/{machine['name']}/{path}": text for path, text in texts.items()})
    return plan
