# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories in the state folder, with the real file system: each line is read once, and little is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.cli import main
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import changes, sources
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.kept import STRANGERS, Kept
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box, mac_of
from ansible_collections.homelab.netboot.tests.unit.why.stories import ROOT, text

NUC1 = "f4:4d:30:60:64:69"
DEMO = text("good-demo")


class Server:
    """A journal and a log that grow."""

    def __init__(self, top: Path) -> None:
        self.state, self.log = top / "state", top / "access.log"
        self.state.mkdir()
        self.journal: list[str] = []
        self.asked = 0

    def write(self, *lines: str) -> None:
        for line in lines:
            if line[:10].isdigit():
                self.journal.append(line)
            else:
                with self.log.open("a") as file:
                    file.write(line + "\n")

    def after(self, cursor: str) -> tuple[list[str], str]:
        at = int(cursor or 0)
        self.asked += len(self.journal) - at
        return self.journal[at:], str(len(self.journal))

    def kept(self) -> Kept:
        return Kept(str(self.state), {NUC1: "nuc1"}, ROOT, log=str(self.log), journal=self.after)

    def refresh(self) -> None:
        with self.kept() as kept:
            kept.refresh()

    def story(self, mac: str = NUC1) -> list[str]:
        return [f"{event.kind} {event.name}" for event in self.kept().story(mac)]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_read_bit_by_bit_is_read_as_a_whole(server: Server, tmp_path: Path) -> None:
    server.write(*DEMO)
    server.refresh()
    (tmp_path / "other").mkdir()
    other = Server(tmp_path / "other")
    ordered = sorted(DEMO, key=lambda one: float(one.split()[not one[:10].isdigit()]))
    for at in range(0, len(ordered), 3):  # also between lines that belong together
        other.write(*ordered[at : at + 3])
        other.refresh()
    assert other.story() == server.story()
    assert "http /images/noble/217c6811e195/noble.iso" in server.story()
    assert other.asked == len(other.journal)  # each line once


def test_a_second_look_reads_nothing_twice(server: Server) -> None:
    server.write(*DEMO)
    server.refresh()
    before, asked = server.story(), server.asked
    server.refresh()
    assert (server.story(), server.asked) == (before, asked)


def test_what_a_killed_one_left_is_removed_by_the_next(server: Server) -> None:
    left = server.state / "events/.netboot-a.part"
    left.parent.mkdir()
    left.write_text("half a story")
    server.refresh()
    assert not left.exists()


def test_no_line_is_lost_when_logs_are_rotated(server: Server) -> None:
    http = [line for line in DEMO if not line[:10].isdigit() and "192.168.1.32" in line]
    server.write(*(line for line in DEMO if line[:10].isdigit()), *http[:2])
    server.refresh()
    server.write(*http[2:4])
    os.replace(server.log, f"{server.log}.1")
    server.write(*http[4:])
    server.refresh()
    assert sum(event.startswith("http") for event in server.story()) == len(http)


def test_half_a_line_waits_for_the_other_half(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\ntw")
    lines, place = sources.file_lines(str(log), {})
    assert lines == ["one"]
    log.write_bytes(b"one\ntwo\n")
    assert sources.file_lines(str(log), place)[0] == ["two"]


def test_a_cut_before_the_place_is_noted_tells_nothing_twice(server: Server) -> None:
    server.write(*DEMO)
    server.refresh()
    before = server.story()
    for damage in ("", "{}", '{"joiner": 5}', "[]", '{"log": 5, "changes": {"at": "x"}}'):
        (server.state / "events/read.json").write_text(damage)
        server.refresh()
        assert server.story() == before


def test_what_cannot_be_kept_is_told_all_the_same(server: Server) -> None:
    (server.state / "events").write_text("in the way")
    server.write(*DEMO)
    with server.kept() as kept:
        kept.refresh()
        assert "/images/noble/217c6811e195/noble.iso" in [event.name for event in kept.story(NUC1)]
        assert isinstance(kept.error, OSError)
    (server.state / "events").unlink()
    server.refresh()
    assert "http /images/noble/217c6811e195/noble.iso" in server.story()


def test_strangers_have_a_story_and_a_flood_of_them_fills_nothing(server: Server) -> None:
    server.write(*DEMO)
    server.refresh()
    assert "tftp pxelinux.cfg/default" in server.story("52:54:00:12:34:56")
    for part in range(2):
        for number in range(5000):
            mac = f"02:00:00:{part:02x}:{number >> 8:02x}:{number & 255:02x}"
            server.write(
                f"{1795700000 + part * 5000 + number}.5 h dnsmasq-dhcp[1]: {number} PXE(lan0) {mac} proxy"
            )
        server.refresh()
    files = list((server.state / "events").rglob("*.json"))
    assert len(files) <= STRANGERS + 3
    assert sum(path.stat().st_size for path in files) < 1_000_000
    assert "http /images/noble/217c6811e195/noble.iso" in server.story()


def test_only_root_reads_it(server: Server) -> None:
    server.write(*DEMO)
    server.refresh()
    modes = {path.stat().st_mode & 0o777 for path in (server.state / "events").rglob("*.json")}
    assert modes == {0o600}
    assert (server.state / "events").stat().st_mode & 0o777 == 0o700


def test_changes_of_states_are_events_and_never_hold_a_token(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.plan(nuc1="once")
    box.do("publish")
    tokens = [box.of("nuc1").token]
    box.fetch("nuc1")
    box.report("nuc1", "failed", body="the disk is gone\nmore")
    box.do("arm", "nuc1")
    tokens.append(box.of("nuc1").token)
    with Kept(
        str(box.state), {mac_of(0): "nuc1"}, ROOT, log="/nowhere", journal=lambda _cursor: ([], "")
    ) as kept:
        kept.refresh()
        told = [(event.name, event.note) for event in kept.story(mac_of(0))]
    assert [name for name, _note in told] == ["armed", "installing", "failed", "armed"]
    assert told[2][1] == "the disk is gone"
    written = "".join(
        path.read_text() for path in [*(box.state / "events").rglob("*.json"), box.state / changes.FILE]
    )
    assert not any(token in written for token in tokens)


def test_notes_of_changes_are_bounded(tmp_path: Path) -> None:
    line = changes.line(1.0, NUC1, "armed", "x" * 1000)
    for _turn in range(5):
        changes.note(str(tmp_path), [line] * 500)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 3 * changes.BYTES


def test_why_and_status_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box = Box(tmp_path)
    box.plan(nuc1="once", spared="never", all="any")
    box.do("publish")
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(box.settings.__dict__))
    assert main(["--settings", str(settings), "why", "nuc1", "spared", "all", mac_of(77)]) == 0
    told = capsys.readouterr().out
    assert "nuc1 (52:54:00:00:00:00): armed" in told
    assert "It is armed since" in told
    assert "It is to boot its disk (netboot_install: never)" in told
    assert "It stands for every machine" in told
    assert "Nobody knows it" in told
    assert main(["--settings", str(settings), "why", "--json", "nuc1"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)
    assert (verdict["verdict"], verdict["missing"]) == ("waiting", "asked")
    assert main(["--settings", str(settings), "why", "nobody"]) == 1
    assert "no such machine: nobody" in capsys.readouterr().err
    assert main(["--settings", str(settings), "status"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100
