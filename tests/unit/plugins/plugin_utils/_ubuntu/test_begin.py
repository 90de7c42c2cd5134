# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that begins an installation, run as the installer runs it, against a server that listens here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu.installer import (
    Live,
    command,
)

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


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path)


def begin(server: Server, live: Live, seconds: int = 20) -> int:
    live.carry(MACHINE, f"http://127.0.0.1:{server.http.server_port}", seconds)
    return live.run(command("early"), http_proxy="http://x").returncode


def test_it_goes_on_when_the_server_has_noted_it(server: Server, live: Live) -> None:
    server.noted = [404, 404, 200]
    assert begin(server, live) == 0
    assert server.asked == [
        "PUT /reports/nuc1.@TOKEN@.begun",
        *["GET /machines/nuc1/@TOKEN@/receipt"] * 3,
    ]
    assert live.why() == ""


def test_it_tries_again_when_the_server_is_busy(server: Server, live: Live) -> None:
    server.told = [503, 507, 204]
    assert begin(server, live) == 0
    assert len(server.asked) == 4


@pytest.mark.parametrize(("told", "noted"), [([507], [404]), ([500], [200]), ([201], [404]), ([201], [503])])
def test_it_stops_when_the_server_cannot_note_it(
    server: Server, live: Live, told: list[int], noted: list[int]
) -> None:
    server.told, server.noted = told, noted
    assert begin(server, live, seconds=2) == 1
    told_reason = live.why()
    assert told_reason.startswith(
        "not installed, nothing was written: the server did not note that the installation begins (HTTP Error "
    )


def test_a_server_that_is_not_there_stops_it(server: Server, live: Live) -> None:
    server.http.shutdown()
    server.http.server_close()
    assert begin(server, live, seconds=2) == 1
