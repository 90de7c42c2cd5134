# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands are run as the installer runs them, by sh, against a server that listens here."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import guard, report

Got = list[tuple[str, str, bytes]]


@pytest.fixture
def server() -> Iterator[tuple[str, Got, list[int]]]:
    """Yield the address, what it was sent, and the answers that it gives before it says 201."""
    got: Got = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.command, self.path, body))
            self.send_response(answers.pop(0) if answers else 201)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}", got, answers
    http.shutdown()
    http.server_close()


@pytest.fixture(autouse=True)
def restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there when the machine was started anew. It must not be this computer."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/restarted\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path / "restarted"


def sh(command: str, **more: str) -> None:
    path = os.environ["PATH"]
    assert path.partition(":")[0].endswith("/bin")
    assert shutil.which("systemctl") != "/usr/bin/systemctl"
    subprocess.run(["sh", "-c", command.replace("time.sleep(5)", "")], check=True, env={"PATH": path, **more})


def test_installed_is_told_past_any_proxy(server: tuple[str, Got, list[int]]) -> None:
    address, got, _answers = server
    (command,) = report.late_commands(address, "nuc1")
    sh(command, http_proxy="http://127.0.0.1:1")
    assert got == [("PUT", "/reports/nuc1.@TOKEN@.installed", b"installed\n")]


def test_it_is_told_again_when_the_server_is_busy(server: tuple[str, Got, list[int]]) -> None:
    address, got, answers = server
    answers += [503]
    sh(report.late_commands(address, "nuc1")[0])
    assert len(got) == 2


def test_a_server_that_is_not_there_does_not_fail_the_installation() -> None:
    (command,) = report.late_commands("http://127.0.0.1:1", "nuc1")
    assert "(0, 1, 4, 10, 20, 40, 60)" in command
    sh(command.replace("(0, 1, 4, 10, 20, 40, 60)", "(0, 0)"))


def test_a_failure_is_told_with_its_reason_and_the_end_of_the_logs(
    server: tuple[str, Got, list[int]], tmp_path: Path, restarts: Path
) -> None:
    address, got, _answers = server
    (command,) = report.error_commands(address, "nuc1")
    (tmp_path / "reason").write_text("disk sda is too small\nmore\n")
    (tmp_path / "a.log").write_text("x" * 100_000 + "the end\n")
    (tmp_path / "b.log").write_text("short\n")
    assert guard.REASON in command
    command = command.replace(guard.REASON, str(tmp_path / "reason"))
    sh(command.replace("/var/log/installer/*.log", f"{tmp_path}/*.log"))
    ((dummy, path, body),) = got
    assert path == "/reports/nuc1.@TOKEN@.failed"
    assert body.startswith(b"disk sda is too small\n\n== ")
    assert b"the end\n\n== " in body
    assert body.endswith(b"b.log\nshort\n")
    assert len(body) < 65536  # pxe_http_report_size
    assert restarts.read_text() == "reboot\n"  # what was stopped on purpose goes on to its disk


def test_who_cannot_tell_the_server_is_not_started_anew(tmp_path: Path, restarts: Path) -> None:
    (tmp_path / "reason").write_text("x\n")
    command = report.error_commands("http://127.0.0.1:1", "nuc1")[0].replace(
        guard.REASON, str(tmp_path / "reason")
    )
    sh(command.replace("(0, 1, 4, 10, 20, 40, 60)", "(0, 0)"))
    assert not restarts.exists()


def test_a_failure_without_reason_or_logs_is_told_too(
    server: tuple[str, Got, list[int]], restarts: Path
) -> None:
    address, got, _answers = server
    sh(report.error_commands(address, "nuc1")[0].replace("/var/log/installer", "/nowhere"))
    assert got[0][2] == b"the installer failed\n"
    assert not restarts.exists()  # somebody may want to look at it
