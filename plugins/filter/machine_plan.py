# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.machine_plan)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: machine_plan
short_description: List machines for the server's program netboot
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Writes what the server has to know of each machine to decide whether it is to be installed.
extends_documentation_fragment: homelab.netboot.machines
"""

EXAMPLES = r"""
- name: Show the list
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars) | homelab.netboot.machine_plan }}"
"""

RETURN = r"""
_value:
  description: The file C(machines.json), an object of names and C(mac), C(image), C(install), C(wipe), C(host_key).
  type: str
  sample: '{"nuc1": {"mac": "f4:4d:30:60:64:69", "image": "focal", "install": "once",
    "wipe": "blank", "host_key": ""}}'
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machine_list
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import listed


def machine_plan(machines: Iterable[Mapping[str, Any]] | str) -> str:
    """Return the list; see DOCUMENTATION."""
    return machine_list.text(listed(machines))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"machine_plan": machine_plan}
