# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.dnsmasq_loader_lines)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dnsmasq_loader_lines
short_description: Write the lines of dnsmasq.conf that choose a loader for each machine
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Most machines get the same loader; the others are told apart by their MAC address.
  - UEFI machines are answered only when a loader for their architecture is there.
positional: uefi_loaders, networks, version
extends_documentation_fragment: homelab.netboot.machines
options:
  uefi_loaders:
    description:
      - Names of the files in the folder C(efi/) of the TFTP and HTTP roots. With IMAGE.by-ipxe, shim does
        not start this image, so that UEFI machines which get it are offered iPXE. With C(2011/) or C(2023/) before a
        name, a loader is for machines that ask for this authority.
    type: list
    elements: str
    default: []
  networks:
    description:
      - The server's networks, as P(homelab.netboot.server_facts#filter) returns them; for UEFI HTTP Boot and iPXE,
        which are told an address.
    type: list
    elements: dict
    default: []
  version:
    description:
      - dnsmasq's version, or what C(dnsmasq --version) prints. UEFI HTTP Boot beside another DHCP server needs 2.91.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Show which loader is offered to whom
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars) | homelab.netboot.dnsmasq_loader_lines }}"
"""

RETURN = r"""
_value:
  description: Lines with C(dhcp-mac), C(pxe-service) and their kin.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import dnsmasq
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import listed


def dnsmasq_loader_lines(
    machines: Iterable[Mapping[str, Any]] | str,
    uefi_loaders: Iterable[str] = (),
    networks: Sequence[Mapping[str, Any]] = (),
    version: str = "",
) -> list[str]:
    """Return the lines; see DOCUMENTATION."""
    try:
        return dnsmasq.loader_lines(listed(machines), set(uefi_loaders), networks, version)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"dnsmasq_loader_lines": dnsmasq_loader_lines}
