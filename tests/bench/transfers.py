# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx and dnsmasq deliver, as the roles configure them, to clients in the server's boot network.

That network has no delay (not every kernel can add one) and no limit but the processors: the clients share them
with the server, and on a virtual machine a program that waits is woken the sooner the busier they are. So lock-step
TFTP varies more than all else, 15 to 80 microseconds a block on one host: measure when nothing else runs.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import SIZES, Row, boot_server
from tests.bench.clients import BLKSIZE, Result
from tests.lab.common import LabError, run
from tests.lab.server import Server

CLIENTS = 50
BIG = ("images/bench/bench.iso", 50_000_000)  # to each client; the ISO of 1.3 GB would only take longer
PLAIN = Path(__file__).with_name("plain_server.py")
PLAIN_PORT = 8081
LOADERS = ("lpxelinux.0", "ldlinux.c32")
PAIRS_BOTH, PAIRS_HTTP, PAIRS_TFTP = 5, 7, 15


def fetch(
    box: Server, protocol: str, port: int, files: dict[str, int], *, clients: int = 1, times: int = 1
) -> Result:
    """Run clients in the boot network; LabError when one of them fails."""
    output = run(
        *("ip", "netns", "exec", boot_server.namespace(box), sys.executable, "-m", "tests.bench.clients"),
        *(protocol, str(box.lan_address), str(port), *(f"{path}={size}" for path, size in files.items())),
        *("--clients", str(clients), "--times", str(times)),
    )
    result = Result(**json.loads(output))
    check(result, len(files) * clients * times)
    return result


def check(result: Result, files: int) -> None:
    """LabError unless as many files have come, all whole."""
    if result.failed or len(result.sizes) != files:
        some = "; ".join(result.failed[:3]) or "nothing of the others"
        raise LabError(f"{len(result.sizes) - len(result.failed)} of {files} files came: {some}")


def speed(result: Result) -> float:
    """MB/s (10^6 bytes) of all clients together."""
    return sum(result.sizes) / result.seconds / 1e6


def pairs(
    count: int, ours: Callable[[], float], other: Callable[[], float], unit: str
) -> list[tuple[float, float]]:
    """Measure both in turn, who is first changing, once more than is counted: the first fills the caches."""
    found = []
    for number in range(count + 1):
        if number % 2:
            mine, its = ours(), other()
        else:
            its, mine = other(), ours()
        print(f"  run {number} of {count}: {mine:.4g} / {its:.4g} {unit}", flush=True)
        found.append((mine, its))
    return found[1:]


def median_row(name: str, found: list[tuple[float, float]], unit: str, means: str, **limits: float) -> Row:
    """The pair whose ratio is the median: its two sides were measured side by side, under the same load."""
    ours, other = statistics.median_low((mine / its, mine, its) for mine, its in found)[1:]
    return Row(name, float(f"{ours:.4g}"), float(f"{other:.4g}"), unit, means, **limits)


def http_vs_tftp() -> Row:
    """Kernel and initrd of real size, one client, one file after the other."""
    box = boot_server.get()
    for name, size in SIZES.items():
        boot_server.ensure_file(box, f"images/bench/{name}", size)
    files = {f"images/bench/{name}": size for name, size in SIZES.items()}

    def http() -> float:
        return sum(fetch(box, "http", 80, {f"/{path}": size}).seconds for path, size in files.items())

    def tftp() -> float:
        return fetch(box, "tftp", 69, files).seconds

    found = pairs(PAIRS_BOTH, tftp, http, "s")
    blocks = sum(size // BLKSIZE + 1 for size in files.values())
    gigabit = sum(files.values()) * 8 / 1e9
    means = (
        f"kernel and initrd, one client: TFTP / HTTP, median pair of {PAIRS_BOTH}; "
        f"TFTP's time is a lower bound: there is no delay here, and its {blocks:,} blocks cost a round trip each, "
        f"{blocks / 1000:.0f} s more per ms (by HTTP a gigabit line takes {gigabit:.1f} s)"
    )
    return median_row("http_vs_tftp", found, "s", means, at_least=20)


def clients_50_http() -> Row:
    box = boot_server.get()
    path, size = BIG
    boot_server.ensure_file(box, path, size)

    def through(port: int) -> float:
        return speed(fetch(box, "http", port, {f"/{path}": size}, clients=CLIENTS))

    with boot_server.running(box, PLAIN, str(PLAIN_PORT), f"{boot_server.HTTP_ROOT}/{path}"):
        found = pairs(PAIRS_HTTP, lambda: through(80), lambda: through(PLAIN_PORT), "MB/s")
    means = (
        f"{CLIENTS} clients at once, {size / 1e6:.0f} MB each, none failing: nginx / a bare sendfile server beside it; "
        f"median pair of {PAIRS_HTTP}"
    )
    return median_row("clients_50_http", found, "MB/s", means, at_least=0.8)


def clients_50_tftp() -> Row:
    """TFTP waits for an answer to each block, so sendfile is no yardstick: one client after the other is."""
    box = boot_server.get()
    files = {name: boot_server.size_of(box, f"{boot_server.TFTP_ROOT}/{name}") for name in LOADERS}
    sent_again = 0

    def at_once() -> float:
        nonlocal sent_again
        result = fetch(box, "tftp", 69, files, clients=CLIENTS)
        sent_again += result.again
        return speed(result)

    def in_a_row() -> float:
        return speed(fetch(box, "tftp", 69, files, times=CLIENTS))

    found = pairs(PAIRS_TFTP, at_once, in_a_row, "MB/s")
    means = (
        f"{' and '.join(LOADERS)} from dnsmasq, none failing, {sent_again} packets sent again: {CLIENTS} clients "
        f"at once / one client {CLIENTS} times; median pair of {PAIRS_TFTP} "
        "(more at once is no slower)"
    )
    return median_row("clients_50_tftp", found, "MB/s", means, at_least=0.8)
