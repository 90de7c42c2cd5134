#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_answers
short_description: Ask a server as machines do, from another host of its network
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Sends the questions of machines' firmware (a broadcast for PXE, then port 4011), and asks for the head of each file
    by HTTP or for its first block by TFTP. Nothing is installed and no state changes.
  - The playbook C(homelab.netboot.doctor) runs it with C(-e from=HOST); the command C(netboot doctor --ask) on the
    server says what to ask, and C(netboot doctor --answers) what the answers mean.
  - The questions carry the host's own MAC address, so C(netboot why) may tell of it as of a machine that asked.
requirements:
  - root, to hear answers on port 68 beside the host's own DHCP client
  - the command C(ip), when O(interface) is not given
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: It changes nothing, in any mode.
    support: full
  diff_mode:
    support: none
  platform:
    platforms: linux
options:
  address:
    description: The server's IPv4 address.
    type: str
    required: true
  port:
    description: TCP port of its web server.
    type: int
    default: 80
  host:
    description: What the answers call this host, such as its name in the inventory.
    type: str
    required: true
  interface:
    description: Interface of this host in the server's network. Without it, the one by which O(address) is reached.
    type: str
  archs:
    description: Kinds of firmware to play, as numbers of the IANA's list C(Processor Architecture Types).
    type: list
    elements: int
    default: []
  files:
    description: Files to ask for, each as a list of C(http) or C(tftp), the server's name, the path, and who names it.
    type: list
    elements: list
    default: []
"""

EXAMPLES = r"""
- name: Ask as a BIOS machine would
  homelab.netboot.boot_answers:
    address: 192.168.1.50
    host: nas
    archs: [0]
    files: [[tftp, 192.168.1.50, lpxelinux.0, [the answer to BIOS]]]
  become: true
"""

RETURN = r"""
answers:
  description: What was heard; C(netboot doctor --answers) takes a list of such.
  returned: success
  type: dict
  contains:
    host: {description: As O(host)., type: str, returned: success}
    interface: {description: The interface on which was asked., type: str, returned: success}
    address: {description: As O(address)., type: str, returned: success}
    heard:
      description: By kind of firmware, the C(offers) that came, and the C(file) that the server told it to boot.
      type: dict
      returned: success
    files:
      description: As O(files), each with what came; empty when it is handed out, else what is wrong.
      type: list
      returned: success
"""

import json
import socket

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor import abroad, questions
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.targets import Target


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 80},
            "host": {"type": "str", "required": True},
            "interface": {"type": "str"},
            "archs": {"type": "list", "elements": "int", "default": []},
            "files": {"type": "list", "elements": "list", "default": []},
        },
        supports_check_mode=True,
    )
    options = module.params
    try:
        named = {Target(way, host, path): who for way, host, path, who in options["files"]}
    except (TypeError, ValueError) as error:
        module.fail_json(msg=f"files: each is a list of way, host, path, and who names it ({error})")
    try:
        interface, source = way_to(module, options["address"])
        at = questions.Place(options["interface"] or interface, options["address"], options["port"], source)
        heard = questions.heard(at, options["archs"])
        came = questions.fetch(at, named, [])
    except PermissionError:
        module.fail_json(msg="answers to broadcasts can only be heard by root: become: true")
    except OSError as error:
        module.fail_json(msg=f"{options['address']} cannot be asked: {error.strerror or error}")
    files = [[*target, who, came.get(target, "")] for target, who in named.items()]
    module.exit_json(changed=False, answers=abroad.answers(options["host"], at, heard, files))


def way_to(module: AnsibleModule, address: str) -> tuple[str, str]:
    """Return the interface and the own address by which an address is reached; it must be in the same network."""
    try:
        socket.inet_aton(address)
    except OSError:
        module.fail_json(msg=f"address: {address!r} is no IPv4 address")
    code, out, err = module.run_command(["ip", "-json", "-4", "route", "get", address], check_rc=False)
    try:
        route = json.loads(out)[0] if code == 0 else {}
    except (ValueError, IndexError):
        route = {}
    if not route.get("dev"):
        module.fail_json(msg=f"there is no way from this host to {address}: {err.strip() or 'no route'}")
    if "gateway" in route:
        module.fail_json(
            msg=f"{address} is reached by way of {route['gateway']}, so this host is not in the server's network: "
            "what a machine broadcasts does not get there. Ask from a host of that network."
        )
    return str(route["dev"]), str(route.get("prefsrc", ""))


if __name__ == "__main__":
    main()
