# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that all do the same at once, and a device that sends nonsense. Runs in the boot network, prints JSON.

clients.py life ADDRESS DEVICE FILE [PAUSE]   each name in FILE (JSON, name: token) fetches user-data and reports
clients.py noise ADDRESS COUNT                random requests at the one place that takes any
"""

from __future__ import annotations

import collections
import http.client
import ipaddress
import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def life(server: str, source: str, name: str, token: str) -> list[int]:
    """Fetch the seed and report, as an installer does: again when the server is busy."""
    statuses = []
    for method, path in (
        ("GET", f"/machines/{name}/{token}/user-data"),
        ("PUT", f"/reports/{name}.{token}.installed"),
    ):
        for pause in (0.0, 1.0, 2.0, 4.0):
            time.sleep(pause)
            link = http.client.HTTPConnection(server, source_address=(source, 0), timeout=20)
            try:
                link.request(method, path, b"installed\n" if method == "PUT" else None)
                status = link.getresponse().status
            except OSError:
                status = 0
            finally:
                link.close()
            statuses.append(status)
            if status in (200, 201, 204):
                break
    return statuses


def lives(server: str, device: str, tokens: dict[str, str], pause: float) -> collections.Counter[int]:
    """All at once (or one after the other, with a pause), each from an address of its own."""
    net = ipaddress.ip_network(f"{server}/24", strict=False)
    sources = [str(net[number]) for number in range(51, 251)][: len(tokens)]
    for source in sources:
        subprocess.run(
            ["ip", "address", "add", f"{source}/24", "dev", device], check=False, capture_output=True
        )
    count: collections.Counter[int] = collections.Counter()
    with ThreadPoolExecutor(1 if pause else len(tokens)) as pool:
        jobs = []
        for (name, token), source in zip(tokens.items(), sources):
            jobs.append(pool.submit(life, server, source, name, token))
            time.sleep(pause)
        for job in jobs:
            count.update(job.result())
    for source in sources:
        subprocess.run(
            ["ip", "address", "del", f"{source}/24", "dev", device], check=False, capture_output=True
        )
    return count


def noise(server: str, count: int) -> collections.Counter[int]:
    """Random methods, paths and bodies."""
    dice = random.Random(5)  # noqa: S311 - the same nonsense every time
    letters = "abz019.-_%/\\~\x7fABC:;?#&'\"<>{}$()é\u202e"
    found: collections.Counter[int] = collections.Counter()
    for number in range(count):
        name = "".join(dice.choice(letters) for dummy in range(dice.randrange(60)))
        token = "".join(
            dice.choice("0123456789abcdef") for dummy in range(dice.choice((0, 31, 32, 32, 32, 33)))
        )
        word = dice.choice(("installed", "failed", "up", "installed/", "armed", ""))
        shape = dice.choice(
            (f"{name}.{token}.{word}", f"m00{number % 10}.{token}.{word}", name, f"../{name}")
        )
        method = dice.choice(
            ("PUT", "PUT", "PUT", "GET", "POST", "DELETE", "MKCOL", "MOVE", "PROPFIND", "X" * 20)
        )
        body = bytes(dice.randrange(256) for dummy in range(dice.choice((0, 1, 100, 5000))))
        if number % 50 == 0:
            body = b"x" * 200_000
        path = "/reports/" + shape
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        extra = dice.choice(
            ("", "Destination: /etc/passwd\r\n", "Content-Range: bytes 0-1/2\r\n", "Expect: 100-continue\r\n")
        )
        found[raw(server, (head + extra + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)] += 1
    return found


def raw(server: str, request: bytes) -> int:
    """Send bytes as they are; the answer's status, 0 for none."""
    link = http.client.HTTPConnection(server, timeout=10)
    try:
        link.connect()
        link.sock.sendall(request)
        answer = http.client.HTTPResponse(link.sock)
        answer.begin()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        link.close()


def main() -> None:
    """See the top of this file."""
    if sys.argv[1] == "noise":
        print(json.dumps(noise(sys.argv[2], int(sys.argv[3]))))
        return
    with open(sys.argv[4], encoding="utf-8") as file:
        tokens = json.load(file)
    print(
        json.dumps(lives(sys.argv[2], sys.argv[3], tokens, float(sys.argv[5]) if len(sys.argv) > 5 else 0.0))
    )


if __name__ == "__main__":
    main()
