# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands are run as the installer runs them, by sh, against a server that listens here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu.installer import (
    Live,
    command,
)

Got = list[tuple[str, str, bytes]]
MACHINE = {"name": "nuc1", "expect": {}, "protect_label": ""}
NOBODY = "http://127.0.0.1:1"


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


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """With two consoles, and one that is named and not there."""
    live = Live(tmp_path)
    live.write("consoles", "tty0 ttyS9 ttyS0\n")
    for name in ("tty0", "ttyS0"):
        live.write(f"dev/{name}", "")
    return live


def ends(live: Live, address: str, section: str) -> None:
    """Nothing that goes wrong here may make an installation fail."""
    live.carry(MACHINE, address)
    done = live.run(command(section), http_proxy=NOBODY)
    assert done.returncode == 0, done.stderr


def was_started_anew(live: Live) -> bool:
    """Whether this machine was, in the live system's eyes."""
    return (live.folder / "restarted").exists()


def test_installed_is_told_past_any_proxy(server: tuple[str, Got, list[int]], live: Live) -> None:
    address, got, _answers = server
    ends(live, address, "late")
    assert got == [("PUT", "/reports/nuc1.@TOKEN@.installed", b"installed\n")]


def test_it_is_told_again_when_the_server_is_busy(server: tuple[str, Got, list[int]], live: Live) -> None:
    address, got, answers = server
    answers += [503]
    ends(live, address, "late")
    assert len(got) == 2


def test_a_server_that_is_not_there_does_not_fail_the_installation(live: Live) -> None:
    ends(live, NOBODY, "late")


def test_programs_that_are_not_there_do_not_fail_it_either(live: Live) -> None:
    assert live.run(command("late")).returncode == 0


def test_a_failure_is_told_with_its_reason_and_the_end_of_the_logs(
    server: tuple[str, Got, list[int]], live: Live
) -> None:
    address, got, _answers = server
    live.write("run/reason", "disk sda is too small\nmore\n")
    live.write("log/a.log", "x" * 100_000 + "the end\n")
    live.write("log/b.log", "short\n")
    ends(live, address, "error")
    ((dummy, path, body),) = got
    assert path == "/reports/nuc1.@TOKEN@.failed"
    assert body.startswith(b"disk sda is too small\n\n== ")
    assert b"the end\n\n== " in body
    assert body.endswith(b"b.log\nshort\n")
    assert len(body) < 65536  # pxe_http_report_size
    assert was_started_anew(live)  # what was stopped on purpose goes on to its disk


def test_who_cannot_tell_the_server_is_not_started_anew(live: Live) -> None:
    live.write("run/reason", "x\n")
    ends(live, NOBODY, "error")
    assert not was_started_anew(live)


def test_a_failure_without_reason_or_logs_is_told_too(server: tuple[str, Got, list[int]], live: Live) -> None:
    address, got, _answers = server
    ends(live, address, "error")
    assert got[0][2] == b"the installer failed\n"
    assert not was_started_anew(live)  # somebody may want to look at it
    time.sleep(1.5)
    assert (live.folder / "dev/tty0").read_text() == ""


@pytest.mark.parametrize("is_told", [True, False])
def test_the_reason_is_the_last_thing_on_every_console(
    server: tuple[str, Got, list[int]], live: Live, is_told: bool
) -> None:
    address = server[0] if is_told else NOBODY
    live.write("run/reason", "not installed, nothing was written: no disk\n")
    ends(live, address, "error")
    consoles = [live.folder / "dev" / name for name in ("tty0", "ttyS0")]
    if not is_told:  # the installer has its last words now, and waits for a person
        assert [console.read_text() for console in consoles] == ["", ""]
    deadline = time.monotonic() + 10
    while not all(console.read_text() for console in consoles):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    last = "\n\nnetboot: not installed, nothing was written: no disk\n"
    assert [console.read_text() for console in consoles] == [last] * 2
    assert was_started_anew(live) is is_told


def test_consoles_are_those_that_the_kernel_names(server: tuple[str, Got, list[int]], live: Live) -> None:
    named = Path("/sys/class/tty/console/active")  # a file whose size says nothing
    names = named.read_text().split() if named.exists() else []
    if not names:
        pytest.skip("this computer has no console")
    live.carry(MACHINE, server[0])
    program = (live.folder / "run/report.py").read_text()
    live.write("run/report.py", program.replace(f"{live.folder}/consoles", str(named)))
    live.write("run/reason", "no disk\n")
    for name in names:
        live.write(f"dev/{name}", "")
    assert f'"{live.folder}/dev/" + name' in program  # not this computer's own
    live.run(command("error"))
    deadline = time.monotonic() + 10
    while not all((live.folder / "dev" / name).read_text() for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.1)
