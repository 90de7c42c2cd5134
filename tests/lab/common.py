# SPDX-License-Identifier: GPL-3.0-or-later
"""What every acting part of the lab needs: its folders, running programs, telling the user."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab"
BUILD = ROOT / "build" / "lab"
CACHE = Path.home() / ".cache" / "homelab-netboot"
PREFIX = "netboot-lab-"
"""Containers and network namespaces of the lab are called so; whatever is not is never touched."""


class LabError(Exception):
    """Something that the user can understand went wrong; the text says what and, where known, what helps."""


def say(text: str) -> None:
    """Tell the user what is going on (standard error: standard output is for results)."""
    print(text, file=sys.stderr, flush=True)


def run(*argv: str | Path, stdin: str | None = None, check: bool = True, timeout: float | None = 300) -> str:
    """Run a program and return its standard output; LabError, with its last lines, when it fails."""
    command = [str(word) for word in argv]
    environment = {**os.environ, "CONTAINERS_CONF": str(LAB / "containers.conf"), "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command,
            input=stdin or "",  # never the one we share with Ansible, which ssh would make non-blocking
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=environment,
        )
    except FileNotFoundError as error:
        raise LabError(f"{command[0]}: program not found; `python -m tests.lab setup` installs it") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)}: no result after {timeout:g} s") from error
    if check and done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise LabError(f"{' '.join(command)}: exit code {done.returncode}\n{said}")
    return done.stdout


def succeeds(*argv: str | Path) -> bool:
    """Whether a program ends with exit code 0."""
    try:
        run(*argv)
    except LabError:
        return False
    return True


def digest(*parts: str | bytes) -> str:
    """Twelve hex digits that change with any of the parts: the name of a cached build."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:12]


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time makes the thing of this name; the others wait and then find it made."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """LabError when another process on this host is doing the same: both would use the same names."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"alone-{name}").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"another {name} runs on this host; try again when it has ended") from error
        yield


def need_root() -> None:
    """LabError unless we are root: network namespaces and containers with systemd need it."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and system containers: run it as root (sudo make …)")
