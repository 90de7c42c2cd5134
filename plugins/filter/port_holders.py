# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.port_holders)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: port_holders
short_description: Say which other programs hold the ports that a service needs
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads the output of C(ss) and names the programs that are in the way.
positional: networks, ours, ports
options:
  _input:
    description: Lines as C(ss -H -l -n -p) prints them.
    type: list
    elements: str
    required: true
  networks:
    description: The server's networks, as P(homelab.netboot.server_facts#filter) returns them.
    type: list
    elements: dict
    required: true
  ours:
    description: Process ids of the services that are meant to hold them, V(0) for one that does not run.
    type: list
    elements: str
    required: true
  ports:
    description: >-
      Numbers of UDP ports that are needed in each network; a program that is bound to another interface is not in the
      way. Without them, the TCP port of the web server in each network.
    type: list
    elements: int
    default: []
"""

EXAMPLES = r"""
- name: Show who else serves DHCP, TFTP or PXE
  ansible.builtin.debug:
    msg: "{{ sockets.stdout_lines | homelab.netboot.port_holders(netboot_result.networks, ['814'], [67, 69, 4011]) }}"
"""

RETURN = r"""
_value:
  description: Each as C(PROGRAM on ADDRESS:PORT); empty when nothing is in the way.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import network


def port_holders(
    lines: Iterable[str],
    networks: Iterable[Mapping[str, Any]],
    ours: Iterable[str],
    ports: Sequence[int] = (),
) -> list[str]:
    """Return the holders; see DOCUMENTATION."""
    try:
        return network.port_holders(lines, networks, ours, ports)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"port_holders": port_holders}
