# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What machines did, told by what the server itself writes down: dnsmasq's journal, nginx's log, changes of states.

`dnsmasq` and `nginx` read one line each, `joining` finds out whose it is, `story` is what a machine did; these are
pure. `sources` reads what is new in the logs, `kept` keeps the stories. The lab tells its boots with the same code.
"""
