# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what every machine would be handed out, as the playbook wrote it; and what that makes of the states."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Dict, Iterator, Mapping

from .states import INSTALLS, Machine, State

TOKEN = b"@TOKEN@"
SEEDS = "http/machines"
SEED_NAMES = ("meta-data", "network-config", "user-data", "vendor-data")
# RFC 1123, section 2.1. Names become parts of paths, so nothing else is taken from anywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9-]*)*")

Files = Dict[str, bytes]
"""Path below a folder → content."""


class PlanError(Exception):
    """The plan cannot be used; the message says what to do."""


@dataclass
class Plan:
    """The plan in a folder. Machines' own files are read when they are asked for."""

    folder: str
    machines: dict[str, Machine] = field(default_factory=dict)
    local: Files = field(default_factory=dict)
    static: Files = field(default_factory=dict)

    def boot(self, name: str) -> Files:
        """The boot entries of a machine that is armed."""
        return read_tree(os.path.join(self.folder, "boot", name))

    def seed(self, name: str) -> Files:
        """The files that its installer asks for."""
        return read_tree(os.path.join(self.folder, "seed", name))


def load(folder: str) -> Plan:
    """Read a plan. PlanError when machines.json is damaged; a plan that is not there yet is empty."""
    path = os.path.join(folder, "machines.json")
    try:
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
        machines = {name: machine(name, entry) for name, entry in raw.items()}
    except FileNotFoundError:
        machines = {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanError(f"{path} is damaged ({error}): run the playbook homelab.netboot.site") from None
    trees = (read_tree(os.path.join(folder, kind)) for kind in ("local", "static"))
    return Plan(folder, machines, *trees)


def machine(name: str, entry: Mapping[str, str]) -> Machine:
    """One entry of machines.json. ValueError when the name cannot be one of a host."""
    if not NAME.fullmatch(name) or entry["install"] not in INSTALLS:
        raise ValueError(f"{name!r}: {dict(entry)}")
    return Machine(name, str(entry["mac"]), str(entry["image"]), entry["install"])


def read_tree(top: str) -> Files:
    """All files below a folder; empty when there is none."""
    found: Files = {}
    for path in walk(top):
        with open(os.path.join(top, path), "rb") as file:
            found[path] = file.read()
    return found


def walk(top: str, below: str = "") -> Iterator[str]:
    """The names of all files below a folder, symlinks and what is being written (.netboot-….part) left out."""
    try:
        with os.scandir(os.path.join(top, below)) as items:
            entries = sorted(items, key=lambda item: item.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for item in entries:
        path = f"{below}/{item.name}" if below else item.name
        if item.is_dir(follow_symlinks=False):
            yield from walk(top, path)
        elif item.is_file(follow_symlinks=False) and not item.name.startswith(".netboot-"):
            yield path


def of_machine(plan: Plan, name: str, state: State | None) -> dict[str, bytes | None]:
    """What is handed out at the paths of one machine's boot entries; None: nothing. Pure but for reading the plan.

    A machine is installed only from a plan that is whole: entries and seeds.
    """
    entries = plan.boot(name)
    if state is not None and state.state == "armed" and state.token:
        token = state.token.encode()
        return {path: text.replace(TOKEN, token) for path, text in entries.items()}
    return {path: plan.static.get(path, plan.local.get(os.path.dirname(path))) for path in entries}


def seeds_of(plan: Plan, name: str, state: State | None) -> Files:
    """What its installer can fetch: path below the served folder → content."""
    if state is None or not state.serves_seeds:
        return {}
    token = state.token.encode()
    return {
        f"{SEEDS}/{name}/{state.token}/{path}": text.replace(TOKEN, token)
        for path, text in plan.seed(name).items()
    }


def lacks(plan: Plan, name: str) -> list[str]:
    """What a machine needs before it can be armed; empty when all is there."""
    seed = os.path.join(plan.folder, "seed", name)
    missing = [] if any(True for dummy in walk(os.path.join(plan.folder, "boot", name))) else ["boot entries"]
    return missing + [file for file in SEED_NAMES if not os.path.isfile(os.path.join(seed, file))]
