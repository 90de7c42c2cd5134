# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The plan: what every machine would be handed out, as the playbook wrote it. Reads files, changes none."""

from __future__ import annotations

import json
import os
import textwrap
from dataclasses import dataclass, field
from typing import Iterable, Mapping

from . import ssh_keys
from .contract import (
    ANY,
    BOOT,
    INSTALLS,
    LOCAL,
    MAC,
    MACHINES_FILE,
    PROGRAM,
    SEED,
    STATIC,
    WIPES,
    is_host_name,
    program_mark,
)
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
    """The plan in a folder, as contract.py describes it. Machines' own files are read when they are asked for.

    programs: what stands in user-data for each program → its text, as YAML.
    """

    folder: str
    machines: dict[str, Machine] = field(default_factory=dict)
    local: Files = field(default_factory=dict)
    static: Files = field(default_factory=dict)
    programs: dict[bytes, bytes] = field(default_factory=dict)
    is_unreadable: bool = False

    def own(self, machine: Machine | None) -> Own:
        """One machine's own files; none when it is not in the plan."""
        if machine is None:
            return Own()
        return Own(*(read_tree(os.path.join(self.folder, kind, machine.name)) for kind in (BOOT, SEED)))

    def by_mac(self) -> dict[str, Machine]:
        """The machines, by what does not change."""
        return {machine.mac: machine for machine in self.machines.values()}

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
    local, static, programs = (read_tree(os.path.join(folder, kind)) for kind in (LOCAL, STATIC, PROGRAM))
    marks = {f"'{program_mark(file)}'".encode(): _block(text) for file, text in programs.items()}
    return Plan(folder, machines, local, static, marks)


def _block(text: bytes) -> bytes:
    """A text as YAML has it line by line (YAML 1.2, 8.1.2), deeper than whatever user-data has it in."""
    return ("|\n" + textwrap.indent(text.decode(), " " * 4)).rstrip("\n").encode()


def machine(name: str, entry: Mapping[str, str]) -> Machine:
    """One entry of that list. ValueError when it cannot be one."""
    mac = str(entry["mac"])
    is_sound = is_host_name(name) and (mac == ANY or MAC.fullmatch(mac))
    if not is_sound or entry["install"] not in INSTALLS or entry["wipe"] not in WIPES:
        raise ValueError(f"{name!r}: {dict(entry)}")
    host_key = str(entry["host_key"])
    if host_key and host_key != ssh_keys.host_key(host_key):
        raise ValueError(f"{name!r}: no host key: {host_key!r}")
    return Machine(name, mac, str(entry["image"]), entry["install"], entry["wipe"], host_key)
