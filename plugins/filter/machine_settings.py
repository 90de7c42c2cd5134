# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.machine_settings)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: machine_settings
short_description: Read once what the inventory says of all machines
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Returns the settings of all machines as one text. P(homelab.netboot.machines#filter) and the other filters that take
    machines take it in the place of their names.
  - Ansible needs longer to read the variables of a thousand hosts than this collection to check them. So a play with
    several tasks reads them once, and keeps the text as a fact.
  - Nothing is checked here.
notes:
  - The text holds what the inventory holds, such as hashes of passwords and keys. Keep it with C(no_log).
positional: hostvars
options:
  _input:
    description:
      - Names of inventory hosts, whose variables C(netboot_*) are the settings.
      - Or mappings with C(name) and the settings without the prefix C(netboot_).
    type: list
    elements: raw
    required: true
  hostvars:
    description: Ansible's variable C(hostvars); needed for names.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Read what the inventory says of each machine
  ansible.builtin.set_fact:
    settings: "{{ groups['netboot_machines'] | homelab.netboot.machine_settings(hostvars) }}"
  no_log: true

- name: Show the machines in their normal form
  ansible.builtin.debug:
    msg: "{{ settings | homelab.netboot.machines }}"
"""

RETURN = r"""
_value:
  description: JSON, of a form that only this collection's filters need to know.
  type: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import pack
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.machines import from_inventory
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain


def machine_settings(entries: Iterable[Any], hostvars: Mapping[str, Any] | None = None) -> str:
    """Return the text; see DOCUMENTATION."""
    try:
        return pack(plain(from_inventory(entries, hostvars or {})))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"machine_settings": machine_settings}
