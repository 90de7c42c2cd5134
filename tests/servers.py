# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Molecule scenarios' tests share: a device in the boot network of the server under test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
PREFIX = "netboot-lab-"  # of containers, see tests/lab


def pytest_configure(config: pytest.Config) -> None:
    """Tell testinfra the scenario's servers, which its inventory names."""
    servers = yaml.safe_load((_inventory() / "servers.yml").read_text())
    name = PREFIX + os.environ["MOLECULE_SCENARIO_NAME"]
    suites = servers["netboot_servers"]["hosts"]
    config.option.hosts = ",".join(f"podman://{name}-{suite}" for suite in suites)
    config.addinivalue_line("markers", "on(suite): needs one server only, as no Debian does it differently")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked for another server."""
    others = [
        item
        for item in items
        if (mark := item.get_closest_marker("on")) and f"-{mark.args[0]}" not in item.name
    ]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def ansible_playbook(host: Any, playbook: Path | str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook on this server only, as the scenario's own are run."""
    argv = ["ansible-playbook", str(playbook), f"--limit={host.backend.name.rpartition('-')[2]}", *options]
    argv += [f"--inventory={path}" for path in (PROJECT / "molecule/shared/inventory", _inventory())]
    return subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False)


def restart(host: Any) -> None:
    """Let the server shut down and start again."""
    argv = [sys.executable, "-m", "tests.lab", "server", "restart", host.backend.name.removeprefix(PREFIX)]
    subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=180)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return all that a playbook said in one line, however it was wrapped and coloured, and wherever it went."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr).split())


@contextmanager
def broken(host: Any, unit: str, words: str) -> Iterator[None]:
    """Let a service start, say some words, and end again, for ever."""
    folder = f"/etc/systemd/system/{unit}.service.d"
    lines = f"[Service]\\nExecStart=\\nExecStart=/bin/sh -c 'echo {words}; exit 1'\\n"
    host.run_expect([0], f'mkdir {folder}; printf "{lines}" >{folder}/broken.conf')
    host.run_expect([0], "systemctl daemon-reload")
    host.run_expect([0, 1], f"systemctl restart {unit}")  # 1: it has ended again before it counted as started
    try:
        yield
    finally:
        host.run_expect([0], f"rm -r {folder}; systemctl daemon-reload; systemctl restart {unit}")


def _inventory() -> Path:
    return Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"], "inventory")


class Device:
    """Another computer in the server's boot network."""

    def __init__(self, name: str) -> None:
        """Keep the network's name, which is the server's."""
        self.name = name

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program there."""
        command = [sys.executable, "-m", "tests.lab", "lan", "exec", self.name, "--", *argv]
        return subprocess.run(
            command,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            errors="replace",  # a loader is no text
            timeout=60,
            check=False,
        )

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


class Service:
    """A service of the server under test, as systemd confines it."""

    def __init__(self, host: Any, name: str) -> None:
        """Keep where it runs and its name."""
        self.host = host
        self.name = name

    @property
    def pid(self) -> str:
        """The main process."""
        return str(self.host.service(self.name).systemd_properties["MainPID"])

    def exposure(self) -> float:
        """Return what systemd-analyze(1) makes of it: 0 (shut) to 10 (open)."""
        text = self.host.check_output(f"systemd-analyze security --no-pager {self.name}")
        return float(re.search(r"exposure level for \S+: ([0-9.]+)", text).group(1))  # type: ignore[union-attr]

    def inside(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command that sees the files that the service sees, as root with every capability."""
        # The server's own root lacks CAP_SYS_PTRACE, and so may not look into another user's process.
        enter = ["podman", "exec", "--privileged", self.host.backend.name]
        command = f"nsenter --mount --target {self.pid} {command}"
        return subprocess.run(
            [*enter, "sh", "-c", command], capture_output=True, text=True, timeout=60, check=False
        )

    def status(self, pid: str = "") -> dict[str, str]:
        """Return /proc/PID/status, see proc(5)."""
        lines = self.host.file(f"/proc/{pid or self.pid}/status").content_string.splitlines()
        return {key: value.strip() for key, dummy, value in (line.partition(":") for line in lines)}


@pytest.fixture(scope="module")
def device(host: Any) -> Device:
    """Return a device in the server's boot network, which has the server's name."""
    return Device(host.backend.name.removeprefix(PREFIX))
