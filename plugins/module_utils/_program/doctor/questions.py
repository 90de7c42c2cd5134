# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Asks the server as machines do, from itself or from another host of its network (module boot_answers)."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import struct
from typing import Iterable, Mapping, NamedTuple, Sequence

from . import network, pxe
from .targets import SERVICES, SILENCE, Target

#: How long the answer to a single question is waited for.
PATIENCE = 5.0
_READ_REQUEST, _DATA, _ERROR = 1, 3, 5  # RFC 1350, section 5


class Place(NamedTuple):
    """Where to ask. interface: that of this host; address, port: the server's; source: this host's address there.

    gives: whether the server gives the addresses there.
    """

    interface: str
    address: str
    port: int
    source: str
    gives: bool = False

    @property
    def hosts(self) -> Mapping[str, str]:
        """By way, how entries name this server."""
        return {
            "http": self.address if self.port == http.client.HTTP_PORT else f"{self.address}:{self.port}",
            "tftp": self.address,
        }


def heard(at: Place, archs: Iterable[int], seconds: float = pxe.LISTEN) -> dict[int, network.Heard]:
    """Play each kind of firmware, all at once, and ask this server on port 4011 where its offer names no file."""
    mac = pxe.hardware(at.interface)
    numbers = {arch: os.urandom(4) for arch in archs}
    offers: dict[int, list[pxe.Answer]] = {arch: [] for arch in numbers}
    questions = {number: pxe.discover(mac, number, arch, at.address) for arch, number in numbers.items()}
    for number, offer in pxe.broadcast(at.interface, questions, seconds):
        for arch, one in numbers.items():
            if one == number and offer not in offers[arch]:
                offers[arch].append(offer)
    return {arch: network.Heard(tuple(offers[arch]), _file(at, mac, arch, offers[arch])) for arch in numbers}


def _file(at: Place, mac: bytes, arch: int, offers: Sequence[pxe.Answer]) -> str:
    ours = [one for one in offers if one.server == at.address and one.boots]
    if not ours or ours[0].file:
        return ours[0].file if ours else ""
    number = os.urandom(4)
    question = pxe.request(mac, number, arch, at.address, address=at.source, item=ours[0].item)
    answer = pxe.ask_boot_server(at.source, at.address, question, number)
    return answer.file if answer else ""


def fetch(at: Place, wanted: Iterable[Target], stopped: Sequence[str]) -> dict[Target, str]:
    """Ask for the head or the first block of each file on this server: empty when it comes, else what is wrong.

    A service that does not answer at all is not asked for more.
    """
    answers: dict[Target, str] = {}
    silent = {way for way, service in SERVICES.items() if service in stopped}
    for target in wanted:
        if target.host == at.hosts[target.way] and target.way not in silent:
            answers[target] = (_head if target.way == "http" else _first_block)(at, target.path)
            if answers[target].startswith(SILENCE):
                silent.add(target.way)
    return answers


def _head(at: Place, path: str) -> str:
    web = http.client.HTTPConnection(at.address, at.port, timeout=PATIENCE)
    with contextlib.closing(web):
        try:
            web.request("HEAD", "/" + path)
            answer = web.getresponse()
        except (OSError, http.client.HTTPException) as error:
            return f"{SILENCE} ({error})"
    return "" if answer.status == http.client.OK else f"nginx answers {answer.status} {answer.reason}"


def _first_block(at: Place, path: str) -> str:
    question = struct.pack("!H", _READ_REQUEST) + path.encode() + b"\0octet\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.settimeout(PATIENCE)
        try:
            mouth.bind((at.source, 0))
            mouth.sendto(question, (at.address, 69))
            answer, sender = mouth.recvfrom(2048)
            kind = struct.unpack("!H", answer[:2])[0]
            if kind == _DATA:  # one block is enough
                mouth.sendto(struct.pack("!HH", _ERROR, 0) + b"enough\0", sender)
        except (OSError, struct.error) as error:
            return f"{SILENCE} ({error})"
    if kind == _DATA:
        return ""
    return f"dnsmasq answers {answer[4:].rstrip(bytes(1)).decode('utf-8', 'replace')}"
