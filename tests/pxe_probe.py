# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for an address and a loader as a PXE client does, and print every answer as JSON (RFC 2131, PXE 2.1)."""

from __future__ import annotations

import argparse
import json
import socket
from typing import Any

# not scapy.all, which reads every protocol there is: a second, each time
from scapy.arch import get_if_addr
from scapy.config import conf
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.sendrecv import srp

CLASS = b"PXEClient:Arch:00000:UNDI:002001"  # BIOS, and the boot ROM of a Raspberry Pi
#: What that of a Raspberry Pi 4 sends besides (captures: raspberrypi/rpi-eeprom issue 103, raspberrypi/firmware issue
#: 1265): what it wants, UNDI 2.1, and a GUID of its name, the board's revision, the MAC's end and the serial number.
WISHES = bytes([1, 3, 43, 60, 66, 67, *range(128, 136)])
PI = [
    ("vendor_class_id", CLASS),
    ("param_req_list", list(WISHES)),
    (93, b"\0\0"),
    (94, b"\1\2\1"),
    (97, b"\0RPi4" + bytes.fromhex("1411d000 320aef79 7efcf632")),
]


def _message(mac: str, kind: str, options: list[Any], address: str, flags: int) -> Any:
    hardware = bytes.fromhex(mac.replace(":", ""))
    bootp = BOOTP(chaddr=hardware, ciaddr=address, xid=int(hardware.hex()[-8:], 16), flags=flags)
    return bootp / DHCP(options=[("message-type", kind), *options, "end"])


def discover(mac: str, options: list[Any], interface: str, seconds: float) -> list[dict[str, Any]]:
    """Broadcast a DHCPDISCOVER and return the offers that come within some seconds.

    :param mac: the client's address, with colons.
    :param options: what the message carries besides its kind, as scapy writes it.
    :param interface: where to send from.
    """
    nowhere = "0.0.0.0"
    head = (
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        / IP(src=nowhere, dst="255.255.255.255")
        / UDP(sport=68, dport=67)
    )
    conf.checkIPaddr = False
    answers, _unanswered = srp(
        head / _message(mac, "discover", options, nowhere, 0x8000),
        iface=interface,
        timeout=seconds,
        multi=True,
        verbose=False,
    )
    return [_digest(answer[BOOTP]) for _sent, answer in answers]


def ask_boot_server(mac: str, options: list[Any], server: str, interface: str, seconds: float) -> str:
    """Return the loader that the boot server names on port 4011 (PXE 2.1, section 2.2.3)."""
    address = get_if_addr(interface)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.bind((address, 68))
        sock.sendto(bytes(_message(mac, "request", options, address, 0)), (server, 4011))
        return str(_digest(BOOTP(sock.recv(4096)))["file"])


def _digest(answer: Any) -> dict[str, Any]:
    """Return what matters of an answer; C(menu) is its option 43, C(item) the first entry of the menu in it (9)."""
    given = {option[0]: option[1] for option in answer[DHCP].options if isinstance(option, tuple)}
    menu = vendor = given.get("vendor_specific") or b""
    item = ""
    while vendor[:1] not in {b"", b"\xff"}:
        if vendor[0] == 9:
            item = vendor[2:4].hex()
        vendor = vendor[2 + vendor[1] :]
    return {
        "server": given.get("server_id"),
        "address": answer.yiaddr,
        "lease": given.get("lease_time"),
        "file": answer.file.rstrip(b"\0").decode(),
        "class": (given.get("vendor_class_id") or b"").decode(),
        "menu": menu.hex(),
        "item": item,
    }


def boot(mac: str, *, pxe: bool, interface: str, seconds: float) -> list[dict[str, Any]]:
    """Return the offers; each that has a boot menu with the loader behind its first entry."""
    client: list[Any] = [("vendor_class_id", CLASS), (93, b"\0\0"), (97, b"\0" + bytes(16))] if pxe else []
    offers = discover(mac, client, interface, seconds)
    for offer in offers:
        if offer["item"]:
            item = ("vendor_specific", bytes.fromhex(f"4704{offer['item']}0000ff"))  # PXE_BOOT_ITEM, layer 0
            offer["loader"] = ask_boot_server(mac, [*client, item], offer["server"], interface, seconds)
    return offers


def main() -> None:
    """Read the options, print the offers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mac", default="52:54:00:00:00:01")
    parser.add_argument("--plain", action="store_true", help="a client that does not boot by PXE")
    parser.add_argument(
        "--pi", action="store_true", help="the boot ROM of a Raspberry Pi, which asks only once"
    )
    parser.add_argument("--interface", default="br0")
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    if args.pi:
        print(json.dumps(discover(args.mac, PI, args.interface, args.seconds)))
        return
    print(json.dumps(boot(args.mac, pxe=not args.plain, interface=args.interface, seconds=args.seconds)))


if __name__ == "__main__":
    main()
