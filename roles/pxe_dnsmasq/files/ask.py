# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the boot server of this very host as the firmware of a machine does: ask.py INTERFACE ADDRESS.

Ends with 0 when a DHCPOFFER for PXE comes from ADDRESS within two seconds, else with 1 and a line that says what came.
The question is a broadcast (RFC 2131; PXE 2.1, section 2.2.1), which a host hears itself. The answer is read from the
interface (packet(7)), since port 68 may belong to the DHCP client of this host. Python 3.8, nothing besides.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time
from pathlib import Path

CLIENT, SERVER = 68, 67
COOKIE = b"\x63\x82\x53\x63"
ALL_PROTOCOLS = 3  # ETH_P_ALL: also what this host sends
SECONDS = 2.0


def discover(mac: bytes, number: bytes) -> bytes:
    """A DHCPDISCOVER of a BIOS machine that boots by PXE; it asks for a broadcast as the answer."""
    head = struct.pack("!BBBB4sHH16s16s192s", 1, 1, 6, 0, number, 0, 0x8000, b"", mac, b"")
    options = {
        53: b"\x01",
        55: bytes([43, 60, 66, 67]),
        60: b"PXEClient:Arch:00000:UNDI:002001",
        93: b"\x00\x00",
        94: b"\x01\x02\x01",
        97: b"\x00" * 17,
    }
    return (
        head + COOKIE + b"".join(bytes([code, len(text)]) + text for code, text in options.items()) + b"\xff"
    )


def offer(packet: bytes, number: bytes) -> tuple[str, bool] | None:
    """Whose answer to our question an IPv4 packet is, and whether it is one for PXE; None when it is something else."""
    begin = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < begin + 248 or packet[9] != socket.IPPROTO_UDP:
        return None
    source, target = struct.unpack("!HH", packet[begin : begin + 4])
    message = packet[begin + 8 :]
    if (source, target, message[0], message[4:8]) != (SERVER, CLIENT, 2, number):
        return None
    return socket.inet_ntoa(packet[12:16]), b"\x3c\x09PXEClient" in message


def main(interface: str, address: str) -> int:
    """Ask once."""
    number = os.urandom(4)
    mac = bytes.fromhex(Path(f"/sys/class/net/{interface}/address").read_text().strip().replace(":", ""))
    others = set()
    ears = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ears, mouth:
        ears.bind((interface, ALL_PROTOCOLS))
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        mouth.sendto(discover(mac, number), ("255.255.255.255", SERVER))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if select.select([ears], [], [], max(0.0, end - time.monotonic()))[0]:
                found = offer(ears.recv(4096), number)
                if found == (address, True):
                    return 0
                others.update([found[0]] if found else [])
    print(
        f"no offer for PXE from {address} on {interface}; answers came from {', '.join(sorted(others)) or 'nobody'}"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
