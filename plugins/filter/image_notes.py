# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.image_notes)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_notes
short_description: Say of every image what it is and how much memory it needs
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Writes a line for each image, for people.
options:
  _input:
    description: What M(homelab.netboot.boot_images) returns as C(images).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what there is
  ansible.builtin.debug:
    msg: "{{ provided.images | homelab.netboot.image_notes }}"
"""

RETURN = r"""
_value:
  description: The lines, in the order of the images.
  type: list
  elements: str
  sample: ["image noble: Ubuntu 24.04.3 for amd64, version c3514bf0056a; machines need at least 7.4 GB of memory"]
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.images import note


def image_notes(images: Mapping[str, Any]) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    return [note(name, facts) for name, facts in images.items()]


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"image_notes": image_notes}
