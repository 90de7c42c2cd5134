# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The plan: what every machine would be handed out, as the playbook wrote it. Reads files, changes none."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from .contract import BOOT, INSTALLS, LOCAL, MACHINES_FILE, SEED, STATIC, is_host_name
from .files import Files, read_tree
from .states import Machine


class RefusedError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class Own:
    """What the plan has for one machine. boot: its entries when it is armed, seed: what its installer asks for."""

    boot: Files = field(default_factory=dict)
    seed: Files = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The plan in a folder, as contract.py describes it. Machines' own files are read when they are asked for."""

    folder: str
    machines: dict[str, Machine] = field(default_factory=dict)
    local: Files = field(default_factory=dict)
    static: Files = field(default_factory=dict)

    def own(self, name: str) -> Own:
        """One machine's own files; none when it is not in the plan."""
        if name not in self.machines:
            return Own()
        return Own(*(read_tree(os.path.join(self.folder, kind, name)) for kind in (BOOT, SEED)))

    def chosen(self, names: Iterable[str]) -> list[Machine]:
        """The machines with these names. RefusedError when one is not in the plan."""
        names = list(names)
        unknown = sorted(set(names) - set(self.machines))
        if unknown:
            known = ", ".join(sorted(self.machines)[:20]) or "none: run the playbook homelab.netboot.site"
            raise RefusedError(f"nothing was done: no such machine: {', '.join(unknown)}; known are {known}")
        return [self.machines[name] for name in names]


def load(folder: str) -> Plan:
    """Read a plan. RefusedError when the list of machines is damaged; a plan that is not there yet is empty."""
    path = os.path.join(folder, MACHINES_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
        machines = {name: machine(name, entry) for name, entry in raw.items()}
    except FileNotFoundError:
        machines = {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RefusedError(f"{path} is damaged ({error}): run the playbook homelab.netboot.site") from None
    trees = (read_tree(os.path.join(folder, kind)) for kind in (LOCAL, STATIC))
    return Plan(folder, machines, *trees)


def machine(name: str, entry: Mapping[str, str]) -> Machine:
    """One entry of that list. ValueError when the name cannot be one of a host."""
    if not is_host_name(name) or entry["install"] not in INSTALLS:
        raise ValueError(f"{name!r}: {dict(entry)}")
    return Machine(name, str(entry["mac"]), str(entry["image"]), entry["install"])
