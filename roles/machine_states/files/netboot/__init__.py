# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is to be installed, and what the server hands out because of that. Python 3.8 or newer, nothing besides.

Installed by the role homelab.netboot.machine_states; `netboot --help` tells its commands.
"""
