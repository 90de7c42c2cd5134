# SPDX-License-Identifier: GPL-3.0-or-later
"""What the questions of a machine's firmware look like, and what is taken for an answer; Molecule asks with them."""

from __future__ import annotations

import socket
import struct

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor import pxe
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.pxe import Answer

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
    assert pxe.offer(packet(words=words), NUMBER) == Answer("192.168.1.50", is_pxe=True)
    assert pxe.offer(packet(words=words, options=b""), NUMBER) == Answer("192.168.1.50")


def test_what_is_to_be_booted_and_from_where() -> None:
    menu = b"\x2b\x07\x09\x05\x80\x00\x02ab"
    assert pxe.offer(packet(options=PXE + menu), NUMBER) == Answer(
        "192.168.1.50", is_pxe=True, item=b"\x80\x00"
    )
    head = packet()[:28] + struct.pack("!BBBB4s", 2, 1, 6, 0, NUMBER) + bytes(8)
    addresses = socket.inet_aton("192.168.1.9") + socket.inet_aton("192.168.1.1")
    field = head + addresses + bytes(84) + b"old.0".ljust(128, b"\0") + b"\x63\x82\x53\x63\x00"
    assert pxe.offer(field + b"\xff", NUMBER) == Answer("192.168.1.50", "192.168.1.9", "old.0", "192.168.1.1")
    option = pxe.offer(field + b"\x43\x02a\0\xff", NUMBER)
    assert option is not None
    assert option.file == "a"
    assert pxe.offer(field + b"\x43\xc8a", NUMBER) is not None  # one that is cut off


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
    assert pxe.offer(other, NUMBER) is None


def test_the_question_is_no_answer() -> None:
    question = pxe.discover(b"\x52\x54\x00\x00\x00\x01", NUMBER, 0, "192.168.1.50")
    assert question[:8] == b"\x01\x01\x06\x00" + NUMBER
    assert question[28:34] == b"\x52\x54\x00\x00\x00\x01"
    assert question[236:240] == b"\x63\x82\x53\x63"
    assert b"\x3c\x20PXEClient:Arch:00000:UNDI:003001" in question
    assert pxe.offer(packet()[:28] + question, NUMBER) is None


def test_each_kind_of_firmware_says_what_it_is() -> None:
    question = pxe.discover(bytes(6), NUMBER, 16, "192.168.1.50")
    assert b"\x3c\x21HTTPClient:Arch:00016:UNDI:003001" in question
    assert b"\x5d\x02\x00\x10" in question
    second = pxe.request(bytes(6), NUMBER, 7, "192.168.1.50", address="192.168.1.9", item=b"\x80\x00")
    assert second[12:16] == socket.inet_aton("192.168.1.9")
    assert all(b"\x4d\x1dhomelab.netboot/192.168.1.50/" in one for one in (question, second))
    assert b"\x2b\x07\x47\x04\x80\x00\x00\x00\xff" in second
    assert (
        b"\x2b"
        not in pxe.request(bytes(6), NUMBER, 7, "192.168.1.50", address="192.168.1.9", item=b"")[240:244]
    )


@pytest.mark.parametrize(
    ("offers", "told"),
    [
        ([], (0, "")),
        ([Answer("192.168.1.50", "192.168.1.9")], (0, "")),
        ([Answer("192.168.1.60", is_pxe=True)], (0, "")),
        (
            [Answer("192.168.1.2", "192.168.1.9"), *[Answer("192.168.1.1", "192.168.1.8")] * 2],
            (1, "lab: 192.168.1.1 answers on lo\nlab: 192.168.1.2 answers on lo\n"),
        ),
    ],
    ids=["nobody", "only-we", "another-for-pxe", "two-others"],
)
def test_who_else_gives_addresses(
    offers: list[Answer],
    told: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(pxe, "broadcast", lambda *_asked: ((NUMBER, one) for one in offers))
    assert (pxe.main("--alone", "lab", "lo", "192.168.1.50"), capsys.readouterr().out) == told


def test_where_nobody_can_be_asked_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert pxe.main("--alone", "lab", "eth99", "192.168.1.50") == 1
    assert capsys.readouterr().out == "lab: nobody can be asked on eth99 (No such file or directory)\n"
