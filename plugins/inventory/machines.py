# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin C(homelab.netboot.machines)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: machines
short_description: Ask servers for the state, phase and address of their machines
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads C(/status/machines.json) of one or several servers. It is beside the status page, so
    C(netboot_status_page) must be on at the server, and the controller in a network that its web server answers (the
    boot network, and C(pxe_http_networks)). Nothing is asked by SSH, and no machine is asked.
  - The name of the file must end with C(netboot.yml) or C(netboot.yaml).
  - Each machine is in the group C(netboot_told), and in C(netboot_state_local), C(netboot_state_armed),
    C(netboot_state_installing), C(netboot_state_installed), C(netboot_state_up) or C(netboot_state_failed). It has a
    variable C(netboot_told), a mapping with C(state), C(phase) (the last step of its last boot), C(since) (when its
    state began), C(address), C(mac), C(image) and C(server). What is not known is null.
  - The group C(netboot_machines) stays as it is. It says what a server is to install, and a machine that was taken out
    of it would come back by this plugin, without its settings.
  - C(ansible_host) becomes the machine's address, unless this inventory gives one, be it in a source that is read
    earlier, or in C(host_vars) and C(group_vars) beside the sources. C(group_vars) beside a playbook are not seen.
    Sources are read in the order of C(-i), files of one folder in the order of their names.
  - A host of an earlier source that is not in C(netboot_machines) is left alone, whatever a server tells.
  - A server that cannot be read takes no other's machines away; its own are missing, with a warning that names the
    address and the remedy. When no server can be read, this is a source that Ansible could not parse, by default a
    warning, too; see C(any_unparsed_is_failed) in Ansible's documentation. O(strict) makes each of them an error.
  - With O(cache), no server is asked as long as the cache has an answer of each. What it has of one that does not
    answer any more is forgotten with O(cache_timeout).
  - What servers tell comes over plain HTTP, so somebody in the boot network could make it up. All of it is checked,
    none of it is a template. That a machine is the one that you mean its SSH host key shows.
notes:
  - No proxy and no C(.netrc) is used, and no redirection is followed.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Says that this file is for this plugin.
    type: str
    required: true
    choices: [homelab.netboot.machines]
  servers:
    description:
      - The servers' addresses, with the port where it is not 80. Of a server with several networks, one of a network
        that the controller reaches.
      - Of a machine that two servers know, the first one's word counts, with a warning.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds to wait for a server.
    type: float
    default: 5
  strict:
    description:
      - Whether a server that cannot be read is an error, and an expression in O(compose), O(groups) and O(keyed_groups)
        that cannot be evaluated.
    type: bool
    default: false
"""

EXAMPLES = r"""
# inventory/netboot.yml, beside inventory/hosts.yml
plugin: homelab.netboot.machines
servers: [http://192.168.1.50]
---
# Two servers; what they said holds for a minute, also for the next command
plugin: homelab.netboot.machines
servers: [http://192.168.1.50, http://192.168.2.50:8080]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/netboot
cache_timeout: 60
groups:
  ready: netboot_told.state == 'up'
keyed_groups:
  - {key: netboot_told.image, prefix: image}
"""

import contextlib
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from ansible.errors import AnsibleParserError
from ansible.inventory.helpers import get_group_vars
from ansible.module_utils import urls
from ansible.module_utils.urls import open_url
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.vars.plugins import get_vars_from_inventory_sources
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import told

#: Bytes of an answer; 10,000 machines need some 2,000,000.
LONGEST = 50_000_000
_REMEDIES = {
    403: "the server refuses this host: ask from the boot network, or add this host's network to pxe_http_networks",
    404: "there is none: set netboot_status_page to true for this server and run homelab.netboot.site, and compare the "
    "port with netboot_http_port",
}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """See DOCUMENTATION."""

    NAME = "homelab.netboot.machines"

    def verify_file(self, path: str) -> bool:
        """Whether the file is meant for this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("netboot.yml", "netboot.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add what the servers tell."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            servers = {str(one).rstrip("/"): told.address_of(one) for one in self.get_option("servers")}
        except ValueError as error:
            raise AnsibleParserError(str(error)) from None
        if not servers:
            raise AnsibleParserError(f"servers: names none; write addresses, such as [{told.EXAMPLE}]")
        answers = self._answers(servers, self.get_cache_key(path), use_cache=cache)
        if not answers:
            raise AnsibleParserError("no server could be read; the warnings above say why")
        machines, notes = told.together(answers)
        for note in notes:
            self.display.warning(note)
        for name, machine in machines.items():
            self._add(name, machine, path)

    def _answers(self, servers: dict[str, str], key: str, *, use_cache: bool) -> dict[str, told.Machines]:
        """What the cache holds, when it has all servers; else what they say now."""
        is_cached = self.get_option("cache")
        if is_cached and use_cache:
            kept = self._cache.get(key)
            with contextlib.suppress(TypeError, LookupError, ValueError):
                return {server: told.read(kept[server], where) for server, where in servers.items()}
        texts, answers = {}, {}
        for server, where in servers.items():
            try:
                text = self._ask(where)
                answers[server] = told.read(text, where)
                texts[server] = text
            except ValueError as error:
                if self.get_option("strict"):
                    raise AnsibleParserError(str(error)) from None
                self.display.warning(str(error))
        if is_cached:
            self._cache[key] = texts
        return answers

    def _ask(self, where: str) -> str:
        """Return what a server tells; ValueError with what is in the way, and the remedy."""
        try:
            answer = open_url(
                where,
                timeout=self.get_option("timeout"),
                use_proxy=False,
                use_netrc=False,
                follow_redirects="none",
                decompress=False,
                http_agent="homelab.netboot.machines",
            )
            text = answer.read(LONGEST)
        except HTTPError as error:
            remedy = _REMEDIES.get(
                error.code, "another web server may answer there; look at netboot_http_port"
            )
            raise ValueError(f"{where}: status {error.code}: {remedy}") from None
        except (OSError, ValueError, HTTPException, urls.ConnectionError) as error:
            reason = getattr(error, "reason", None) or error
            raise ValueError(
                f"{where}: no answer ({reason}): is the server on, and are these its address (netboot_address, "
                "netboot_networks) and netboot_http_port? homelab.netboot.doctor tells what is wrong with it"
            ) from None
        return str(text.decode("utf-8", "replace"))

    def _add(self, name: str, machine: dict[str, Any], path: str) -> None:
        """Add one machine, or what is told of one that is there already."""
        known = self.inventory.hosts.get(name)
        if known and not {"netboot_machines", "netboot_told"} & {group.name for group in known.get_groups()}:
            self.display.warning(
                f"machine {name}: {machine['server']} tells of it, but here it is a host outside of the group "
                "netboot_machines, so it is left alone; give one of the two another name"
            )
            return
        self.inventory.add_host(name)
        for group in ("netboot_told", f"netboot_state_{machine['state']}"):
            self.inventory.add_child(self.inventory.add_group(group), name)
        self.inventory.set_variable(name, "netboot_told", machine)
        if machine["address"] and not self._has_address(name, path):
            self.inventory.set_variable(name, "ansible_host", machine["address"])
        strict, variables = self.get_option("strict"), self.inventory.get_host(name).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)

    def _has_address(self, name: str, path: str) -> bool:
        """Whether the inventory says where the machine is."""
        host = self.inventory.hosts[name]
        if "ansible_host" in {**get_group_vars(host.get_groups()), **host.vars}:
            return True
        sources = [*self.inventory.processed_sources, path]
        entities = [*host.get_groups(), host]
        return "ansible_host" in get_vars_from_inventory_sources(self.loader, sources, entities, "all")
