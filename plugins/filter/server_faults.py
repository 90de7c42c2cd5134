# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.server_faults)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: server_faults
short_description: Say what is wrong with settings of the server
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Checks ranges and forms that an argument specification cannot tell, and that folders do not lie in one another.
options:
  _input:
    description: Variables and their values, as far as they are known.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse settings that cannot be used
  ansible.builtin.assert:
    that: "({'netboot_http_port': netboot_http_port} | homelab.netboot.server_faults) | length == 0"
"""

RETURN = r"""
_value:
  description: A line for each fault, with the variable and the remedy.
  type: list
  elements: str
  sample: ["netboot_http_port: '70000' cannot be used; write a port number from 1 to 65535, like 80 or 8080"]
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import settings


def server_faults(values: Mapping[str, Any]) -> list[str]:
    """Return the faults; see DOCUMENTATION."""
    return settings.faults(values)


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"server_faults": server_faults}
