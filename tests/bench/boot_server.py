# SPDX-License-Identifier: GPL-3.0-or-later
"""A boot server for the measures: a container in a boot network of its own, set up by site.yml.

The first measure that needs it brings it up (about 45 s); `remove` takes it and its network away.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import Skipped
from tests.lab import iso, lan, playbook, server
from tests.lab.common import BUILD, LabError, alone, run
from tests.lab.playbook import Task
from tests.lab.server import Server
from tests.matrix.fleet import INVENTORIES

NAME = "bench"
IMAGE = "focal"
SUITE = "trixie"
HTTP_ROOT = "/srv/netboot/http"
TFTP_ROOT = "/srv/netboot/tftp"

_started = contextlib.ExitStack()


@functools.cache
def get() -> Server:
    """The server, made when it is asked for first. Skipped without root; LabError when it cannot be made."""
    if os.geteuid() != 0:
        raise Skipped("it needs root: the lab makes a network namespace and a container")
    iso.ensure()
    _started.enter_context(alone(NAME))
    _started.callback(lan.down, NAME)
    _started.callback(server.down, NAME)
    print(f"  starting a server of {SUITE} (removed at the end)", flush=True)
    box = server.up(NAME, SUITE, NAME)
    print("  site.yml", flush=True)
    seconds = play(box, "site.yml", INVENTORIES / "named", BUILD / NAME / "site.log", lambda _task: None)
    print(f"  site.yml done in {seconds:.0f} s", flush=True)
    return box


def play(
    box: Server, book: str, machines: Path, log: Path, tell: Callable[[Task | str], None], *options: str
) -> float:
    """Run a playbook for the server and an inventory of machines; seconds. tell: see playbook.run_site."""
    inventories = [machines, playbook.write_inventory(BUILD / NAME / "site.json", {NAME: box})]
    image = {"src": str(iso.ensure()), "checksum": _checksum(iso.ensure())}
    argv = playbook.command(inventories, {"netboot_images": {IMAGE: image}, "netboot_image": IMAGE}, book)
    return playbook.run_site([*argv, *options], log, tell)


@functools.cache
def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def remove() -> None:
    """Remove server and network, if there are any."""
    _started.close()
    get.cache_clear()


def namespace(box: Server) -> str:
    """Where a client of its boot network runs."""
    return lan.find(box.lan or "").namespace


def ensure_file(box: Server, path: str, size: int) -> None:
    """Have a file of noise of this size below HTTP_ROOT."""
    whole = f"{HTTP_ROOT}/{path}"
    make = f"mkdir -p {Path(whole).parent} && head -c {size} /dev/urandom >{whole}"
    run(*server.ssh(box, f'[ "$(stat -c %s {whole} 2>&1)" = {size} ] || {{ {make}; }}'))


def size_of(box: Server, path: str) -> int:
    """The size of a file of the server; LabError when it is not there."""
    return int(run(*server.ssh(box, "stat", "-Lc", "%s", path)))


@contextlib.contextmanager
def running(box: Server, program: Path, *arguments: str) -> Iterator[None]:
    """Have a Python program of ours running on the server: it says that it is ready, and ends with its input."""
    place = f"/run/{program.name}"
    run(*server.ssh(box, f"cat >{place}"), stdin=program.read_text(encoding="utf-8"))
    command = server.ssh(box, "python3", place, *arguments)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process has pipes")
        try:
            if process.stdout.readline() != "ready\n":
                raise LabError(f"{program.name} did not start on {box.name}")
            yield
        finally:
            process.stdin.close()
