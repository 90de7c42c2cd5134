# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.dnsmasq_loader_lines)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dnsmasq_loader_lines
short_description: Write the lines of dnsmasq.conf that choose a loader for each machine
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Most machines get the same loader; the others are told apart by their MAC address.
options:
  _input:
    description: Machines as returned by P(homelab.netboot.machines#filter).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which loader is offered to whom
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars) | homelab.netboot.dnsmasq_loader_lines }}"
"""

RETURN = r"""
_value:
  description: Lines with C(dhcp-mac) and C(pxe-service).
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils import _dnsmasq


def dnsmasq_loader_lines(machines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    try:
        return _dnsmasq.loader_lines(machines)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"dnsmasq_loader_lines": dnsmasq_loader_lines}
