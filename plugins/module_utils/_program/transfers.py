# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How much the web server has sent to whom on transfers that go on: its log tells of them only when they are over.

The kernel counts what a peer has acknowledged of each connection (ss(8), `bytes_acked`), headers included.
"""

from __future__ import annotations

import re
import subprocess

from .doctor import looking

#: Milliseconds since the server sent something, from which on a connection is idle: of a loader that is gone, say.
IDLE = 3000
_PEER = re.compile(r"^\d+\s+\d+\s+\S+:\d+\s+\[?(?:::ffff:)?([0-9.]+)\]?:\d+\s*$")
_ACKED, _IDLE = re.compile(r"\bbytes_acked:(\d+)"), re.compile(r"\blastsnd:(\d+)")


def read(text: str) -> dict[str, int]:
    """Bytes by the address that they went to, of the busy connection with most of them, from ss -H -t -i -n."""
    found: dict[str, int] = {}
    peer = None
    for line in text.splitlines():
        head = _PEER.match(line)
        if head:
            peer = head[1]
            continue
        acked, idle = _ACKED.search(line), _IDLE.search(line)  # ss leaves out what is 0
        if peer and acked and int(idle[1] if idle else 0) < IDLE:
            found[peer] = max(found.get(peer, 0), int(acked[1]))
    return found


def going() -> dict[str, int]:
    """The same, of our web server now; nothing where that cannot be asked."""
    found: dict[str, int] = {}
    for at in looking.places()[0]:
        found.update(ask(at.address, at.port))
    return found


def ask(address: str, port: int) -> dict[str, int]:
    """The same, of connections to this address and port of the server."""
    argv = ["ss", "-H", "-t", "-i", "-n", "state", "established", f"sport = :{port}", "and", f"src {address}"]
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return read(done.stdout.decode("utf-8", "replace"))
