# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of machines while they install, on a terminal and in a log."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import transfers, watching
from ansible_collections.homelab.netboot.plugins.module_utils._program.cli import main
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import event as kinds
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import RefusedError
from ansible_collections.homelab.netboot.plugins.module_utils._program.watching import Look, Screen
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box, mac_of

CURTIN = "/progress/nuc1.-/subiquity/Install/install/curtin_install"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.plan(nuc1="once", nuc2="once")
    box.do("publish")
    return box


def happens(box: Box, *events: tuple[str, str, str], name: str = "nuc1", number: int = 0) -> None:
    """A boot that begins now: kind, name, note of each event."""
    now, mac = time.time(), mac_of(number)
    story = [
        Event(now + at / 1000, kind, text, mac, name, "10.0.0.5", 64_500_000, 200, note)
        for at, (kind, text, note) in enumerate([(kinds.OFFER, "PXEClient", ""), *events])
    ]
    path = f"events/machines/{mac.replace(':', '-')}.json"
    box.put(path, json.dumps([list(event) for event in story]))


def look(box: Box, *names: str, since: float | None = None) -> Look:
    return watching.look(box.settings, names, since)


def report(box: Box, word: str, text: str = "") -> None:
    box.report("nuc1", word, body=text)


INSTALLS = (
    (kinds.HTTP, "/images/x/noble.iso", ""),
    (kinds.HTTP, "/machines/nuc1/-/user-data", ""),
    (kinds.BEGINS, CURTIN, "installing system"),
    (kinds.BEGINS, CURTIN + "/deeper", ""),
    (kinds.ENDS, CURTIN + "/deeper", ""),
)


def test_steps_are_lines_and_how_far_it_came_is_a_bar(box: Box) -> None:
    happens(box, *INSTALLS)
    box.do("expire")
    report(box, "begun")
    found = look(box, "nuc1")
    said = [line[9:].strip() for line in found.lines]
    assert any(line.endswith("noble.iso: 200, 64500000 bytes (64 MB)") for line in said)
    assert any(
        "installer: subiquity/Install/install/curtin_install (installing system)" in line for line in said
    )
    assert not any("deeper" in line for line in said)  # neither has a description nor took long
    (row,) = found.rows
    assert (row.state, row.text, row.is_over) == (
        "installing",
        "subiquity/Install/install/curtin_install: installing system",
        False,
    )
    assert 0 < row.gauge.count("#") < watching.GAUGE == len(row.gauge)
    assert [one.machine for one in look(box).rows] == ["nuc1", "nuc2"]


def test_how_much_of_the_iso_was_sent_is_told_in_tenths(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = box.root / "http/images/x/v1"
    folder.mkdir(parents=True)
    with (folder / "noble.iso").open("wb") as file:
        file.truncate(200_000_000)
    happens(box, (kinds.HTTP, "/images/x/v1/initrd", ""))
    asked: list[int] = []

    def going() -> dict[str, int]:
        asked.append(1)
        return {"10.0.0.5": 93_000_000, "10.0.0.6": 199_000_000}

    monkeypatch.setattr(transfers, "going", going)
    (found,) = look(box, "nuc1").rows
    assert found.text == "fetches the ISO: 40 % of 200 MB"
    happens(box, (kinds.HTTP, "/images/x/v1/initrd", ""), (kinds.HTTP, "/images/x/v1/noble.iso", ""))
    (found,) = look(box, "nuc1").rows
    assert found.text == "has the ISO"
    assert len(asked) == 1, "the kernel is asked only while an ISO is awaited"


def test_names_that_a_loader_tries_share_a_line(box: Box) -> None:
    tried = [(kinds.MISSING, f"pxelinux.cfg/{name}", "") for name in ("a", "b", "c")]
    happens(box, *tried, (kinds.TFTP, "pxelinux.cfg/default", ""), *tried[:1])
    said = [line[9:].strip().partition("  ")[2] for line in look(box, "nuc1").lines]
    assert said[1:] == [  # the last one may have followers, so it is not told yet
        "dnsmasq: no pxelinux.cfg/a for 10.0.0.5, nor 2 more",
        "dnsmasq: sent pxelinux.cfg/default to 10.0.0.5",
    ]


def test_a_later_look_tells_what_came_since(box: Box) -> None:
    happens(box, *INSTALLS)
    box.do("expire")
    first = look(box, "nuc1")
    assert first.since < time.time()
    assert look(box, "nuc1", since=first.since).lines == first.lines
    assert look(box, "nuc1", since=time.time() + 1).lines == []


def test_installed_and_failed_are_over(box: Box) -> None:
    begin = time.time()
    assert not look(box, "nuc1").is_over
    report(box, "begun")
    report(box, "failed", "the installer failed: no space\n")
    found = look(box, "nuc1", since=begin - 1)
    assert (found.is_over, found.failed) == (True, ["nuc1"])
    assert found.rows[0].text == "the installer failed: no space"
    assert any("netboot: failed: the installer failed: no space" in line for line in found.lines)
    assert not look(box).is_over
    assert [row.machine for row in look(box).rows] == ["nuc2"]


def test_who_is_installed_always_is_over_though_it_is_armed_again(box: Box) -> None:
    begin = time.time() - 1
    box.plan(nuc1="always", nuc2="once")
    box.do("publish")
    report(box, "begun")
    report(box, "installed")
    found = look(box, "nuc1", since=begin)
    assert (found.rows[0].state, found.rows[0].text, found.is_over) == ("armed", "is installed", True)


def test_who_is_up_is_told_with_its_address(box: Box) -> None:
    begin = time.time() - 1
    report(box, "begun")
    report(box, "installed")
    assert look(box, "nuc1", since=begin).rows[0].text == "is installed"
    report(box, "up.192.168.1.77")
    found = look(box, "nuc1", since=begin)
    row = found.rows[0]
    assert (row.state, row.text, row.is_over, row.is_failed) == ("up", "is up at 192.168.1.77", True, False)
    assert row.gauge == "#" * watching.GAUGE
    assert found.lines[-1].endswith("nuc1  netboot: up at 192.168.1.77")


def test_whoever_waits_for_the_first_start_is_told_that_it_is_not_over_before(box: Box) -> None:
    begin = time.time() - 1

    def is_over() -> bool:
        return watching.look(box.settings, ["nuc1"], begin, until_up=True).is_over

    report(box, "begun")
    report(box, "installed")
    assert not is_over()
    report(box, "up.192.168.1.77")
    assert is_over()


def test_who_was_installed_and_is_armed_again_is_not_over(box: Box) -> None:
    begin = time.time() - 1
    report(box, "begun")
    report(box, "installed")
    box.do("arm", "nuc1")
    found = look(box, "nuc1", since=begin)
    assert (found.rows[0].state, found.is_over) == ("armed", False)


def test_what_was_before_the_arming_is_not_told_of_it(box: Box) -> None:
    happens(box, *INSTALLS)
    box.do("expire")
    assert look(box, "nuc1").rows[0].text != "has not asked for the network"
    time.sleep(1.1)  # states are told in seconds
    box.do("arm", "nuc1")
    assert look(box, "nuc1").rows[0].text == "has not asked for the network"


def test_a_name_that_is_not_known(box: Box) -> None:
    with pytest.raises(RefusedError, match="nuc9"):
        look(box, "nuc9")


def test_follow_ends_when_all_is_over(box: Box) -> None:
    report(box, "begun")
    report(box, "installed")
    said: list[str] = []
    assert watching.follow(box.settings, ["nuc1"], Screen(said.append, False)) == []
    assert said[-1].endswith("nuc1  [#############]  installed  is installed\n")


def row(text: str, machine: str = "nuc1") -> watching.Row:
    return watching.Row(machine, "installing", "###...", text, False, False)


def test_in_a_log_only_what_is_new_is_a_line() -> None:
    said: list[str] = []
    screen = Screen(said.append, False)
    screen.show(Look(0, ["one"], [row("a")]))
    screen.show(Look(0, ["one"], [row("a")]))
    screen.show(Look(0, ["one", "two"], [row("b")]))
    assert "".join(said).splitlines() == [
        "one",
        "nuc1  [###...]  installing  a",
        "two",
        "nuc1  [###...]  installing  b",
    ]
    assert "\x1b" not in "".join(said)


def test_on_a_terminal_the_table_is_renewed_in_its_place() -> None:
    said: list[str] = []
    screen = Screen(said.append, True, 40)
    screen.show(Look(0, ["one"], [row("a"), row("b" * 99, "n2")]))
    screen.show(Look(0, ["one"], [row("a"), row("b" * 99, "n2")]))
    screen.show(Look(0, ["one", "two"], [row("c"), row("b", "n2")]))
    first, second = said
    assert first.splitlines()[1] == "nuc1  [###...]  installing  a"
    assert max(map(len, first.splitlines())) == 40
    assert second.startswith("\x1b[2A\x1b[Jtwo\nnuc1  [###...]  installing  c\n")


def test_where_nobody_is_armed_the_command_says_so(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box.do("disarm", "nuc1", "nuc2")
    place = tmp_path / "settings.json"
    place.write_text(json.dumps(box.settings.__dict__))
    assert main(["--settings", str(place), "watch"]) == 0
    assert "No machine is armed or installing." in capsys.readouterr().out


def test_the_command_says_why_and_ends_with_1(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(box, "begun")
    report(box, "failed", "the installer failed: no space\n")
    place = str(tmp_path / "settings.json")
    Path(place).write_text(json.dumps(box.settings.__dict__))
    assert main(["--settings", place, "watch", "nuc1"]) == 1
    told = capsys.readouterr().out
    assert "nuc1  [" in told
    assert "Why: The installer failed." in told
    assert main(["--settings", place, "watch", "--json", "nuc1"]) == 0
    raw = json.loads(capsys.readouterr().out)
    assert (raw["over"], raw["failed"]) == (True, ["nuc1"])
    assert "Why: " in raw["why"]
