# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Molecule scenarios' tests share: a device in the boot network of the server under test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
PREFIX = "netboot-lab-"  # of containers, see tests/lab


class Device:
    """Another computer in the server's boot network."""

    def __init__(self, name: str) -> None:
        """Keep the network's name, which is the server's."""
        self.name = name

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program there."""
        command = [sys.executable, "-m", "tests.lab", "lan", "exec", self.name, "--", *argv]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)

    def discover(self, *options: str) -> list[dict[str, Any]]:
        """Broadcast a DHCPDISCOVER and return all answers; see pxe_probe.py."""
        probe = str(PROJECT / "tests/pxe_probe.py")
        done = self.run(sys.executable, probe, *options)
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    def tftp(self, path: str) -> subprocess.CompletedProcess[str]:
        """Fetch a file by TFTP and print it."""
        return self.run("busybox", "tftp", "-g", "-r", path, "-l", "/dev/stdout", "192.168.1.50")

    def http(self, path: str, *options: str, port: int = 80) -> subprocess.CompletedProcess[str]:
        """Fetch a path by HTTP, the answer's head before its body."""
        return self.run("curl", "-sS", "-i", "--path-as-is", *options, f"http://192.168.1.50:{port}{path}")


@pytest.fixture(scope="module")
def device(host: Any) -> Device:
    """Return a device in the server's boot network, which has the server's name."""
    return Device(host.backend.name.removeprefix(PREFIX))
