# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that begins an installation, run as the installer runs it, against a server that listens here."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import guard

MACHINE = {"name": "nuc1", "expect": {}, "protect_label": ""}


class Server:
    """told: the answers to reports; noted: those to requests for the receipt; the last of each is repeated."""

    def __init__(self) -> None:
        self.told, self.noted = [201], [200]
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(server.told)

            def do_GET(self) -> None:
                self._answer(server.noted)

            def _answer(self, answers: list[int]) -> None:
                server.asked.append(f"{self.command} {self.path}")
                self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def begin(server: Server, reason: Path, seconds: int = 20) -> int:
    command, _guard = guard.early_commands(MACHINE, {}, f"http://127.0.0.1:{server.http.server_port}")
    command = command.replace(guard.REASON, str(reason)).replace(f" {guard.PATIENCE}", f" {seconds}")
    done = subprocess.run(
        ["sh", "-c", command], check=False, env={"PATH": "/usr/bin:/bin", "http_proxy": "http://x"}
    )
    return done.returncode


def test_it_goes_on_when_the_server_has_noted_it(server: Server, tmp_path: Path) -> None:
    server.noted = [404, 404, 200]
    assert begin(server, tmp_path / "reason") == 0
    assert server.asked == [
        "PUT /reports/nuc1.@TOKEN@.begun",
        *["GET /machines/nuc1/@TOKEN@/receipt"] * 3,
    ]
    assert not (tmp_path / "reason").exists()


def test_it_tries_again_when_the_server_is_busy(server: Server, tmp_path: Path) -> None:
    server.told = [503, 507, 204]
    assert begin(server, tmp_path / "reason") == 0
    assert len(server.asked) == 4


@pytest.mark.parametrize(("told", "noted"), [([507], [404]), ([500], [200]), ([201], [404]), ([201], [503])])
def test_it_stops_when_the_server_cannot_note_it(
    server: Server, tmp_path: Path, told: list[int], noted: list[int]
) -> None:
    server.told, server.noted = told, noted
    assert begin(server, tmp_path / "reason", seconds=2) == 1
    told_reason = (tmp_path / "reason").read_text()
    assert told_reason.startswith(
        "not installed, nothing was written: the server did not note that the installation begins (HTTP Error "
    )


def test_a_server_that_is_not_there_stops_it(server: Server, tmp_path: Path) -> None:
    server.http.shutdown()
    server.http.server_close()
    assert begin(server, tmp_path / "reason", seconds=2) == 1
