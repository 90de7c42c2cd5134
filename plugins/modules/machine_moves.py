#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_moves
short_description: Move machines from one server to another with what is known of them
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - A machine that gets another server is given by the old one, which from then on offers it nothing, and then taken
    by the new one, with its state. So it is not installed again, and not forgotten.
  - Without O(known) the server gives the machines in O(owner); with it, it takes those in O(machines).
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: It only tells what the server knows.
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  server:
    description:
      - Name of this server.
    type: str
    required: true
  machines:
    description:
      - Its machines, as option O(homelab.netboot.machine_states_info#module:machines) of
        M(homelab.netboot.machine_states_info).
    type: dict
    default: {}
  owner:
    description:
      - MAC address to the name of the server that the machine belongs to, for machines of other servers.
    type: dict
    default: {}
  known:
    description:
      - MAC address to what other servers know of the machine, a list of RV(known)'s values.
    type: dict
  settings:
    description:
      - The settings of the server's program, as JSON. Without this file the server knows nothing.
    type: path
    default: /etc/netboot/netboot.json
notes:
  - Role P(homelab.netboot.machine_states#role) uses it where there are several servers.
"""

EXAMPLES = r"""
- name: Give what belongs to another server now
  homelab.netboot.machine_moves:
    server: "{{ inventory_hostname }}"
    owner: {"f4:4d:30:60:64:69": server2}
"""

RETURN = r"""
unknown:
  description: MAC addresses of those in O(machines) of which nothing is known here, or that were given away.
  returned: success
  type: list
  elements: str
known:
  description:
    - For those in O(owner) of which something is known here, MAC address to that.
    - C(given) is the server that the machine was given to, empty as long as it is this one's.
  returned: success
  type: dict
  sample: {"f4:4d:30:60:64:69": {state: up, given: server2, name: nuc1}}
said:
  description: What happened to machines, a line each.
  returned: success
  type: list
  elements: str
"""

import os
from typing import Any, Iterable, Mapping

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.homelab.netboot.plugins.module_utils._program import moving, plan
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import RefusedError
from ansible_collections.homelab.netboot.plugins.module_utils._program.server import Server
from ansible_collections.homelab.netboot.plugins.module_utils._program.settings import Settings
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Machine

ARGUMENTS = {
    "server": {"type": "str", "required": True},
    "machines": {"type": "dict", "default": {}},
    "owner": {"type": "dict", "default": {}},
    "known": {"type": "dict"},
    "settings": {"type": "path", "default": "/etc/netboot/netboot.json"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    options = module.params
    result: dict[str, Any] = {"changed": False, "said": [], "known": {}, "unknown": []}
    try:
        machines = [plan.machine(name, entry) for name, entry in options["machines"].items()]
        result["unknown"] = [machine.mac for machine in machines]
        if os.path.exists(options["settings"]):
            settings = Settings.load(options["settings"])
            if not module.check_mode:
                move(settings, machines, options, result)
            result["known"] = moving.known_here(settings.state, options["owner"])
            mine = moving.known_here(settings.state, result["unknown"])
            result["unknown"] = [mac for mac in result["unknown"] if mac not in mine or mine[mac]["given"]]
    except (ValueError, KeyError, TypeError) as error:
        module.fail_json(msg=f"machines, known: not what filters and this module make: {error!r}")
    except RefusedError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or options['settings']}: {error.strerror}")
    module.exit_json(**result)


def move(
    settings: Settings, machines: Iterable[Machine], options: Mapping[str, Any], result: dict[str, Any]
) -> None:
    """Give or take, under the lock of the server's program."""
    with Server(settings, result["said"].append) as server:
        if options["known"] is None:
            server.give(options["owner"])
        else:
            server.take(machines, options["known"], options["server"])
        result["changed"] = server.changed > 0
        if server.failed:
            raise RefusedError("; ".join(result["said"]))


if __name__ == "__main__":
    main()
