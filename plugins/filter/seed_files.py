# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.seed_files)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: seed_files
short_description: Write the cloud-init seeds of a set of machines
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Writes user-data, meta-data, vendor-data and network-config for every machine that is to be installed.
  - C(autoinstall_site), C(autoinstall_group) and C(autoinstall) of a machine are laid in this order over a minimum that
    gives it a host name, a user and SSH. Mappings are merged, lists and all else are replaced.
  - Where the release of a machine's image is known, what that release does not know is refused.
  - The result is checked against what Subiquity's documentation says and against what is known to go wrong, for all
    machines, before anything is returned. No message tells a password, a hash or a key.
requirements:
  - jsonschema >= 4.0
positional: networks, cached
extends_documentation_fragment: homelab.netboot.machines
options:
  networks:
    description:
      - The server's networks, as P(homelab.netboot.server_facts#filter) returns them. Each machine gets the address of
        the network that it is in (C(network_name), or the only one). There they tell how it ended.
      - They do not report without it.
    type: list
    elements: dict
    default: []
  cached:
    description:
      - Whether that server has a cache of packages (C(netboot_apt_cache)). Then apt of the installer goes through it.
        The installed system keeps its ordinary sources, unless C(keep_apt_cache) of the machine is V(true).
      - Whoever names another proxy in the installer's settings keeps that, and is warned.
    type: bool
    default: false
  only_check:
    description: Only to refuse what is wrong, and to warn. Nothing is returned.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what cloud-init will find
  ansible.builtin.debug:
    msg: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars) | homelab.netboot.seed_files }}"
"""

RETURN = r"""
_value:
  description:
    - Path below the folder of the plan to content, ready for M(homelab.netboot.file_set).
    - The programs that installers run are there once, as C(program/NAME). In user-data C(@NAME@) stands for the text of
      each; C(netboot publish) on the server puts it in.
  type: dict
  sample:
    seed/nuc1/meta-data: "instance-id: nuc1"
    seed/nuc1/user-data: "#cloud-config..."
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.carried import listed
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import plain
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import seeds


def seed_files(
    machines: Iterable[Mapping[str, Any]] | str,
    networks: Sequence[Mapping[str, Any]] = (),
    cached: bool = False,
    *,
    only_check: bool = False,
) -> dict[str, str]:
    """Return the seeds; see DOCUMENTATION."""
    machines = listed(machines)
    try:
        if only_check:
            seeds.checked(machines)
            found = {}
        else:
            found = seeds.files(machines, plain(networks), cached=cached)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    for doubt in seeds.doubts(machines, cached=cached):
        Display().warning(doubt)
    return found


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"seed_files": seed_files}
