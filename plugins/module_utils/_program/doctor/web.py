# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Asks a web server for something that is not there. As a script: web.py ADDRESS:PORT… ends with 0 when each says so,
else with 1 and a line that says what came. This file is also run alone: it imports only the standard library.
"""

from __future__ import annotations

import http.client
import sys

SECONDS = 2


def main(*places: str) -> int:
    """Ask each."""
    return max(ask(*place.split(":")) for place in places)


def ask(address: str, port: str) -> int:
    """Ask once, past any proxy: 0 when it answers."""
    try:
        link = http.client.HTTPConnection(address, int(port), timeout=SECONDS)
        link.request("GET", "/")
        status = link.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"{address}:{port}: {getattr(error, 'strerror', None) or error}\n")
        return 1
    if status in (http.client.BAD_GATEWAY, http.client.GATEWAY_TIMEOUT):
        sys.stdout.write(f"{address}:{port} answers, but the server behind it does not (status {status})\n")
        return 1
    if status != http.client.NOT_FOUND:
        sys.stdout.write(f"{address}:{port} answers with status {status}: it is another program\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
