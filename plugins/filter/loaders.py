# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.loaders)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: loaders
short_description: Decide which loaders a server offers, and what there is to do for that
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Decides everything about loaders from what is known so far. It is asked again when more is known.
  - It is for the role P(homelab.netboot.pxe_tftp_assets#role), which carries out what it says.
options:
  _input:
    description: How UEFI machines are served, as C(netboot_uefi).
    type: str
    required: true
  pair:
    description: Files C(shim) and C(grub) on the server that are tried first; may be empty.
    type: dict
    required: true
  root:
    description: Folder with C(http/) and C(tftp/) on the server.
    type: str
    required: true
  images:
    description: The images, as P(homelab.netboot.images#filter) returns them.
    type: dict
    required: true
  seen:
    description: What the server knows of them, as M(homelab.netboot.boot_images) returns it.
    type: dict
    required: true
  packages:
    description: Names of the packages that the server has.
    type: list
    elements: str
    required: true
  before:
    description: Names of the files in C(http/efi/).
    type: list
    elements: str
    required: true
  asking:
    description:
      - C(loader) of the machines that do not take what most get, as P(homelab.netboot.machines#filter) returns it.
    type: list
    elements: dict
    required: true
  check:
    description: Whether this is a check run.
    type: bool
    required: true
  noted:
    description: Answers of earlier runs that hold, as P(homelab.netboot.server_facts#filter) returns them.
    type: dict
    default: {}
  answers:
    description: Folder on the server where M(homelab.netboot.efi_loaders) notes its answers.
    type: path
    default: ""
  looked:
    description: Results of M(ansible.builtin.stat) in a loop over C(find) of the result.
    type: list
    elements: dict
    default: []
  judged:
    description: Results of M(homelab.netboot.efi_loaders) in loops over C(look) and C(install) of the result.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show which loaders would be offered where no UEFI machine is to be served
  ansible.builtin.debug:
    msg: >-
      {{ 'never' | homelab.netboot.loaders(pair={}, root='/srv/netboot', images={}, seen={}, packages=[], before=[],
      asking=[], check=false) }}
"""

RETURN = r"""
_value:
  description:
    - C(faults), messages about what is wrong; C(say), lines for people; C(offers), names of the loaders in C(http/efi/)
      at the end, and C(goes), names that do not stay there.
    - C(find), files to look for; C(look) and C(install), what to ask M(homelab.netboot.efi_loaders) before anything
      changes and when all is there; C(packages), missing ones (C(tools), C(ipxe)); C(base) and C(efi), options of
      M(homelab.netboot.file_set) for the root and for C(http/).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import uefi


def loaders(choice: str, **known: Any) -> dict[str, Any]:
    """Return what is decided; see DOCUMENTATION."""
    return uefi.decide(uefi.Known(uefi=choice, **known))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"loaders": loaders}
