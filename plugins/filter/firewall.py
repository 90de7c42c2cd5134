# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(homelab.netboot.firewall)."""

from __future__ import annotations

DOCUMENTATION = r"""
name: firewall
short_description: Say which ports the server's firewall shuts to the boot network, and what opens them
version_added: 1.0.0
author: The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads the rules of nftables and iptables, which ufw and firewalld write, and follows a machine's packets through
    them.
  - Ports of proxy-DHCP (UDP 67), TFTP (UDP 69), the PXE boot server (UDP 4011) and HTTP.
  - TFTP's data come from ports that are not known before. They need no opening of their own, since the server sends
    first, so that the firewall knows the connection; only where a firewall does not let known connections through, they
    are named.
  - Only what comes in by IPv4 is looked at.
positional: where, http_port, opens
options:
  _input:
    description: >-
      Lines as C(roles/netboot/tasks/look.yml) prints them - the rules, the zones of firewalld, and the note of what was
      opened.
    type: list
    elements: str
    required: true
  where:
    description: C(interface), C(address), C(network) and C(netmask) of the server in the boot network.
    type: dict
    required: true
  http_port:
    description: TCP port of the web server.
    type: int
    required: true
  opens:
    description: Whether the run opens what is shut, or only says so.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what is shut
  ansible.builtin.debug:
    msg: "{{ (looked.stdout_lines | homelab.netboot.firewall(netboot_result, 80)).say }}"
"""

RETURN = r"""
_value:
  description: What is shut, and what opens it.
  type: dict
  contains:
    shut: {type: list, description: "Ports, each such as V(UDP 69)."}
    by: {type: list, description: Who shuts them.}
    say: {type: list, description: Lines for a person.}
    open: {type: list, description: "Commands that open them for good, each a list of words."}
    close: {type: list, description: "Commands that shut what was opened before, and is not needed any more."}
    rules: {type: list, description: "Commands that are needed at each start of the host, each a line for a shell."}
    service: {type: bool, description: Whether a service must run these.}
    note: {type: str, description: "What is to be kept in order to undo it, as JSON."}
    act: {type: bool, description: Whether there is anything to say or to do.}
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.homelab.netboot.plugins.plugin_utils._firewall.verdict import verdict


def firewall(
    looked: Iterable[str], where: Mapping[str, Any], http_port: int, opens: bool = False
) -> dict[str, Any]:
    """Return what is shut; see DOCUMENTATION."""
    try:
        return verdict(looked, where, int(http_port), bool(opens))
    except ValueError as error:
        raise AnsibleFilterError(f"The firewall's rules cannot be read: {error}") from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"firewall": firewall}
