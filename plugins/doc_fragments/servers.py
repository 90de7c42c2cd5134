# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters that tell whose a machine is need to know."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by C(extends_documentation_fragment)."""

    DOCUMENTATION = r"""
options:
  hostvars:
    description: Ansible's variable C(hostvars).
    type: dict
    required: true
  servers:
    description: Names of all servers.
    type: list
    elements: str
    required: true
"""
