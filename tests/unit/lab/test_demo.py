# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo decides: which PC it is shown with, and by which command."""

from __future__ import annotations

import io
from pathlib import Path

from tests.lab import one_command, system
from tests.lab.demo import Home, Source, has_answers, own_screen
from tests.lab.screen import Screen
from tests.unit.lab import recordings

HOME = Home("server", "nuc1", "f4:4d:30:60:64:69", ("noble",))


def test_the_pc_has_room_for_the_system_of_the_lab_s_own_iso(tmp_path: Path) -> None:
    iso = tmp_path / "ubuntu.iso"
    iso.write_bytes(bytes(3 * 2**20))
    own, real = Source(iso, False).machine(HOME), Source(iso, True).machine(HOME)
    assert (own.name, own.mac, own.blank) == ("nuc1", HOME.mac, True)
    assert (own.room, own.memory) == (system.SIZE, 0)
    assert (real.room, real.memory) == (0, 2 * (3 + 128) + 1024)


def test_the_command_names_a_playbook_that_is_there_and_answers_what_would_be_asked() -> None:
    words = one_command.given(Source(Path("x"), False).machine(HOME))
    assert words == ["-l", "nuc1", "-e", "then=tests/lab/hello.yml", "-e", "confirm=yes"]
    assert one_command.HELLO.is_file()


def test_a_machine_s_own_screen_says_whether_its_disk_was_started() -> None:
    out = io.StringIO()
    started, installed = recordings.story("stranger"), recordings.story("nuc1")
    assert own_screen(Screen(out), started)
    assert not own_screen(Screen(out), installed)
    assert out.getvalue() == "  its own screen says: LOCAL DISK BOOTED\n  its own screen says: done\n"


def test_a_real_installer_is_watched_until_it_has_its_answers() -> None:
    story = recordings.story("life-bios")
    assert has_answers(story)
    story.steps = [step for step in story.steps if not step.name.endswith("user-data")]
    assert not has_answers(story)
