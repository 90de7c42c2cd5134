# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad line: a relay on loopback, which cuts a connection after so many bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

PORT = 8766


class Line:
    """Passes connections to `port` on. The first is cut after cuts[0] bytes of the answer, and so on; later ones never.

    passed: how many bytes of answers went to the client, headers too, by connection.
    """

    def __init__(self, port: int, cuts: list[int]) -> None:
        self.port, self.cuts = port, cuts
        self.url = f"http://127.0.0.1:{PORT}"
        self.passed: list[int] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._door = socket.create_server(("127.0.0.1", PORT))
        self._start(self._wait)
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # ends accept()
        self._door.close()
        for thread in self._threads:
            thread.join(timeout=30)

    def _start(self, work: object, *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _wait(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._door.accept()
                self.passed.append(0)
                server = socket.create_connection(("127.0.0.1", self.port))
                self._start(self._ask, client, server)
                self._start(self._answer, client, server, len(self.passed) - 1)

    @staticmethod
    def _ask(client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := client.recv(1 << 16):
                server.sendall(block)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket, number: int) -> None:
        end = self.cuts[number] if number < len(self.cuts) else None
        with contextlib.suppress(OSError), client, server:
            while block := server.recv(1 << 16):
                if end is not None:
                    block = block[: end - self.passed[number]]
                client.sendall(block)
                self.passed[number] += len(block)
                if self.passed[number] == end:
                    break
            client.shutdown(socket.SHUT_RDWR)
