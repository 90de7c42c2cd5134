# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.apt_mirrors)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: apt_mirrors
short_description: Say which mirrors of packages the machines' settings name, besides Ubuntu's own
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads C(apt) of the installer's settings of all machines, for the cache of packages.
  - Only what is asked by C(http) counts, since TLS cannot be cached. Ubuntu's own mirrors are always cached.
positional: hostvars, more, addresses
options:
  _input:
    description: The machines, as P(homelab.netboot.machines#filter) takes them.
    type: raw
    required: true
  hostvars:
    description: Ansible's variable of that name.
    type: dict
    required: true
  more:
    description: Further mirrors, as C(host) or C(host:port).
    type: list
    elements: str
    default: []
  addresses:
    description: The server's own addresses, which are asked directly.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show which mirrors would be cached besides Ubuntu's own
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.apt_mirrors(hostvars) }}"
"""

RETURN = r"""
_value:
  description: C(hosts) as a web server is asked for them, and C(names), the same without ports.
  type: dict
  sample: {hosts: ["mirror.lan:8080"], names: [mirror.lan]}
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import mirrors


def apt_mirrors(
    names: Iterable[Any], hostvars: Mapping[str, Any], more: Iterable[str] = (), addresses: Iterable[str] = ()
) -> dict[str, list[str]]:
    """Return the mirrors; see DOCUMENTATION."""
    try:
        return mirrors.named(names, hostvars, more, [str(one) for one in addresses])
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"apt_mirrors": apt_mirrors}
