# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Wake-on-LAN: AMD, Magic Packet Technology (publication 20213)."""

from __future__ import annotations

import os
import socket
from typing import Iterable

_DISCARD = 9  # the port does not matter to the card; nobody listens on this one


def packet(mac: str) -> bytes:
    """Six times 0xff, sixteen times the address."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def send(macs: Iterable[str]) -> None:
    """Broadcast it for each of them on every network card of this host."""
    packets = [packet(mac) for mac in macs]
    for device in sorted(os.listdir("/sys/class/net")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            for one in packets:
                try:
                    sender.sendto(one, ("255.255.255.255", _DISCARD))
                except OSError:
                    break  # a card that is down, or has no address
