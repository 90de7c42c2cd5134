# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.dnsmasq_network_lines)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dnsmasq_network_lines
short_description: Write the lines of dnsmasq.conf that say in which networks it answers
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - It answers beside another DHCP server, and gives addresses itself only where the network says which (C(dhcp)).
options:
  _input:
    description: The server's networks, as P(homelab.netboot.server_facts#filter) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show where dnsmasq answers
  ansible.builtin.debug:
    msg: "{{ netboot_result.networks | homelab.netboot.dnsmasq_network_lines }}"
"""

RETURN = r"""
_value:
  description: Lines with C(interface) and C(dhcp-range).
  type: list
  elements: str
  sample: [interface=eno1, "dhcp-range=192.168.1.0,proxy,255.255.255.0"]
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import dnsmasq


def dnsmasq_network_lines(networks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    return dnsmasq.network_lines(networks)


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"dnsmasq_network_lines": dnsmasq_network_lines}
