# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.contract)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: contract
short_description: Tell what controller and server agree on
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Names, places and forms that one part of this collection writes and another reads, such as the paths that
    nginx answers.
  - It is for the roles of this collection; the names may change in any release.
options:
  _input:
    description: Name of a constant in C(plugins/module_utils/_program/contract.py), in upper or lower case.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what a machine's installer asks for
  ansible.builtin.debug:
    msg: "{{ 'seed_files' | homelab.netboot.contract }}"
"""

RETURN = r"""
_value:
  description: What is agreed on, a text or a list of texts.
  type: raw
  sample: [user-data, meta-data, vendor-data, network-config]
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.module_utils._program import contract as agreed


def contract(name: str) -> str | list[str]:
    """Return what is agreed on; see DOCUMENTATION."""
    value = getattr(agreed, str(name).upper(), None)
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return list(value)
    if isinstance(value, (str, int)):
        return str(value)
    raise AnsibleFilterError(f"homelab.netboot.contract: there is no {name}")


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"contract": contract}
