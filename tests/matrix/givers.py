# SPDX-License-Identifier: GPL-3.0-or-later
"""What `netboot doctor` says where its server gives the addresses: alone, and beside another DHCP server."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab import lan, server
from tests.lab.common import LabError, run
from tests.lab.server import Server

CARD = "lan2"
"""The server's interface in that network."""


def faults(box: Server, network: lan.Lan) -> list[str]:
    """Return what it says otherwise than it must."""
    own = network.address(50)
    good = f"on {CARD}: addresses come from {own}, which is this server"
    said = _said(box)
    found = [f"doctor on {box.name}: {one['what']}" for one in _findings(said)]
    if not any(one["good"] == good for one in said):
        found.append(f"doctor on {box.name} did not say: {good}")
    with _another(network):
        named = [one["where"] for one in _findings(_said(box))]
    return found + ([] if named == [network.address(1)] else [f"of another DHCP server doctor named {named}"])


def _said(box: Server) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(run(*server.ssh(box, "netboot", "doctor", "--json"), check=False))
    return said


def _findings(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong in that network."""
    return [one for result in said for one in result["findings"] if one["what"].startswith(f"on {CARD}: ")]


@contextmanager
def _another(network: lan.Lan) -> Iterator[None]:
    """A second DHCP server in the network, such as a router that somebody has connected."""
    argv = [
        "ip",
        "netns",
        "exec",
        network.namespace,
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
    ]
    argv += ["--user=root", "--port=0", f"--interface={lan.BRIDGE}", "--bind-interfaces", "--pid-file"]
    argv += [f"--dhcp-range={network.address(200)},{network.address(220)},1h", "--no-ping", "--leasefile-ro"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while ":67 " not in run("ip", "netns", "exec", network.namespace, "ss", "-Hlun"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"no second DHCP server could be started in {network.name}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)
