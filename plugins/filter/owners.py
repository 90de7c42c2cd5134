# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.owners)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: owners
short_description: Part machines by the server that each belongs to
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Each machine has one server, which alone arms it. With one server that is this one; with several,
    C(netboot_server) names it.
positional: hostvars, servers
extends_documentation_fragment:
  - homelab.netboot.servers
options:
  _input:
    description: The machines, as P(homelab.netboot.machines#filter) takes them.
    type: raw
    required: true
  by_mac:
    description: To return MAC address to server, instead.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show whose machines these are
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.owners(hostvars, groups['netboot_servers']) }}"
"""

RETURN = r"""
_value:
  description:
    - Server to the names of its machines, sorted; without servers that have none.
    - When a machine names no server, or one that does not exist, or two servers have the same one, the filter fails and
      names each of them.
  type: dict
  sample: {server1: [nuc1, nuc2], server2: [nuc3]}
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import carried
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import owners as decided


def owners(
    entries: Iterable[Any] | str, hostvars: Mapping[str, Any], servers: Sequence[str], *, by_mac: bool = False
) -> dict[str, Any]:
    """Return the machines by server; see DOCUMENTATION."""
    servers = list(servers)
    try:
        listed = list(carried.entries(entries))
        if len(servers) == 1 and not by_mac and all(isinstance(entry, str) for entry in listed):
            return {servers[0]: sorted(map(str, listed))} if listed else {}  # to read all machines is dear
        machines = decided.read(listed, hostvars)
        if by_mac:
            return decided.owner_of(machines, servers)
        found = decided.parted(machines, servers)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    return {server: sorted(str(machine["name"]) for machine in those) for server, those in found.items()}


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"owners": owners}
