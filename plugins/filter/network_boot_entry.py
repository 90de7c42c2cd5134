# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.network_boot_entry)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: network_boot_entry
short_description: Find the boot entry for the network in what efibootmgr prints
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - An entry that names the machine's own network card is better than others, and PXE over IPv4 better than the rest.
positional: mac
options:
  _input:
    description: What C(efibootmgr -v) prints.
    type: str
    required: true
  mac:
    description: The machine's address, in any usual notation.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show which entry it is
  ansible.builtin.debug:
    msg: "{{ listed.stdout | homelab.netboot.network_boot_entry(netboot_mac) }}"
"""

RETURN = r"""
_value:
  description: The number of the entry; empty when there is none.
  type: str
  sample: "0003"
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import efibootmgr


def network_boot_entry(listed: str, mac: str) -> str:
    """Return the entry; see DOCUMENTATION."""
    try:
        return efibootmgr.network_entry(str(listed), _mac.normalise(mac))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"network_boot_entry": network_boot_entry}
