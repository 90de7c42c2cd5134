# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.server_facts)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: server_facts
short_description: Say what the server is already, from one look at it
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Finds the networks that machines boot in - those whose interface or address is named, or without any that of the
    default route.
  - Says what is installed, what runs, and who listens on which port.
  - Reads the rules of nftables and iptables, which ufw and firewalld write. It follows a machine's packets through
    them, to proxy-DHCP (UDP 67), TFTP (UDP 69), PXE (UDP 4011) and HTTP. Only what comes in by IPv4 is looked at.
  - TFTP's data come from ports that are not known before. They need no opening of their own. The server sends first, so
    the firewall knows the connection. Only where a firewall does not let known connections through, they are named.
positional: settings, opens, caches
options:
  _input:
    description: Lines as C(roles/netboot/files/look.py) prints them.
    type: list
    elements: str
    required: true
  settings:
    description:
      - What says where the server stands - C(netboot_networks), or C(netboot_address), C(netboot_interface) and
        C(netboot_network_name) of the only network; and C(netboot_http_port). Of a cache C(netboot_cache_address).
    type: dict
    default: {}
  caches:
    description: The server's caches, as P(homelab.netboot.caches#filter) returns them.
    type: list
    elements: dict
    default: []
  opens:
    description: Whether the run opens what a firewall shuts, or only says so.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what is shut
  ansible.builtin.debug:
    msg: "{{ (looked.stdout_lines | homelab.netboot.server_facts({'netboot_address': '192.168.1.50'})).firewall.say }}"
"""

RETURN = r"""
_value:
  description: What the server is already.
  type: dict
  contains:
    networks:
      type: list
      elements: dict
      description: >-
        The networks that machines boot in. Each has C(name), which may be empty for the only one, and C(address) and
        C(interface) of the server there. C(network) is such as V(192.168.1.0/24), C(port) is the web server's, and
        C(base_url) its root, without a slash at the end. C(relayed) lists the networks whose relays ask there,
        C(cached) those of caches. C(dhcp) says which addresses the server gives there, and is empty where another
        server does.
    caches:
      type: list
      elements: dict
      description: >-
        The server's caches. Each has C(host), C(name), C(address), C(network), C(port) and C(base_url), as the
        inventory says them. C(interface), C(server) and C(server_port) are those of the server's address that it asks.
    packages: {type: list, description: Names of the packages that are completely installed.}
    cut_off: {type: bool, description: Whether packages are half installed.}
    uefi_loaders: {type: list, description: Names of the files that UEFI machines are offered.}
    marks: {type: list, description: Files that a run left that was ended before it could remove them.}
    sockets: {type: list, description: "Lines of C(ss -H -l -t -u -n -p)."}
    units:
      type: dict
      description: >-
        Each of our units - C(pid), V(0) when it does not run, and C(ready), whether it runs, now and after a start of
        the host.
    heard:
      type: list
      description: >-
        Which services of ours answered the look, which asks as machines do - V(http ADDRESS:PORT) and
        V(pxe INTERFACE ADDRESS).
    gives: {type: list, description: Interfaces on which our dnsmasq already gives addresses.}
    noted:
      type: dict
      description: >-
        Answers that the server need not be asked for again - by name the C(key) of the question, and the C(answer).
    dnsmasq: {type: str, description: The line in which dnsmasq says its version.}
    firewall:
      type: dict
      description: What a firewall shuts, and what opens it.
      contains:
        shut: {type: list, description: "Ports, each such as V(UDP 69)."}
        by: {type: list, description: Who shuts them.}
        silent: {type: list, description: Interfaces on which no machine's first question comes in.}
        say: {type: list, description: Lines for a person.}
        open: {type: list, description: "Commands that open them for good, each a list of words."}
        close: {type: list, description: "Commands that shut what was opened before, and is not needed any more."}
        rules: {type: list, description: "Commands that are needed at each start of the host, each a line for a shell."}
        service: {type: bool, description: Whether a service must run these.}
        note: {type: str, description: "What is to be kept to undo it, as JSON."}
        act: {type: bool, description: Whether there is anything to say or to do.}
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._firewall.verdict import verdict
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import networks
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.caches import asked_by, placed
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import looked, network


def server_facts(
    lines: Iterable[str],
    settings: Mapping[str, Any] | None = None,
    opens: bool = False,
    caches: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the facts; see DOCUMENTATION."""
    parts = looked.parts(lines)
    try:
        found = network.boot_networks(parts, networks.wanted(settings or {}))
        theirs = placed(caches, found, network.default_address(parts))
        found = asked_by(found, theirs)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error
    try:
        firewall = verdict(parts, found, bool(opens))
    except ValueError as error:
        raise AnsibleFilterError(f"The firewall's rules cannot be read: {error}") from error
    return {"networks": found, "caches": theirs, **looked.facts(parts), "firewall": firewall}


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"server_facts": server_facts}
