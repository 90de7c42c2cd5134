# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Asks as the firmware of a machine does (RFC 2131; RFC 4578; PXE 2.1, sections 2.2.1 and 2.2.3). As a script: pxe.py
INTERFACE ADDRESS… ends with 0 when each ADDRESS answers a BIOS machine for PXE on the INTERFACE before it, else with 1
and a line that says what came. pxe.py --alone NAME INTERFACE ADDRESS… ends with 0 when nobody but ADDRESS gives
addresses on INTERFACE, and with a line for each other one; NAME is that of the network, for people.

The question is a broadcast, which a host hears itself. The answers are read from the interface (packet(7)), since port
68 may belong to the DHCP client of this host. This file is also run alone: it imports only the standard library.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time
from typing import Iterator, Mapping, NamedTuple

CLIENT, SERVER, BOOT_SERVER = 68, 67, 4011
COOKIE = b"\x63\x82\x53\x63"
ALL_PROTOCOLS = 3  # ETH_P_ALL: also what this host sends
SECONDS = 2.0
#: How long answers are waited for where somebody may try an address before the offer: dnsmasq does for three seconds.
LISTEN = 4.0
#: Processor architectures that boot by HTTP (IANA, "Processor Architecture Types").
BY_HTTP = (15, 16, 18, 19)
#: Bytes before a DHCP message's options, and where the IPv4 packet's head says "UDP".
FIXED, UDP_AT = 240, 9
_DISCOVER, _REQUEST = b"\x01", b"\x03"
_PAD, _END = 0, 255


class Answer(NamedTuple):
    """What somebody answered. server: its IPv4 address; address: the one that it offers to the machine, or "".

    file: what to boot, or ""; after: the server that has it (siaddr), or ""; is_pxe: whether it is an answer for PXE or
    HTTP Boot; item: the first entry of its boot menu (option 43, 9), which port 4011 is asked for; name: whom it says
    to be (option 54), which is another one than server where a relay passes it on.
    """

    server: str
    address: str = ""
    file: str = ""
    after: str = ""
    is_pxe: bool = False
    item: bytes = b""
    name: str = ""

    @property
    def boots(self) -> bool:
        """Whether it tells what to boot: of itself, or on port 4011."""
        return self.is_pxe or bool(self.file)


def user_class(server: str = "") -> str:
    """What our questions carry (RFC 3004), and no machine's: where several servers share the machines, by it answers
    the one with this address, and no other. Without an address: its beginning."""
    return f"homelab.netboot/{server}/" if server else "homelab.netboot/"


def discover(mac: bytes, number: bytes, arch: int, server: str) -> bytes:
    """A DHCPDISCOVER of a machine that boots from the network; it asks for a broadcast as the answer.

    number: four bytes that the answer repeats. arch: 0 for BIOS, see RFC 4578, section 2.1. server: who is meant.
    """
    head = _head(mac, number, 0x8000, b"")
    return head + _told(arch, {53: _DISCOVER, 77: user_class(server).encode()})


def request(mac: bytes, number: bytes, arch: int, server: str, *, address: str, item: bytes) -> bytes:
    """The question on port 4011: which file? address: where the answer is to go; item: as in L(Answer)."""
    options = {53: _REQUEST, 77: user_class(server).encode()}
    if item:
        options[43] = b"\x47\x04" + item + b"\x00\x00\xff"  # PXE_BOOT_ITEM, layer 0
    return _head(mac, number, 0, socket.inet_aton(address)) + _told(arch, options)


def _head(mac: bytes, number: bytes, flags: int, address: bytes) -> bytes:
    head = struct.pack("!BBBB4sHH4s12s16s192s", 1, 1, 6, 0, number, 0, flags, address, b"", mac, b"")
    return head + COOKIE


def _told(arch: int, options: Mapping[int, bytes]) -> bytes:
    kind = "HTTP" if arch in BY_HTTP else "PXE"
    every = {
        **options,
        55: bytes([43, 60, 66, 67]),
        60: b"%sClient:Arch:%05d:UNDI:003001" % (kind.encode(), arch),
        93: struct.pack("!H", arch),
        94: b"\x01\x03\x01",
        97: b"\x00" * 17,
    }
    return b"".join(bytes([code, len(text)]) + text for code, text in every.items()) + bytes([_END])


def offer(packet: bytes, number: bytes) -> Answer | None:
    """What an IPv4 packet answers to our question; None when it is something else."""
    begin = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < begin + 8 + FIXED or packet[UDP_AT] != socket.IPPROTO_UDP:
        return None
    if struct.unpack("!HH", packet[begin : begin + 4]) != (SERVER, CLIENT):
        return None
    return answer(socket.inet_ntoa(packet[12:16]), packet[begin + 8 :], number)


def answer(server: str, message: bytes, number: bytes) -> Answer | None:
    """What a DHCP message that came from a server says; None when it is no answer to our question."""
    if len(message) < FIXED or (message[0], message[4:8], message[236:240]) != (2, number, COOKIE):
        return None
    given = dict(_options(message[FIXED:]))
    file = given.get(67) or message[108:236].partition(b"\0")[0]
    menu = dict(_options(given.get(43, b""))).get(9, b"")
    return Answer(
        server,
        _address(message[16:20]),
        file.rstrip(b"\0").decode("ascii", "replace"),
        _address(message[20:24]),
        given.get(60, b"")[:9] in (b"PXEClient", b"HTTPClien"),
        menu[:2],
        _address(given.get(54, b"")[:4].ljust(4, b"\0")),
    )


def _address(four: bytes) -> str:
    return socket.inet_ntoa(four) if any(four) else ""


def _options(text: bytes) -> Iterator[tuple[int, bytes]]:
    while len(text) > 1 and text[0] != _END:
        if text[0] == _PAD:
            text = text[1:]
            continue
        yield text[0], text[2 : 2 + text[1]]
        text = text[2 + text[1] :]


def hardware(interface: str) -> bytes:
    """The MAC address of an interface: a question in its name takes no other address of the DHCP server's."""
    with open(f"/sys/class/net/{interface}/address", encoding="ascii") as file:
        return bytes.fromhex(file.read().strip().replace(":", ""))


def broadcast(
    interface: str, questions: Mapping[bytes, bytes], seconds: float
) -> Iterator[tuple[bytes, Answer]]:
    """Send questions (number → message), and tell the answers that come within some seconds, with their numbers."""
    ears = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ears, mouth:
        ears.bind((interface, ALL_PROTOCOLS))
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        for message in questions.values():
            mouth.sendto(message, ("255.255.255.255", SERVER))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([ears], [], [], max(0.0, end - time.monotonic()))[0]:
                packet = ears.recv(4096)
                for number in questions:
                    found = offer(packet, number)
                    if found:
                        yield number, found


def ask_boot_server(
    source: str, server: str, message: bytes, number: bytes, seconds: float = SECONDS
) -> Answer | None:
    """Ask a boot server on port 4011, from this host's address in its network; None when it says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.settimeout(seconds)
        mouth.bind((source, 0))
        mouth.sendto(message, (server, BOOT_SERVER))
        try:
            return answer(server, mouth.recv(4096), number)
        except OSError:
            return None


def givers(interface: str, address: str) -> Iterator[str]:
    """The other servers that offer an address there; OSError when nobody can be asked."""
    with open(f"/sys/class/net/{interface}/carrier", encoding="ascii") as file:
        if file.read().strip() != "1":
            raise OSError(0, "it has no link")
    number = os.urandom(4)
    told: set[str] = set()
    for dummy, found in broadcast(
        interface, {number: discover(hardware(interface), number, 0, address)}, LISTEN
    ):
        if found.address and found.server not in {address, *told}:
            told.add(found.server)
            yield found.server


def alone(name: str, interface: str, address: str) -> int:
    """0 when nobody else gives addresses, as far as can be heard."""
    try:
        others = sorted(givers(interface, address))
    except OSError as error:
        sys.stdout.write(f"{name}: nobody can be asked on {interface} ({error.strerror or error})\n")
        return 1
    for one in others:
        sys.stdout.write(f"{name}: {one} answers on {interface}\n")
    return 1 if others else 0


def main(*where: str) -> int:
    """Ask on each interface, as a BIOS machine."""
    if where[0] == "--alone":
        return max([alone(*one) for one in zip(where[1::3], where[2::3], where[3::3])])
    return max(ask(interface, address) for interface, address in zip(where[::2], where[1::2]))


def ask(interface: str, address: str) -> int:
    """Ask once: 0 when the address answers."""
    number = os.urandom(4)
    others = set()
    for dummy, found in broadcast(
        interface, {number: discover(hardware(interface), number, 0, address)}, SECONDS
    ):
        if address in (found.server, found.name) and found.boots:
            return 0
        others.add(found.server)
    sys.stdout.write(
        f"no offer for PXE from {address} on {interface}; answers came from {', '.join(sorted(others)) or 'nobody'}\n"
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
