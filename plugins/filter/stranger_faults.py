# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.stranger_faults)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: stranger_faults
short_description: Say why a server cannot answer machines that nobody has named, or must
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Of several servers in one network, one at most may answer such machines (C(netboot_strangers)), and one at most may
    give addresses (C(dhcp) in C(netboot_networks)).
  - Whether two networks of them are one is told by their names (C(netboot_network_name), or in C(netboot_networks)),
    where both have one, else by their addresses.
positional: hostvars, servers, server, strangers
extends_documentation_fragment:
  - homelab.netboot.servers
options:
  _input:
    description: The machines, as P(homelab.netboot.machines#filter) takes them.
    type: raw
    required: true
  server:
    description: Name of the one that is meant.
    type: str
    required: true
  strangers:
    description: C(netboot_strangers) of that one, its default included.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Refuse two that answer
  ansible.builtin.assert:
    that: faults | length == 0
  vars:
    faults: "{{ netboot_machines
      | homelab.netboot.stranger_faults(hostvars, netboot_servers, inventory_hostname, netboot_strangers) }}"
"""

RETURN = r"""
_value:
  description: A line for each fault, with the servers or the machine, the variable and the remedy.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import givers, owners


def stranger_faults(
    entries: Iterable[Any], hostvars: Mapping[str, Any], servers: Sequence[str], server: str, strangers: Any
) -> list[str]:
    """Return the faults; see DOCUMENTATION."""
    try:
        machines = owners.read(entries, hostvars)
        found = owners.stranger_faults(server, list(servers), hostvars, machines, strangers)
        return [*found, *givers.faults(server, list(servers), hostvars)]
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"stranger_faults": stranger_faults}
