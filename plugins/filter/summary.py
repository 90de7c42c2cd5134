# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.summary)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
short_description: Say in a few lines what a run comes to
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Who is armed, and whether disks that hold something will be wiped; who is not armed, and why; what to do next.
  - Eight lines at most, whatever the number of machines.
positional: said, base_url, would, shut
options:
  _input:
    description: Name to C(image) and C(wipe), V(blank) or V(always), as the command C(netboot publish) tells it.
    type: dict
    required: true
  said:
    description: What that command said, a line each.
    type: list
    elements: str
    required: true
  base_url:
    description: The server's HTTP root.
    type: str
    required: true
  would:
    description: Whether it would only be so, since this run changes nothing.
    type: bool
    default: false
  shut:
    description: Ports that the server's firewall shuts to the machines.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Say who is armed
  ansible.builtin.debug:
    msg: "{{ {'nuc1': {'image': 'noble', 'wipe': 'blank'}} | homelab.netboot.summary([], 'http://192.168.1.50') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.summary import lines


def summary(
    armed: Mapping[str, Mapping[str, str]],
    said: Iterable[str],
    base_url: str,
    would: bool = False,
    shut: Sequence[str] = (),
) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    return lines(armed, said, str(base_url), shut, would=bool(would))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"summary": summary}
