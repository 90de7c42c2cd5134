# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles/pxe_dnsmasq/files/ask.py takes for an answer; Molecule asks with it."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "roles/pxe_dnsmasq/files/ask.py"
ASK: dict[str, Any] = {"__name__": "ask"}
exec(compile(PATH.read_text(), str(PATH), "exec"), ASK)  # noqa: S102 - our own program, which is no module
NUMBER = b"\x01\x02\x03\x04"
PXE = b"\x3c\x09PXEClient"


def packet(
    *,
    number: bytes = NUMBER,
    ports: tuple[int, int] = (67, 68),
    kind: int = 2,
    options: bytes = PXE,
    words: int = 5,
    protocol: int = 17,
) -> bytes:
    """An IPv4 packet (RFC 791) with a DHCP message."""
    message = struct.pack("!BBBB4s228s", kind, 1, 6, 0, number, b"") + b"\x63\x82\x53\x63" + options + b"\xff"
    head = struct.pack("!B8xBH4s4s", 0x40 | words, protocol, 0, socket.inet_aton("192.168.1.50"), b"\xff" * 4)
    return head + bytes(4 * (words - 5)) + struct.pack("!HHHH", *ports, 8 + len(message), 0) + message


@pytest.mark.parametrize("words", [5, 8])
def test_whose_offer_it_is_and_whether_it_is_for_pxe(words: int) -> None:
    assert ASK["offer"](packet(words=words), NUMBER) == ("192.168.1.50", True)
    assert ASK["offer"](packet(words=words, options=b""), NUMBER) == ("192.168.1.50", False)


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"\x45",
        packet()[:200],
        packet(number=b"else"),
        packet(ports=(68, 67)),
        packet(kind=1),
        packet(protocol=6),
    ],
)
def test_what_is_no_answer_to_this_question(other: bytes) -> None:
    assert ASK["offer"](other, NUMBER) is None


def test_the_question_is_no_answer() -> None:
    question = ASK["discover"](b"\x52\x54\x00\x00\x00\x01", NUMBER)
    assert question[:8] == b"\x01\x01\x06\x00" + NUMBER
    assert question[28:34] == b"\x52\x54\x00\x00\x00\x01"
    assert question[236:240] == b"\x63\x82\x53\x63"
    assert b"\x3c\x20PXEClient:Arch:00000:UNDI:002001" in question
    assert ASK["offer"](packet()[:28] + question, NUMBER) is None
