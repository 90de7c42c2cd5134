# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.caches)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: caches
short_description: Say which caches a server has
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - A cache stands in a network of its own, passes on what machines ask there, and keeps the images of its server.
  - Checks all caches of the inventory, and of the machines those that name the network of another server's cache.
positional: hostvars, servers, server
extends_documentation_fragment:
  - homelab.netboot.servers
options:
  _input:
    description: Names of inventory hosts, as a rule those of C(netboot_caches).
    type: list
    elements: str
    required: true
  server:
    description: The server whose caches are meant, or a cache, whose own entry is returned, with C(owner).
    type: str
    required: true
  machines:
    description: The machines, as P(homelab.netboot.machines#filter) takes them.
    type: list
    elements: raw
    default: []
"""

EXAMPLES = r"""
- name: Show who keeps the images of this server
  ansible.builtin.debug:
    msg: "{{ groups['netboot_caches'] | homelab.netboot.caches(hostvars, servers, inventory_hostname) }}"
  vars:
    servers: "{{ groups['netboot_servers'] }}"
"""

RETURN = r"""
_value:
  description:
    - Each cache with C(host), C(name) and C(network) of its network, C(address), C(port) and C(base_url) there, and its
      server, C(owner).
    - A cache's own entry also has C(server) and C(server_port), where it asks that server.
    - When anything is wrong the filter fails, and names each fault with the host, the variable and the remedy.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import caches as decided


def caches(
    names: Iterable[str],
    hostvars: Mapping[str, Any],
    servers: Sequence[str],
    server: str,
    *,
    machines: Iterable[Any] = (),
) -> list[dict[str, Any]]:
    """Return the caches; see DOCUMENTATION."""
    try:
        return decided.of(decided.read(names, hostvars), list(servers), server, machines, hostvars)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"caches": caches}
