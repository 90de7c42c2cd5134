# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick: whoever asks gets the one file by sendfile(2), and nothing else is done. Ends with its input.

Run on the boot server: `python3 plain_server.py PORT FILE`. It speaks just enough HTTP for the same clients.
"""

from __future__ import annotations

import os
import socket
import sys
import threading


def serve(connection: socket.socket, path: str) -> None:
    """Read the request, whatever it asks for, and send the file."""
    with connection, open(path, "rb") as file:
        request = b""
        while b"\r\n\r\n" not in request:
            some = connection.recv(4096)
            if not some:
                return
            request += some
        size = os.fstat(file.fileno()).st_size
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
        offset = 0
        while offset < size:
            offset += os.sendfile(connection.fileno(), file.fileno(), offset, size - offset)


def accept(listener: socket.socket, path: str) -> None:
    """A thread for each client."""
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=serve, args=(connection, path), daemon=True).start()


def main() -> None:
    port, path = int(sys.argv[1]), sys.argv[2]
    listener = socket.create_server(("", port), backlog=128)
    threading.Thread(target=accept, args=(listener, path), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()  # until the other side closes it or is gone


if __name__ == "__main__":
    main()
