# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.dnsmasq_owner_lines)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dnsmasq_owner_lines
short_description: Write the lines of dnsmasq.conf that leave machines to the server that owns them
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - A server that answers strangers and is the only one needs none.
positional: hostvars, servers, server, addresses
extends_documentation_fragment:
  - homelab.netboot.servers
options:
  _input:
    description: The machines of all servers, as P(homelab.netboot.machines#filter) takes them.
    type: raw
    required: true
  server:
    description: Name of the one whose dnsmasq it is.
    type: str
    required: true
  addresses:
    description: Its addresses, one in each network that machines boot in.
    type: list
    elements: str
    required: true
  strangers:
    description: Whether it also answers machines that nobody has named.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show whom dnsmasq does not answer
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines']
      | homelab.netboot.dnsmasq_owner_lines(hostvars, groups['netboot_servers'], 'server1', ['192.168.1.50']) }}"
"""

RETURN = r"""
_value:
  description: Lines with C(dhcp-mac), C(dhcp-userclass) and C(dhcp-ignore).
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import answered
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import owners


def dnsmasq_owner_lines(
    entries: Iterable[Any],
    hostvars: Mapping[str, Any],
    servers: Sequence[str],
    server: str,
    addresses: Iterable[str],
    *,
    strangers: bool = False,
) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    is_shared = owners.are_shared(server, servers)
    if strangers and not is_shared:
        return []
    machines = owners.read(entries, hostvars)
    if not is_shared:  # then all are its own, whatever they say
        machines, servers = [{**machine, "server": server} for machine in machines], [server]
    try:
        owner = owners.owner_of(machines, list(servers))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    return answered.lines(owner, server, addresses, strangers=strangers)


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"dnsmasq_owner_lines": dnsmasq_owner_lines}
