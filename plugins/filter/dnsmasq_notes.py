# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.dnsmasq_notes)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dnsmasq_notes
short_description: Say what a version of dnsmasq cannot do for machines that boot
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Compares dnsmasq's version with what this collection asks of it.
positional: uefi_loaders, asking
options:
  _input:
    description: dnsmasq's version, or a text with it, such as C(dnsmasq --version) prints; empty when it is not known.
    type: str
    required: true
  uefi_loaders:
    description: Names of the files that UEFI machines are offered.
    type: list
    elements: str
    default: []
  asking:
    description:
      - C(loader) of the machines that do not take what most get, as P(homelab.netboot.machines#filter) returns it.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show whether UEFI HTTP Boot is answered
  ansible.builtin.debug:
    msg: "{{ 'Dnsmasq version 2.90' | homelab.netboot.dnsmasq_notes(['shimx64.efi']) }}"
"""

RETURN = r"""
_value:
  description:
    - C(faults), a list of messages, empty when this dnsmasq can be used and all loaders are there that
      machines ask for; and C(say), a list of lines for people, as
      that it does not answer UEFI HTTP Boot.
  type: dict
  sample:
    faults: []
    say: ["UEFI machines are answered when they boot by PXE. For UEFI HTTP Boot dnsmasq 2.91 or newer is needed..."]
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import dnsmasq, dnsmasq_version


def dnsmasq_notes(
    version: str, uefi_loaders: Iterable[str] = (), asking: Iterable[Mapping[str, str]] = ()
) -> dict[str, list[str]]:
    """Return faults and lines; see DOCUMENTATION."""
    there = list(uefi_loaders)
    notes = dnsmasq_version.notes(str(version), there)
    return {**notes, "faults": [*notes["faults"], *dnsmasq.lacking(asking, there)]}


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"dnsmasq_notes": dnsmasq_notes}
