# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.known_host_changes)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: known_host_changes
short_description: Decide what is to change in known_hosts for a machine that has told its host keys
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - A key that is new is added.
  - A key that has changed takes the place of the old one only when the machine was installed; otherwise it is a fault.
positional: told, name, is_new
options:
  _input:
    description: What C(ssh-keygen -F NAME) prints; nothing when the file has no key of that host.
    type: str
    required: true
  told:
    description: The machine's public host keys, each type and Base64, as C(netboot status --json) tells them.
    type: list
    elements: str
    required: true
  name:
    description: By which ssh looks for the host.
    type: str
    required: true
  is_new:
    description: Whether the machine was just installed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: See what is to change
  ansible.builtin.debug:
    msg: "{{ listed.stdout | homelab.netboot.known_host_changes(['ssh-ed25519 AAAAC3Nza...'], '192.168.1.21') }}"
"""

RETURN = r"""
_value:
  description: What is to change.
  type: dict
  contains:
    remove: {type: bool, description: Whether all keys of the host go first.}
    add: {type: list, description: "Keys to be added, each type and Base64."}
    fault: {type: str, description: Why nothing may change; empty when nothing is wrong.}
  sample: {remove: false, add: [ssh-ed25519 AAAAC3Nza...], fault: ""}
"""

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._provision import known_hosts


def known_host_changes(found: str, told: Iterable[str], name: str, is_new: bool = False) -> dict[str, Any]:
    """Return them; see DOCUMENTATION."""
    return known_hosts.changes(str(found), [str(key) for key in told], str(name), is_new=bool(is_new))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"known_host_changes": known_host_changes}
