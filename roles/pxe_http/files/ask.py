# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a web server for something that is not there: ask.py HOST PORT ends with 1, and says why, unless it says so."""

from __future__ import annotations

import http.client
import sys

SECONDS = 5


def main(host: str, port: str) -> int:
    """Ask once, past any proxy."""
    try:
        link = http.client.HTTPConnection(host, int(port), timeout=SECONDS)
        link.request("GET", "/")
        status = link.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"{host}:{port}: {getattr(error, 'strerror', None) or error}\n")
        return 1
    if status != http.client.NOT_FOUND:
        sys.stdout.write(f"{host}:{port} answers with status {status}: it is another program\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
