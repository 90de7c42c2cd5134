# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.networks)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: networks
short_description: Check a list of IPv4 networks
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Brings networks into the form that nginx takes, each once.
positional: variable
options:
  _input:
    description: Networks with their length or netmask; an address alone is a network of one.
    type: list
    elements: str
    required: true
  variable:
    description: Name of the variable that they come from, for the message about a wrong one.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show who will be answered
  ansible.builtin.debug:
    msg: "{{ ['192.168.1.0/255.255.255.0', '10.0.0.7'] | homelab.netboot.networks('my_networks') }}"
"""

RETURN = r"""
_value:
  description: The networks.
  type: list
  elements: str
  sample: [192.168.1.0/24, 10.0.0.7/32]
"""

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import network


def networks(values: Iterable[Any], variable: str) -> list[str]:
    """Return the networks; see DOCUMENTATION."""
    try:
        return network.networks(values, variable)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"networks": networks}
