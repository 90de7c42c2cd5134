# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.free_port)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: free_port
short_description: Find a port that no program holds
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads the output of C(ss); for a message that says which port to take instead.
positional: ports, networks
options:
  _input:
    description: Lines as C(ss -H -l -n -p) prints them.
    type: list
    elements: str
    required: true
  ports:
    description: Port numbers, the best first.
    type: list
    elements: int
    required: true
  networks:
    description: The server's networks, as P(homelab.netboot.server_facts#filter) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show where a web server could listen
  ansible.builtin.debug:
    msg: "{{ sockets.stdout_lines | homelab.netboot.free_port([8080, 8081], netboot_result.networks) }}"
"""

RETURN = r"""
_value:
  description: The first port that is free; when none is, the number after the last.
  type: int
  sample: 8080
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import network


def free_port(lines: Iterable[str], ports: Iterable[int], networks: Iterable[Mapping[str, Any]]) -> int:
    """Return the port; see DOCUMENTATION."""
    try:
        return network.free_port(lines, ports, networks)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"free_port": free_port}
