# SPDX-License-Identifier: GPL-3.0-or-later
"""What caches cost and give: images by way of two of them, and packages by the cache of packages.

All on loopback, in a network of its own: the roles' configurations in real nginx, no line but the processors, which
clients share with servers. `python -m tests.bench.caches images|packages` is the part that runs there; prints JSON.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import BUILD, COLLECTIONS, Row, Skipped
from tests.lab.apart import APART
from tests.lab.common import LabError, run
from tests.mirror import web
from tests.mirror.web import Web

#: Some Ubuntu ISOs are ten times as large, and would only take longer.
SIZE = 200_000_000
DOWNLOADS, AT_ONCE = 1000, 50
#: Bytes a second from each cache: 10 Gbit/s, more than most lines carry. Without any limit a download takes hardly
#: longer than nginx makes those wait who want a part that is on its way (0.5 s): that alone would be measured.
LINE = 1_250_000_000
PAIRS, OF_A_PAIR = 5, 100
PACKAGES = {"few": 100_000, "large": 9_000_000, "more": 100_000, "some": 2_000_000}
INSTALLATIONS = 10


@functools.cache
def apart(what: str) -> dict[str, Any]:
    """What this file prints when it runs as a program in a network of its own."""
    if os.geteuid() != 0:
        raise Skipped("it needs root: it makes a network namespace")
    web.program()
    BUILD.mkdir(exist_ok=True)
    argv = [*APART, sys.executable, "-m", "tests.bench.caches", what]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    )
    try:
        said = process.communicate()[0]
    finally:
        process.terminate()
        process.wait()
    if process.returncode:
        raise LabError(f"tests.bench.caches {what} ended with exit code {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    return found


def caches_1000() -> list[Row]:
    """Three measures of one run: what the owner sends, how even it is, how fast."""
    found = apart("images")
    how = (
        f"{DOWNLOADS:,} downloads of {SIZE / 1e6:.0f} MB, {AT_ONCE} at once, by way of two caches, empty at first, "
        f"each with a line of {LINE * 8 / 1e9:.0f} Gbit/s"
    )
    ours, plain = found["pair"]
    return [
        Row(
            "caches_owner_sends",
            round(found["sent"] / 1e6, 1),
            2 * SIZE / 1e6,
            "MB",
            f"{how}: what the owner sent / the image for each cache",
            at_most=1.1,
        ),
        Row(
            "caches_p99_p50",
            round(found["p99"], 3),
            round(found["p50"], 3),
            "s",
            f"{how}: seconds of a download, the slowest of a hundred / the middle one",
            at_most=2,
        ),
        Row(
            "caches_vs_nginx",
            round(ours),
            round(plain),
            "MB/s",
            f"{OF_A_PAIR} downloads of what a cache has, {AT_ONCE} at once / of the same file by the owner's nginx; "
            f"median pair of {PAIRS}",
            at_least=0.8,
        ),
    ]


def apt_cache_10() -> Row:
    """Each package is fetched of the mirror once."""
    found = apart("packages")
    return Row(
        "apt_cache_10",
        found["sent"] / 1e6,
        sum(found["sizes"]) / 1e6,
        "MB",
        f"{INSTALLATIONS} installations at once fetch the same {len(PACKAGES)} packages: what the mirror sent of "
        "them / their size",
        at_most=1,
    )


def images(top: Path) -> dict[str, Any]:
    """In the network of its own: an owner and two caches."""
    from tests.caches.place import CACHES, OWNER, VERSION, Cache, Owner  # noqa: PLC0415 - they need the collection's path

    for address in (OWNER, *CACHES):
        run("ip", "address", "add", f"{address}/24", "dev", "lo")
    path = f"/images/noble/{VERSION}/noble.iso"
    with Owner(top / "owner") as owner:
        owner.add(VERSION, {"noble.iso": random.Random(1).randbytes(SIZE)})  # noqa: S311 - noise
        with Cache(top / "first") as first, Cache(top / "second", CACHES[1]) as second:
            cold = downloads(path, DOWNLOADS, first.address, second.address, line=LINE)
            sent = owner.sent("noble.iso")
            each = sorted(cold["each"])
            pairs = []
            for number in range(PAIRS):
                order = [first.address, OWNER] if number % 2 else [OWNER, first.address]
                speed = {
                    one: OF_A_PAIR * SIZE / downloads(path, OF_A_PAIR, one)["seconds"] / 1e6 for one in order
                }
                pairs.append((speed[first.address] / speed[OWNER], speed[first.address], speed[OWNER]))
                say(f"  pair {number + 1} of {PAIRS}: {pairs[-1][1]:.0f} / {pairs[-1][2]:.0f} MB/s")
    p50, p99 = (each[int(len(each) * part) - 1] for part in (0.5, 0.99))
    say(f"  {DOWNLOADS} in {cold['seconds']:.0f} s: {p50:.2f} s, {p99:.2f} s, {each[-1]:.2f} s at most")
    return {"sent": sent, "p50": p50, "p99": p99, "pair": statistics.median_low(pairs)[1:]}


def downloads(path: str, count: int, *addresses: str, line: int = 0) -> dict[str, Any]:
    """Run clients in a process of their own; LabError when a download fails."""
    argv = [
        sys.executable,
        "-m",
        "tests.bench.downloads",
        path,
        str(SIZE),
        str(count),
        str(AT_ONCE),
        str(line),
        *addresses,
    ]
    found: dict[str, Any] = json.loads(run(*argv, timeout=1800))
    if found["failed"] or len(found["each"]) != count:
        raise LabError(
            f"{len(found['failed'])} of {count} downloads failed: {'; '.join(found['failed'][:3])}"
        )
    return found


def packages(top: Path) -> dict[str, Any]:
    """In the network of its own: a mirror, a server with the cache of packages, and apt of ten machines."""
    from tests.packages.archive import Archive  # noqa: PLC0415 - they need the collection's path
    from tests.packages.place import SERVER, Cache, Machine, Names, all_at_once  # noqa: PLC0415
    from tests.unit.pgp import Key  # noqa: PLC0415

    run("ip", "address", "add", f"{SERVER}/24", "dev", "lo")
    with Key("Lab Archive Key") as key:
        archive = Archive(top / "mirror", key)
        sizes = [archive.add(name, size=size).stat().st_size for name, size in PACKAGES.items()]
        archive.publish()
        ring = top / "key.gpg"
        ring.write_bytes(key.public(armor=False))
        with Web(top / "web", archive.root, port=80) as mirror, Names(), Cache(top / "server"):
            ended = all_at_once([Machine(top, f"m{one}", ring) for one in range(INSTALLATIONS)], *PACKAGES)
            asked = [line.split() for line in mirror.asked()]
    if any(code for code, _said in ended):
        raise LabError(next(said for code, said in ended if code))
    return {"sizes": sizes, "sent": sum(int(words[3]) for words in asked if words[1].endswith(".deb"))}


def say(text: str) -> None:
    """Tell how far it is; standard output is for the result."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """See the top of this file."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # so that nginx ends, too
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="caches-") as top:
        print(json.dumps({"images": images, "packages": packages}[sys.argv[1]](Path(top))))


if __name__ == "__main__":
    main()
