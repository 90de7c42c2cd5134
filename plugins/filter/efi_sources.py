# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.efi_sources)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: efi_sources
short_description: Say where shim and GRUB may come from, and which kernels they must start
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Writes two options of M(homelab.netboot.efi_loaders), from the pair that the user names, the images and the
    packages of the server.
positional: images, root
options:
  _input:
    description: Files C(shim) and C(grub) that are tried first; may be empty.
    type: dict
    required: true
  images:
    description: Short names of the images.
    type: list
    elements: str
    required: true
  root:
    description: Folder with C(http/images/) on the server.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what will be tried
  ansible.builtin.debug:
    msg: "{{ {} | homelab.netboot.efi_sources(['noble'], '/srv/netboot') }}"
"""

RETURN = r"""
_value:
  description: C(kernels), a list, and C(candidates), a list for each processor (V(x64), V(aa64)).
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _efi


def efi_sources(pair: Mapping[str, str], images: Iterable[str], root: str) -> dict[str, Any]:
    """Return the two options; see DOCUMENTATION."""
    return _efi.sources(pair, images, root)


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"efi_sources": efi_sources}
