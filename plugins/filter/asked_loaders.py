# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.asked_loaders)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: asked_loaders
short_description: Tell which loaders machines ask for, where it is not the one that most get
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - A machine asks by C(netboot_quirks) and C(netboot_secure_boot_ca).
extends_documentation_fragment: homelab.netboot.machines
"""

EXAMPLES = r"""
- name: Show what is asked for
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars) | homelab.netboot.asked_loaders }}"
"""

RETURN = r"""
_value:
  description: What each machine that asks wants, in the order of the machines; the others are left out.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import listed


def asked_loaders(machines: Iterable[Mapping[str, Any]] | str) -> list[dict[str, Any]]:
    """Return them; see DOCUMENTATION."""
    return [machine["loader"] for machine in listed(machines) if machine["loader"]]


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"asked_loaders": asked_loaders}
