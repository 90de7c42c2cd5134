#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_states_info
short_description: Tell which machines would be armed if the server was given this inventory
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Reads what the server knows of each machine, and decides as the command C(netboot publish) decides.
  - A server on which nothing was set up yet knows of no machine.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    description: It changes nothing, in any mode.
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  machines:
    description:
      - Name to C(mac), C(image), C(install), C(wipe) and C(host_key), as the filter
        P(homelab.netboot.machine_plan#filter) lists them.
    type: dict
    required: true
  root:
    description:
      - The folder of all that is served. Its seeds show which armings are of this server as it is now.
    type: path
    default: /srv/netboot
  state:
    description:
      - The folder in which the server remembers the machines.
    type: path
    default: /var/lib/netboot
  server:
    description:
      - Name of this server, for O(known).
    type: str
    default: ""
  known:
    description:
      - What other servers know of machines that would come to this one, as M(homelab.netboot.machine_moves) takes it.
    type: dict
    default: {}
notes:
  - Reports of machines that the server has not taken yet, seconds old as a rule, do not count.
"""

EXAMPLES = r"""
- name: See who would be armed
  homelab.netboot.machine_states_info:
    machines: "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars) | homelab.netboot.machine_plan
      | from_json }}"
  register: told
"""

RETURN = r"""
armed:
  description: Name to C(image) and C(wipe), V(blank) or V(always), for each machine that would be armed.
  returned: success
  type: dict
  sample: {nuc1: {image: noble, wipe: blank}}
said:
  description: What would become of machines that would change, but not be armed; a line each.
  returned: success
  type: list
  elements: str
  sample: ["nuc2: local: netboot_install: never"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.homelab.netboot.plugins.module_utils._program import moving, plan, publication
from ansible_collections.homelab.netboot.plugins.module_utils._program.settings import Settings

ARGUMENTS = {
    "machines": {"type": "dict", "required": True},
    "root": {"type": "path", "default": "/srv/netboot"},
    "state": {"type": "path", "default": "/var/lib/netboot"},
    "server": {"type": "str", "default": ""},
    "known": {"type": "dict", "default": {}},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    options = module.params
    said: list[str] = []
    try:
        listed = [plan.machine(name, entry) for name, entry in options["machines"].items()]
        settings = Settings(root=options["root"], state=options["state"])
        coming = moving.foretold(settings.state, options["known"], options["server"])
        armed = publication.preview(settings, {one.mac: one for one in listed}, said.append, coming)
    except (ValueError, KeyError, TypeError) as error:
        module.fail_json(msg=f"machines: not a list of machines as the filter machine_plan makes it: {error}")
    except OSError as error:
        module.fail_json(msg=f"cannot read {error.filename or options['state']}: {error.strerror}")
    module.exit_json(changed=False, armed=armed, said=said)


if __name__ == "__main__":
    main()
