# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clients at once, from the boot network: `python -m tests.bench.clients http|tftp …`; prints JSON.

The TFTP clients do what boot ROMs do: blocks of 1408 bytes (RFC 2348), each asked for when the one before has
come (RFC 1350), and after a second without an answer the last packet again. All clients share a process, so
that starting them is no part of the time; it runs from the first request to the last byte.
"""

from __future__ import annotations

import argparse
import http.client
import json
import selectors
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field

BLKSIZE = 1408
PATIENCE = 1.0  # s until a packet is sent again
TRIES = 6
HTTP_SECONDS = 60.0  # without a byte: the client gives up

RRQ, DATA, ACK, ERROR, OACK = 1, 3, 4, 5, 6


@dataclass
class Result:
    """seconds: from the first request to the last byte. failed: a reason for each file that did not come."""

    seconds: float
    sizes: list[int]
    failed: list[str]
    again: int = 0  # packets sent again

    def add(self, what: str, size: int, expected: int, error: str = "") -> None:
        """Count a file that has ended; it is good when it is of the expected size."""
        self.sizes.append(size)
        if error or size != expected:
            self.failed.append(f"{what}: {size} of {expected} bytes {error}".rstrip())


@dataclass
class Download:
    """One file by TFTP, as a machine of states: it is fed packets and says what to send."""

    name: str
    size: int = 0
    done: bool = False
    error: str = ""
    last: bytes = b""  # what was sent last
    block: int = 0  # the last block that has come, without wrapping
    blksize: int = 512  # until the server agrees to ours

    def request(self) -> bytes:
        """The read request with the option of RFC 2348."""
        fields = (self.name, "octet", "blksize", str(BLKSIZE))
        self.last = struct.pack("!H", RRQ) + b"".join(word.encode() + b"\0" for word in fields)
        return self.last

    def feed(self, packet: bytes) -> bytes:
        """Take a packet; what to send for it, maybe nothing."""
        kind, number = struct.unpack_from("!HH", packet)
        if kind == OACK:
            words = packet[2:].split(b"\0")
            options = dict(zip(words[::2], words[1::2]))
            self.blksize = int(options.get(b"blksize", b"512"))
            self.last = struct.pack("!HH", ACK, 0)
            return self.last
        if kind == ERROR:
            self.error = packet[4:].rstrip(b"\0").decode(errors="replace") or f"error {number}"
            return b""
        if kind != DATA or number != (self.block + 1) & 0xFFFF:
            return b""  # a block once more: answering it would double all that follow
        self.block += 1
        self.size += len(packet) - 4
        self.done = len(packet) - 4 < self.blksize
        self.last = struct.pack("!HH", ACK, number)
        return self.last


@dataclass
class TftpClient:
    """Fetches files one after the other."""

    server: tuple[str, int]
    todo: deque[str]
    download: Download = field(init=False)
    socket: socket.socket = field(init=False)
    heard: float = 0.0  # when something was last sent for the first time
    tries: int = 0
    connected: bool = False  # to the port that the server chose for this file

    def start(self) -> None:
        """Ask for the next file, from a new port, as RFC 1350 wants."""
        self.download = Download(self.todo.popleft())
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.connected = False
        self.socket.sendto(self.download.request(), self.server)
        self.heard, self.tries = time.monotonic(), 0

    def receive(self) -> bool:
        """Handle a packet; whether this file has ended."""
        if self.connected:
            packet = self.socket.recv(2048)
        else:
            packet, peer = self.socket.recvfrom(2048)
            self.socket.connect(peer)
            self.connected = True
        if answer := self.download.feed(packet):
            self.socket.send(answer)
            self.heard, self.tries = time.monotonic(), 0
        return self.download.done or bool(self.download.error)

    def again(self) -> bool:
        """Send the last packet once more; whether it was given up instead."""
        self.tries += 1
        if self.tries > TRIES:
            self.download.error = f"no answer, {TRIES} tries"
            return True
        self.heard = time.monotonic()
        if self.connected:
            self.socket.send(self.download.last)
        else:
            self.socket.sendto(self.download.last, self.server)
        return False


def tftp(address: str, expected: dict[str, int], count: int, times: int, port: int = 69) -> Result:
    """Let `count` clients at once fetch all the files, each `times` times."""
    result = Result(0, [], [])
    with selectors.DefaultSelector() as selector:

        def begin(client: TftpClient) -> None:
            client.start()
            selector.register(client.socket, selectors.EVENT_READ, client)

        def end(client: TftpClient) -> None:
            selector.unregister(client.socket)
            client.socket.close()
            mine = client.download
            result.add(mine.name, mine.size, expected[mine.name], mine.error)
            if client.todo and not mine.error:  # else those that it did not ask for are missing in the result
                begin(client)

        started = time.perf_counter()
        for _number in range(count):
            begin(TftpClient((address, port), deque(list(expected) * times)))
        checked = time.monotonic()
        while selector.get_map():
            for key, _events in selector.select(PATIENCE / 4):
                if key.data.receive():
                    end(key.data)
            if time.monotonic() - checked > PATIENCE / 4:
                checked = time.monotonic()
                silent = [
                    key.data for key in selector.get_map().values() if checked - key.data.heard > PATIENCE
                ]
                result.again += len(silent)
                for client in filter(TftpClient.again, silent):
                    end(client)
        result.seconds = time.perf_counter() - started
    return result


def http_get(address: str, port: int, path: str, expected: int, count: int) -> Result:
    """Let `count` clients at once fetch the file; they are connected before the time starts."""
    result = Result(0, [], [])
    together = threading.Barrier(count + 1)

    def fetch() -> None:
        connection = http.client.HTTPConnection(address, port, timeout=HTTP_SECONDS)
        buffer, size, error = bytearray(1 << 18), 0, ""
        try:
            connection.connect()
        except OSError as problem:
            error = str(problem)
        together.wait()
        try:
            if not error:
                connection.request("GET", path)
                response = connection.getresponse()
                error = "" if response.status == 200 else f"status {response.status}"
                while some := response.readinto(buffer):
                    size += some
        except (OSError, http.client.HTTPException) as problem:
            error = repr(problem)
        connection.close()
        result.add(path, size, expected, error)

    threads = [threading.Thread(target=fetch) for _number in range(count)]
    for thread in threads:
        thread.start()
    together.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - started
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.clients", description=__doc__)
    parser.add_argument("protocol", choices=("http", "tftp"))
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("files", nargs="+", help="PATH=SIZE")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--times", type=int, default=1, help="TFTP: each client fetches the files so often")
    asked = parser.parse_args()
    sizes = {path: int(size) for path, size in (item.rsplit("=", 1) for item in asked.files)}
    if asked.protocol == "tftp":
        result = tftp(asked.address, sizes, asked.clients, asked.times, asked.port)
    else:
        path, size = sizes.popitem()
        result = http_get(asked.address, asked.port, path, size, asked.clients)
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
