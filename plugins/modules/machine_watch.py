#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_watch
short_description: Tells what machines do until they are installed
version_added: 1.0.0
author:
  - The homelab.netboot contributors (@homelab-netboot)
description:
  - Asks the program C(netboot) on the server again and again what machines do, and shows each event as a line at once.
    It ends when every machine is installed or failed, or nothing more will come of it.
  - The bytes of a transfer are told when it is over, as the web server logs it then; how much of the ISO was sent, also
    before.
options:
  machines:
    description: Names of machines.
    type: list
    elements: str
    required: true
  until:
    description:
      - Until what a machine is watched.
      - V(installed) is until it reports that, and V(up) until the first start of its new system is over.
      - A machine that is armed again at once (C(netboot_install=always)) never tells its first start, and ends with
        its report.
    type: str
    choices: [installed, up]
    default: installed
  pause:
    description: Seconds between two looks.
    type: float
    default: 3
  patience:
    description: Seconds after which it ends in any case, as a failure; V(0) for never.
    type: float
    default: 0
notes:
  - Changes nothing; it does the same in check mode.
"""

EXAMPLES = r"""
- name: See a machine being installed
  homelab.netboot.machine_watch:
    machines: [nuc1]
  become: true
"""

RETURN = r"""
machines:
  description:
    - The machines at the end, also when some have failed.
    - Each has C(machine), C(state), C(gauge), C(text), C(is_over) and C(is_failed).
  returned: always
  type: list
  elements: dict
"""
