# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.boot_interface)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: boot_interface
short_description: Find the interface that faces the boot network
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Looks for the address among those in the facts; without one, for the address of the default route.
positional: address, interface, port
options:
  _input:
    description: C(ansible_facts), with the subset C(network).
    type: dict
    required: true
  address:
    description: IPv4 address of the server in the boot network.
    type: str
    default: ''
  interface:
    description: Name of the interface; needed only when several carry the address, or none is given.
    type: str
    default: ''
  port:
    description: TCP port of the web server there.
    type: int
    default: 80
"""

EXAMPLES = r"""
- name: Show where the machines will be answered
  ansible.builtin.debug:
    msg: "{{ ansible_facts | homelab.netboot.boot_interface('192.168.1.50') }}"
"""

RETURN = r"""
_value:
  description:
    - The interface, with C(interface), C(address), C(network) and C(netmask); and C(base_url), the root of the web
      server, without a slash at the end. All are of type V(str).
  type: dict
  sample:
    address: 192.168.1.50
    base_url: http://192.168.1.50
    interface: eno1
    netmask: 255.255.255.0
    network: 192.168.1.0
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import network


def boot_interface(
    facts: Mapping[str, Any], address: str = "", interface: str = "", port: int = 80
) -> dict[str, str]:
    """Return the interface; see DOCUMENTATION."""
    try:
        return network.boot_interface(facts, address, interface, int(port))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"boot_interface": boot_interface}
