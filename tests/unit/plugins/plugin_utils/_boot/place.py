# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's network, as a run hands it to what writes boot entries and dnsmasq's lines."""

from __future__ import annotations

NETWORK = {
    "name": "",
    "address": "192.168.1.50",
    "interface": "eno1",
    "network": "192.168.1.0/24",
    "port": 80,
    "base_url": "http://192.168.1.50",
}
