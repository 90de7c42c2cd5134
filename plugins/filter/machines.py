# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.machines)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: machines
short_description: Check and complete the machines that the inventory describes
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Collects the settings of every machine, brings them into one form and checks them all at once.
  - The other filters of this collection take what this one returns.
positional: hostvars
options:
  _input:
    description:
      - Names of inventory hosts, whose variables C(netboot_*) are the settings.
      - Or mappings with C(name) and the settings without the prefix C(netboot_).
      - Or the text that P(homelab.netboot.machine_settings#filter) returns.
    type: raw
    required: true
  hostvars:
    description: Ansible's variable C(hostvars); needed for names.
    type: dict
    default: {}
  images:
    description:
      - The images that exist; a machine that names another one is a fault.
      - When there is just one, it is the default of every machine. Not checked when not given.
      - As M(homelab.netboot.boot_images) returns them they also say the release, the folder, and how much memory
        a machine needs.
    type: dict
  server:
    description: Only the machines of this server are returned and checked. All are when it is none of O(servers).
    type: str
    default: ''
  servers:
    description:
      - Names of all servers. With one, the machines are its; with several, each machine names its own
        (C(netboot_server)).
      - A machine without one, or with one that does not exist, and one that two servers have, is a fault, whosever it
        is.
    type: list
    elements: str
    default: []
  as_text:
    description:
      - To return one text instead of a list. The filters that take machines take both.
      - Ansible goes through each value of a list from one filter to the next; of a thousand machines this takes longer
        than all else.
    type: bool
    default: false
  networks:
    description:
      - The networks of that server, as P(homelab.netboot.server_facts#filter) returns them. With several, each machine
        names the one that it boots in (C(netboot_network_name)). Not checked when not given.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show the machines in their normal form
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars, images=netboot_images) }}"

- name: The same without an inventory
  ansible.builtin.debug:
    msg: "{{ [{'name': 'nuc1', 'mac': 'F4-4D-30-60-64-69', 'image': 'focal'}] | homelab.netboot.machines }}"
"""

RETURN = r"""
_value:
  description:
    - The machines in the order of the input, each with C(name), C(mac) (lower case with colons, or V(any)), C(image),
      C(release), C(folder) (both of the image) and the other settings. With O(as_text) all of it is one text.
    - When anything is wrong the filter fails with all faults, each with the machine, the variable and the remedy.
  type: raw
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import owners
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import pack
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.machines import (
    from_inventory,
    normalise,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain


def machines(
    entries: Iterable[Any],
    hostvars: Mapping[str, Any] | None = None,
    images: Mapping[str, Any] | None = None,
    *,
    server: str = "",
    servers: Sequence[str] = (),
    as_text: bool = False,
    networks: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]] | str:
    """Return checked machines; see DOCUMENTATION."""
    try:
        own = owners.own(from_inventory(entries, hostvars or {}), server, list(servers))
        found = normalise(own, None if images is None else plain(images), plain(networks))
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    return pack(found) if as_text else found


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"machines": machines}
