# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.provision_table)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: provision_table
short_description: Tell what came of machines, a line each
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Shows for each machine how many minutes each phase took, its address, and the result.
positional: alive
options:
  _input:
    description: Machines, as C(netboot why --json) tells them.
    type: list
    elements: dict
    required: true
  alive:
    description: Names of those of which nothing has failed in this run.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Tell what came of them
  ansible.builtin.debug:
    msg: "{{ told.stdout | from_json | homelab.netboot.provision_table(ansible_play_hosts) }}"
"""

RETURN = r"""
_value:
  description: A head, and a line for each machine.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._provision import table


def provision_table(machines: Iterable[Mapping[str, Any]], alive: Iterable[str]) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    return table.lines(machines, set(alive))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"provision_table": provision_table}
