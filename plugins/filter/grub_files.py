# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.grub_files)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: grub_files
short_description: Write the folder grub for a set of machines
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Every machine gets a file that is named by its MAC address; all others get V(default.cfg) and boot their local disk.
  - A machine whose MAC is V(any) takes the place of V(default.cfg), so whatever boots is installed.
positional: base_url
options:
  _input:
    description: Machines as returned by P(homelab.netboot.machines#filter).
    type: list
    elements: dict
    required: true
  base_url:
    description: Root of the HTTP server, without a slash at the end.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what GRUB will find
  ansible.builtin.debug:
    msg: "{{ machines | homelab.netboot.grub_files('http://192.168.1.50') }}"
  vars:
    machines: "{{ [{'name': 'nuc1', 'mac': 'f4:4d:30:60:64:69', 'image': 'focal'}] | homelab.netboot.machines }}"
"""

RETURN = r"""
_value:
  description: Path to content, ready for M(homelab.netboot.file_set).
  type: dict
  sample:
    default.cfg: "for loader in..."
    grub.cfg: "source $prefix/machines/$net_default_mac.cfg..."
    machines/f4:4d:30:60:64:69.cfg: "linux (http,192.168.1.50)/images/focal/vmlinuz..."
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils import _grub


def grub_files(machines: Iterable[Mapping[str, Any]], base_url: str) -> dict[str, str]:
    """Return the folder grub; see DOCUMENTATION."""
    try:
        return _grub.files(machines, str(base_url).rstrip("/"))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"grub_files": grub_files}
