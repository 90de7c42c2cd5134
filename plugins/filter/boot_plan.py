# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.boot_plan)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: boot_plan
short_description: Write the boot entries of a set of machines, for all loaders
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Every machine gets its entries, for PXELINUX and for GRUB, as they are handed out while it is armed.
  - With them comes what a machine finds that is not armed, and what everything finds that is not named.
  - The word C(@TOKEN@) stands for the one-time token of the arming; role
    P(homelab.netboot.machine_states#role) puts it in.
positional: networks
extends_documentation_fragment: homelab.netboot.machines
options:
  networks:
    description:
      - The server's networks, as P(homelab.netboot.server_facts#filter) returns them. Each machine gets the address of
        the network that it is in (C(network_name), or the only one).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what the loaders will find
  ansible.builtin.debug:
    msg: "{{ machines | homelab.netboot.boot_plan(netboot_result.networks) }}"
  vars:
    machines: "{{ [{'name': 'nuc1', 'mac': 'f4:4d:30:60:64:69', 'image': 'focal'}] | homelab.netboot.machines }}"
"""

RETURN = r"""
_value:
  description: Path to content, ready for M(homelab.netboot.file_set).
  type: dict
  sample:
    boot/nuc1/tftp/pxelinux.cfg/01-f4-4d-30-60-64-69: "DEFAULT install..."
    local/tftp/pxelinux.cfg: "DEFAULT local..."
    static/tftp/pxelinux.cfg/default: "DEFAULT local..."
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import loader_files
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import listed
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain


def boot_plan(
    machines: Iterable[Mapping[str, Any]] | str, networks: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the boot entries; see DOCUMENTATION."""
    try:
        return loader_files.files(listed(machines), plain(networks))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"boot_plan": boot_plan}
