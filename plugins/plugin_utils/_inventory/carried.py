# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The settings of all machines as one text, which a play carries from task to task.

To read a host's variables costs Ansible more than all that this collection does with them, and each task that names the
machines would read them anew. A list would not do: Ansible goes through all of it at each use, and copies it for each
template.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, shown
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain

#: The key of a mapping that stands for one whose keys are not all texts: JSON (RFC 8259) has no others, YAML has.
_PAIRS = "\0pairs"


def pack(machines: Iterable[Mapping[str, Any]]) -> str:
    """Return the text.

    >>> unpack(pack([{"name": "nuc1", "autoinstall": {1: "one"}}]))
    [{'name': 'nuc1', 'autoinstall': {1: 'one'}}]

    :param machines: of each its settings, in plain types.
    """
    return json.dumps([_keyed(machine) for machine in machines])


def unpack(text: str) -> list[dict[str, Any]]:
    """Return the machines.

    :raises ValueError: when it is no such text.
    """
    found = json.loads(text, object_pairs_hook=_mapping)
    if not isinstance(found, list):
        raise ValueError("no list of machines")
    return found


def entries(names: Any) -> Iterable[Any]:
    """Return what a list of machines names, or what a text carries, mappings.

    :param names: C(netboot_machines), or the text.
    :raises InputError: when it is neither.
    """
    if isinstance(names, str):
        with contextlib.suppress(ValueError):
            found = unpack(names)
            if all(isinstance(machine, dict) for machine in found):
                return found
    elif isinstance(names, Iterable) and not isinstance(names, Mapping):
        return names
    fault = f"netboot_machines: must be a list of machines, such as [nuc1], not '{shown(names)}'"
    if isinstance(names, str):
        fault += """; after -e a list is written as JSON: -e '{"netboot_machines": ["nuc1"]}'"""
    raise InputError("The machines are not usable", [fault])


def listed(machines: Iterable[Mapping[str, Any]] | str) -> list[dict[str, Any]]:
    """Return the machines of a text, or of a list as Ansible hands it over, where each value is dear to read."""
    return unpack(machines) if isinstance(machines, str) else [plain(machine) for machine in machines]


def _keyed(value: Any) -> Any:
    if isinstance(value, list):
        return [_keyed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if all(isinstance(key, str) and key != _PAIRS for key in value):
        return {key: _keyed(item) for key, item in value.items()}
    return {_PAIRS: [[key, _keyed(item)] for key, item in value.items()]}


def _mapping(pairs: list[tuple[str, Any]]) -> dict[Any, Any]:
    return dict(pairs[0][1] if len(pairs) == 1 and pairs[0][0] == _PAIRS else pairs)
