# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What the server has to know of each machine to decide whether it is to be installed; no secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import MACHINE_KEYS


def text(machines: Iterable[Mapping[str, Any]]) -> str:
    """Return C(machines.json), one line a machine: name → mac, image, install.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    """
    lines = [
        f"{json.dumps(machine['name'])}: {json.dumps({key: machine[key] or '' for key in MACHINE_KEYS})}"
        for machine in machines
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
