# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters that take machines say of them."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by C(extends_documentation_fragment)."""

    DOCUMENTATION = r"""
options:
  _input:
    description: Machines as returned by P(homelab.netboot.machines#filter), as a list or as a text.
    type: raw
    required: true
"""
