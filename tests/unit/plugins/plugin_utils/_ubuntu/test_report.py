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
def http() -> Iterator[tuple[str, Got, list[int]]]:
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

    listens = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listens.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listens.server_port}", got, answers
    listens.shutdown()
    listens.server_close()


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """With two consoles, and one that is named and not there; tty0 is whichever screen is shown."""
    live = Live(tmp_path)
    live.program("journalctl", f"cat {tmp_path}/journal")
    live.write("consoles", "tty0 ttyS9 ttyS0\n")
    for name in ("tty0", "tty1", "ttyS0"):
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


def test_installed_is_told_past_any_proxy(http: tuple[str, Got, list[int]], live: Live) -> None:
    address, got, _answers = http
    ends(live, address, "late")
    assert got == [("PUT", "/reports/nuc1.@TOKEN@.installed", b"installed\n")]


def test_it_is_told_again_when_the_server_is_busy(http: tuple[str, Got, list[int]], live: Live) -> None:
    address, got, answers = http
    answers += [503]
    ends(live, address, "late")
    assert len(got) == 2


def test_a_server_that_is_not_there_does_not_fail_the_installation(live: Live) -> None:
    ends(live, NOBODY, "late")


def test_programs_that_are_not_there_do_not_fail_it_either(live: Live) -> None:
    assert live.run(command("late")).returncode == 0


def test_a_failure_is_told_with_its_reason_and_the_end_of_the_logs(
    http: tuple[str, Got, list[int]], live: Live
) -> None:
    address, got, _answers = http
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


def test_a_failure_without_reason_or_logs_is_told_too(http: tuple[str, Got, list[int]], live: Live) -> None:
    address, got, _answers = http
    ends(live, address, "error")
    assert got[0][2] == b"the installer failed\n"
    assert not was_started_anew(live)  # somebody may want to look at it
    time.sleep(1.5)
    assert (live.folder / "dev/tty1").read_text() == ""


# The forms of Subiquity's log (server/server.py, server/curtin.py) and of curtin's (curtin/util.py).
CURTIN_STEP = "subiquity/Install/install/curtin_install/run_curtin_step"
CURTIN_LOG = """curtin: Installation started. (24.1)
        Stderr: ''
Unexpected error while running command.
Command: ['sgdisk', '--new', '1:2048:34', '/dev/sda']
Exit code: 4
Reason: -
Stdout: ''
Stderr: Could not create partition 1 from 2048 to 34
"""
CAT = "'systemd-cat', '--level-prefix=false', '--identifier=subiquity_log.9'"
LATE = f"Command '[{CAT}, 'sh', '-c', 'echo oh >&2; false']'"
RUNS = "Nov 25 12:00:01 ubuntu-server subiquity_log.9[77]:"


@pytest.mark.parametrize(
    ("logs", "reason"),
    [
        (("", "", ""), "the installer failed"),
        (
            (
                f"x ERROR root:39 finish: {CURTIN_STEP}/cmd-install: FAIL: curtin command install\\n"
                f"x ERROR root:39 finish: {CURTIN_STEP}: FAIL: \\n",
                CURTIN_LOG,
                "",
            ),
            "the installer failed at cmd-install: Could not create partition 1 from 2048 to 34",
        ),
        (
            (
                "x ERROR root:39 finish: subiquity/Late/run/command_0: FAIL: cancelled\\n"
                "x ERROR root:39 finish: subiquity/Late/run/command_1: FAIL: "
                f"{LATE} returned non-zero exit status 1.\\n",
                CURTIN_LOG,
                f"{RUNS}   running true\\n{RUNS} fine\\n{RUNS}   running echo oh >&2; false\\n{RUNS} oh\\n"
                f"{RUNS}   running other\\n{RUNS} no\\n",
            ),
            "the installer failed: 'echo oh >&2; false' returned non-zero exit status 1. It said: oh",
        ),
        (
            (
                "x ERROR subiquity.server.server:536 top level error\\nTraceback (most recent call last):\\n  File x\\n"
                "subiquity.server.autoinstall.AutoinstallValidationError: Malformed autoinstall in 'apt' section\\n",
                "",
                "",
            ),
            "the installer failed: subiquity.server.autoinstall.AutoinstallValidationError: "
            "Malformed autoinstall in 'apt' section",
        ),
    ],
)
def test_a_failure_is_told_with_its_cause(
    logs: tuple[str, str, str], reason: str, http: tuple[str, Got, list[int]], live: Live
) -> None:
    address, got, _answers = http
    server, curtin, said = logs
    live.write("log/subiquity-server-debug.log", server.replace("\\n", "\n"))
    live.write("log/curtin-install.log", curtin)
    live.write("journal", said.replace("\\n", "\n"))
    ends(live, address, "error")
    first, *rest = got[0][2].decode().split("\n")
    assert first == reason
    assert not said or "== journalctl" in "\n".join(rest)


def test_a_cause_is_one_short_line(http: tuple[str, Got, list[int]], live: Live) -> None:
    live.write(
        "log/subiquity-server-debug.log", "finish: subiquity/a: FAIL: \x1b[31m\x00" + "x" * 9999 + "\n"
    )
    ends(live, http[0], "error")
    first = http[1][0][2].split(b"\n")[0].decode()
    assert first.startswith("the installer failed at a:  [31m xxx")
    assert len(first) == 300
    assert first.isprintable()


@pytest.mark.parametrize("is_told", [True, False])
def test_the_reason_is_the_last_thing_on_every_console(
    http: tuple[str, Got, list[int]], live: Live, is_told: bool
) -> None:
    address = http[0] if is_told else NOBODY
    live.write("run/reason", "not installed, nothing was written: no disk: buy one\nno disk\n> buy one\n")
    ends(live, address, "error")
    consoles = [live.folder / "dev" / name for name in ("tty1", "ttyS0")]
    if not is_told:  # the installer has its last words now, and waits for a person
        assert [console.read_text() for console in consoles] == ["", ""]
    deadline = time.monotonic() + 10
    while not all(console.read_text() for console in consoles):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    knows = "The server knows." if is_told else "The server does not know: it did not answer."
    for console in consoles:
        frame, what, why, remedy, more, then, end = console.read_text().strip().split("\n\n")
        assert frame == end == "=" * 78
        assert what == "  netboot: nuc1 is NOT INSTALLED. Nothing was written to its disks."
        assert (why, remedy) == ("  no disk", "  What to do: buy one")
        assert more == "  More: ansible-playbook homelab.netboot.why -l nuc1"
        assert then.startswith(f"  {knows} ")
    assert (live.folder / "dev/tty0").read_text() == ""  # the first screen has it
    assert was_started_anew(live) is is_told


def test_all_of_a_long_reason_is_seen_at_once(live: Live) -> None:
    disks = ", ".join(f"sd{letter} (TOSHIBA DT01ACA100, serial Z6NVLPBMS, 1 TB)" for letter in "abcdefghijkl")
    name = f"{'n' * 30}-1"
    live.carry({**MACHINE, "name": name}, NOBODY)
    live.write("run/reason", f"long\nno disk fits; there are {disks}\n> run homelab.netboot.arm -l {name}\n")
    live.run(command("error"))
    deadline = time.monotonic() + 10
    while not (text := (live.folder / "dev/tty1").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    lines = text.strip().split("\n")
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert sum(line.endswith(" ...") for line in lines) == 1
    assert f"homelab.netboot.arm -l {name}\n" in text


def test_consoles_are_those_that_the_kernel_names(http: tuple[str, Got, list[int]], live: Live) -> None:
    named = Path("/sys/class/tty/console/active")  # a file whose size says nothing
    names = named.read_text().split() if named.exists() else []
    if not names:
        pytest.skip("this computer has no console")
    live.carry(MACHINE, http[0])
    program = (live.folder / "run/report.py").read_text()
    live.write("run/report.py", program.replace(f"{live.folder}/consoles", str(named)))
    live.write("run/reason", "no disk\n")
    shown = ["tty1", *(name for name in names if name != "tty0")]
    for name in shown:
        live.write(f"dev/{name}", "")
    assert f'"{live.folder}/dev/" + name' in program  # not this computer's own
    live.run(command("error"))
    deadline = time.monotonic() + 10
    while not all((live.folder / "dev" / name).read_text() for name in shown):
        assert time.monotonic() < deadline
        time.sleep(0.1)
