# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The program `netboot`: who is to be installed, and what the server hands out because of that.

Role homelab.netboot.machine_states installs this folder on the server as it is; `netboot --help` tells its commands.
Two of its modules serve the whole collection: `contract` is what controller and server agree on, `files` writes files.
Python 3.8 or newer, nothing besides its standard library.
"""
