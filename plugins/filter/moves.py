# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.moves)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: moves
short_description: Say what servers know of machines that get another server, and whether these may move
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - A machine goes to another server only when all others have been asked, and the one that has it is in the same run.
positional: machines, in_run
options:
  _input:
    description: What M(homelab.netboot.machine_moves) answered on each of the other servers; C(results) of a
      registered loop.
    type: list
    elements: dict
    required: true
  machines:
    description: The server's machines, as the filter P(homelab.netboot.machine_plan#filter) lists them.
    type: dict
    required: true
  in_run:
    description: Names of the servers that this run configures.
    type: list
    elements: str
    required: true
  begun:
    description: Whether the others have been asked to give the machines.
    type: bool
    default: false
  new:
    description: MAC addresses of those machines that are new to the server.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Refuse to take machines that another server may have
  ansible.builtin.assert:
    that: (asked.results | homelab.netboot.moves(machines, ansible_play_hosts, new=here.unknown)).faults | length == 0
"""

RETURN = r"""
_value:
  description: C(faults), a line for each, and C(known), option O(homelab.netboot.machine_moves#module:known) of the
    module.
  type: dict
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import moves as decided


def moves(
    answers: Iterable[Mapping[str, Any]],
    machines: Mapping[str, Mapping[str, Any]],
    in_run: Collection[str],
    *,
    begun: bool = False,
    new: Collection[str] = (),
) -> dict[str, Any]:
    """Return what is known, and what is wrong; see DOCUMENTATION."""
    answers = list(answers)
    names = {str(one["mac"]): str(name) for name, one in machines.items() if one["mac"] in new}
    faults = decided.faults(answers, names, in_run, begun=begun)
    return {"known": decided.known(answers), "faults": faults}


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"moves": moves}
