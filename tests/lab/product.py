# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product tells its owner: `netboot watch` while a machine is at work, `netboot why` after it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from types import TracebackType

from . import server as servers
from .common import run
from .server import Server


class Watch:
    """`netboot watch` on a server, its lines as they come, as a log has them: without colours and cursor."""

    def __init__(self, server: Server, machine: str) -> None:
        command = servers.ssh(server, "netboot", "watch", machine)
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        self.out = self.process.stdout.fileno()
        os.set_blocking(self.out, False)
        self.rest = b""

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()

    def lines(self) -> Iterator[str]:
        """The whole lines that have come since the last call."""
        try:
            data = os.read(self.out, 1 << 20)
        except BlockingIOError:
            return
        *whole, self.rest = (self.rest + data).split(b"\n")
        for one in whole:
            yield one.decode("utf-8", "replace").rstrip()


def why(server: Server, machine: str) -> list[str]:
    """The lines of `netboot why`; machine: its name, or the MAC address of a stranger."""
    return run(*servers.ssh(server, "netboot", "why", machine)).splitlines()
