# SPDX-License-Identifier: GPL-3.0-or-later
"""Broadcast a DHCPDISCOVER as a PXE client does, and print every offer as JSON (RFC 2131, PXE 2.1)."""

from __future__ import annotations

import argparse
import json
from typing import Any

from scapy.all import BOOTP, DHCP, IP, UDP, Ether, conf, srp


def discover(mac: str, *, pxe: bool, interface: str, seconds: float) -> list[dict[str, Any]]:
    """Return the offers that come within some seconds.

    :param mac: the client's address, with colons.
    :param pxe: whether the client says that it is a PXE client (option 60), BIOS (option 93: 0).
    :param interface: where to send from.
    :param seconds: how long to listen.
    """
    hardware = bytes.fromhex(mac.replace(":", ""))
    options: list[Any] = [("message-type", "discover")]
    if pxe:
        options += [("vendor_class_id", b"PXEClient:Arch:00000:UNDI:002001"), (93, b"\0\0"), (97, b"\0" + bytes(16))]
    packet = (
        Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104 - a client without an address
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=hardware, xid=int(hardware.hex()[-8:], 16), flags=0x8000)
        / DHCP(options=[*options, "end"])
    )
    conf.checkIPaddr = False
    answers, _unanswered = srp(packet, iface=interface, timeout=seconds, multi=True, verbose=False)
    offers = []
    for _sent, answer in answers:
        given = {option[0]: option[1] for option in answer[DHCP].options if isinstance(option, tuple)}
        offers.append(
            {
                "server": given.get("server_id"),
                "address": answer[BOOTP].yiaddr,
                "lease": given.get("lease_time"),
                "file": answer[BOOTP].file.rstrip(b"\0").decode(),
                "class": (given.get("vendor_class_id") or b"").decode(),
            }
        )
    return offers


def main() -> None:
    """Read the options, print the offers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mac", default="52:54:00:00:00:01")
    parser.add_argument("--plain", action="store_true", help="a client that does not boot by PXE")
    parser.add_argument("--interface", default="br0")
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    print(json.dumps(discover(args.mac, pxe=not args.plain, interface=args.interface, seconds=args.seconds)))


if __name__ == "__main__":
    main()
