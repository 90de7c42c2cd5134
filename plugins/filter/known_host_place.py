# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.known_host_place)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: known_host_place
short_description: Tell where ssh looks for the keys of a host
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads the settings that ssh itself has for a host, its configuration files included.
options:
  _input:
    description: What C(ssh -G HOST) prints.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show by which name and in which file
  ansible.builtin.debug:
    msg: "{{ listed.stdout | homelab.netboot.known_host_place }}"
"""

RETURN = r"""
_value:
  description: Where the keys are.
  type: dict
  contains:
    name: {type: str, description: "The host's name there, with the port when it is not 22."}
    file: {type: str, description: The first file that ssh reads for this user.}
    is_kept: {type: bool, description: Whether that is a file; else the user wants to keep no keys.}
    hashes: {type: bool, description: Whether ssh would hash the name.}
  sample: {name: 192.168.1.21, file: /root/.ssh/known_hosts, is_kept: true, hashes: false}
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._provision import known_hosts


def known_host_place(said: str) -> dict[str, Any]:
    """Return it; see DOCUMENTATION."""
    return known_hosts.place(str(said))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"known_host_place": known_host_place}
