# SPDX-License-Identifier: GPL-3.0-or-later
"""Two servers in one network, each with the real program and a real dnsmasq: `make owners`."""
