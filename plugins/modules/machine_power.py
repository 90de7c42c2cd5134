#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_power
short_description: Starts a machine from the network by its management controller
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Asks a management controller (BMC) by Redfish or IPMI whether its machine runs; sets its next boot, and only that
    one, to the network; switches it on, or restarts it when it runs.
  - A restart is that of the reset button. What runs on the machine is not asked first.
  - Does so by modules of the collection community.general, 10.6.0 or newer, which must be installed on the controller,
    and for IPMI with the Python library pyghmi. When one is absent it fails, and says how to install it.
  - Returns and shows neither user nor password.
options:
  machine:
    description: Name of the machine, for messages.
    type: str
    required: true
  power:
    description: As C(netboot_power), see the variables of a machine.
    type: dict
    required: true
  state:
    description:
      - V(asked) changes nothing. It fails when V(started) would, as far as that can be known, because nothing answers,
        the password is refused, or the next boot cannot be set to the network.
      - V(started) asks, and starts the machine.
    type: str
    choices: [asked, started]
    default: started
notes:
  - Run it with C(delegate_to=localhost), or on another host that reaches the management controller.
  - In check mode it asks only.
"""

EXAMPLES = r"""
- name: Start a machine from the network
  homelab.netboot.machine_power:
    machine: "{{ inventory_hostname }}"
    power: {type: redfish, address: 192.168.1.60, user: admin, password: "{{ bmc_password }}"}
  delegate_to: localhost
"""

RETURN = r"""
was_on:
  description: Whether the machine ran before.
  returned: always
  type: bool
"""
