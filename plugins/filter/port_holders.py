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
positional: ports, address, ours, interface
options:
  _input:
    description: Lines as C(ss -H -l -n -p) prints them.
    type: list
    elements: str
    required: true
  ports:
    description: Port numbers that are needed.
    type: list
    elements: int
    required: true
  address:
    description: IPv4 address at which they are needed.
    type: str
    required: true
  ours:
    description: Process ids of the services that are meant to hold them, V(0) for one that does not run.
    type: list
    elements: str
    required: true
  interface:
    description: >-
      The interface of that address; a program that is bound to another one is not in the way. Without it, each program
      at all addresses is.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show who else serves DHCP, TFTP or PXE
  ansible.builtin.debug:
    msg: "{{ sockets.stdout_lines | homelab.netboot.port_holders([67, 69, 4011], '192.168.1.50', ['814']) }}"
"""

RETURN = r"""
_value:
  description: Each as C(PROGRAM on ADDRESS:PORT); empty when nothing is in the way.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import network


def port_holders(
    lines: Iterable[str], ports: Iterable[int], address: str, ours: Iterable[str], interface: str = ""
) -> list[str]:
    """Return the holders; see DOCUMENTATION."""
    try:
        return network.port_holders(lines, ports, address, ours, interface)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"port_holders": port_holders}
