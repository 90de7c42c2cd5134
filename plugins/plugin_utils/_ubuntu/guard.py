# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Before anything is written (Subiquity: early-commands): the server's receipt, and a look at the machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    BEGUN,
    RECEIPT,
    WIPE,
    report_address,
    seed_address,
)

#: A file of the installer's live system; its first line is told to the server as the reason of the failure.
REASON = "/run/netboot-reason"
#: Seconds in which the server must have noted that the installation begins; it tries again itself after ten.
PATIENCE = 90

_PROGRAMS = Path(__file__).parent / "programs"


def early_commands(machine: Mapping[str, Any], told: Mapping[str, Any], base_url: str = "") -> list[str]:
    """Return the early-commands that stop the installation when it must not go on; to stand before all others.

    The reason is left in L(REASON) for the error-commands.

    :param machine: settings as the filter P(homelab.netboot.machines#filter) returns them.
    :param told: what Subiquity is told, of which C(storage) says which disks it would use.
    :param base_url: the server's HTTP root, without a slash at the end; without it, no server is told.
    """
    want = {
        **machine["expect"],
        "name": machine["name"],
        "label": str(machine["protect_label"]),
        "wipe": WIPE,
        "storage": _storage(told),
    }
    commands = [_command("guard", json.dumps(want), REASON)]
    if base_url:
        name = machine["name"]
        receipt = seed_address(base_url, name) + RECEIPT
        commands.insert(
            0, _command("begin", report_address(base_url, name, BEGUN), receipt, REASON, str(PATIENCE))
        )
    return commands


def _storage(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says which disks are used, as the installer itself reads it.

    The largest is taken when nothing is said (Subiquity's documentation, C(storage)).
    """
    storage = told.get("storage", {})
    if isinstance(storage.get("config"), list):
        disks = [action for action in storage["config"] if action.get("type") == "disk"]
        return {
            "config": [
                {key: disk[key] for key in ("serial", "path", "match") if key in disk} for disk in disks
            ]
        }
    return {"match": (storage.get("layout") or {}).get("match", {"size": "largest"})}


def _command(program: str, *arguments: str) -> str:
    text = (_PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
    # Subiquity runs a text with sh -c. -I: what its snap sets for a Python of its own is not meant for this one.
    return f"python3 -I -c {shlex.quote(text)} {' '.join(map(shlex.quote, arguments))}"
