# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is wrong on this server, found by asking it as a machine would.

`finding`, `entries`, `services`, `network`, `targets` and `disks` judge: pure functions of what was seen. `looking`
looks, `examining` does one after the other and finds the words. `pxe` asks as firmware does; it imports nothing of this
collection, since role pxe_dnsmasq runs it as a script before the program is there.
"""
