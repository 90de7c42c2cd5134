# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be noted does not install: notes that are lost, states that are gone, files that cannot be written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import contract, store
from ansible_collections.homelab.netboot.plugins.module_utils._program.cli import main
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import (
    DEFAULT,
    ENTRY,
    LOCAL,
    Box,
)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.plan(nuc1="once", nuc2="once")
    box.do("publish")
    return box


def run(box: Box, *argv: str) -> int:
    file = box.state.parent / "settings.json"
    file.write_text(json.dumps(vars(box.settings)))
    return main(["--settings", str(file), *argv])


# --- begins and receipts


def test_an_installation_may_begin_when_it_is_noted_and_not_before(box: Box) -> None:
    assert not box.may_begin("nuc1")
    box.report("nuc1", "begun")
    assert box.of("nuc1").state == "installing"
    assert box.entry("01-nuc1") == LOCAL
    assert box.may_begin("nuc1")
    assert not box.may_begin("nuc2")
    box.report("nuc1")
    assert not box.may_begin("nuc1")


def test_a_begin_with_a_wrong_token_gets_no_receipt(box: Box) -> None:
    box.report("nuc1", "begun", token="0" * 32)
    assert box.of("nuc1").state == "armed"
    assert not box.may_begin("nuc1")


def test_whatever_boots_may_begin_while_it_is_armed(box: Box) -> None:
    box.plan(rest="any")
    box.do("publish")
    assert box.may_begin("rest")
    box.do("disarm", "rest")
    assert not box.may_begin("rest")
    assert box.entry("default") == DEFAULT


# --- nothing can be written


def cannot_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(dummy: Any, dummy2: Any) -> None:
        raise OSError(28, "No space left on device", "/full")

    monkeypatch.setattr(store.Store, "save", full)


def test_a_state_that_cannot_be_saved_withdraws_the_entry_and_gives_no_receipt(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note = box.spool / "reports" / f"nuc1.{box.of('nuc1').token}.begun"
    note.write_text("")
    with monkeypatch.context() as patched:
        cannot_be_saved(patched)
        assert run(box, "reports") == 1
        assert box.entry("01-nuc1") == LOCAL
        assert not box.may_begin("nuc1")
        assert "nuc1: /full: No space left on device" in capsys.readouterr().out
        assert note.exists()  # to be done when there is space
        assert run(box, "publish") == 1  # its state says armed, and yet
        assert box.entry("01-nuc1") == LOCAL
    assert run(box, "reports") == 0
    assert (box.of("nuc1").state, box.may_begin("nuc1"), note.exists()) == ("installing", True, False)


def test_one_entry_that_cannot_be_taken_away_keeps_no_other_machine(box: Box) -> None:
    entry = box.root / ENTRY / "01-nuc1"
    entry.unlink()
    (entry / "x").mkdir(parents=True)
    for name in ("nuc1", "nuc2"):
        (box.spool / "fetched" / f"{name}.{box.of(name).token}").write_text("")
    assert run(box, "reports") == 1
    assert box.entry("01-nuc2") == LOCAL
    assert (box.may_begin("nuc1"), box.may_begin("nuc2")) == (False, True)
    box.plan(nuc1="once", nuc2="once", nuc3="once")
    assert run(box, "publish") == 1
    assert box.of("nuc3").state == "armed"
    assert box.of("nuc3").token in box.entry("01-nuc3")


def test_a_machine_whose_entry_cannot_be_written_is_told(box: Box) -> None:
    (box.root / ENTRY / "01-nuc3").mkdir()
    box.plan(nuc1="once", nuc2="once", nuc3="once")
    server = box.server()
    with server:
        server.publish()
    assert server.failed
    assert [said for said in box.said if "01-nuc3" in said] == [
        f"nuc3: {box.root}/{ENTRY}/01-nuc3: Is a directory; tried again when that is mended"
    ]


def test_withdrawing_needs_no_space(box: Box) -> None:
    assert (box.root / ENTRY / ".resting-01-nuc1").read_text() == LOCAL
    inode = (box.root / ENTRY / ".resting-01-nuc1").stat().st_ino
    box.fetch("nuc1")
    assert (box.root / ENTRY / "01-nuc1").stat().st_ino == inode


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_machines_are_withdrawn_also_when_the_plan_cannot_be_read(box: Box, text: str) -> None:
    (box.state / "plan/machines.json").write_text(text)
    (box.spool / "fetched" / f"nuc1.{box.of('nuc1').token}").write_text("")
    assert run(box, "reports") == 1
    assert box.of("nuc1").state == "installing"
    assert box.entry("01-nuc1") == LOCAL
    assert box.of("nuc2").token in box.entry("01-nuc2")


def test_a_machine_that_left_a_plan_while_it_is_fetched_is_withdrawn(box: Box) -> None:
    (box.state / "plan/machines.json").write_text("{}")
    (box.spool / "fetched" / f"nuc1.{box.of('nuc1').token}").write_text("")
    assert run(box, "reports") == 0
    assert not (box.root / ENTRY / "01-nuc1").exists()


def test_a_folder_in_the_spool_goes(box: Box) -> None:
    for folder in ("fetched", "reports"):
        (box.spool / folder / "x/y").mkdir(parents=True)
    assert run(box, "reports") == 0
    assert list((box.spool / "reports").iterdir()) == list((box.spool / "fetched").iterdir()) == []


def test_a_state_that_cannot_be_read_just_now_is_no_failure_of_the_machine(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.look

    def transient(folder: str, mac: str) -> Any:
        if mac == box.macs["nuc1"]:
            raise OSError(5, "Input/output error", "/x")
        return real(folder, mac)

    with monkeypatch.context() as patched:
        patched.setattr(store, "look", transient)
        assert run(box, "publish") == 1
        assert box.entry("01-nuc1") == LOCAL  # nobody knows whether it is armed
    assert box.of("nuc1").state == "armed"


@pytest.mark.parametrize("text", ["null", "[]", "{", '{"../x": "", "a": 1}'])
def test_a_damaged_list_of_entries_is_made_anew(box: Box, text: str) -> None:
    (box.state / "served.json").write_text(text)
    box.do("publish")
    assert set(json.loads((box.state / "served.json").read_text())) == {
        *(f"{ENTRY}/{mark}01-{name}" for name in ("nuc1", "nuc2") for mark in ("", ".resting-")),
        f"{ENTRY}/default",
    }


def test_what_was_armed_by_hand_goes_with_its_machine(box: Box) -> None:
    box.do("disarm", "nuc1")
    box.do("arm", "nuc1")
    box.plan(nuc2="once")
    box.do("publish")
    assert not [path for path in box.served() if "nuc1" in path]


# --- states that are gone, or of another time


def test_a_state_that_was_lost_arms_nobody(box: Box) -> None:
    box.file("nuc1").unlink()
    box.do("publish")
    assert box.of("nuc1").state == "local"
    assert "its state was lost" in box.of("nuc1").reason
    assert any(said.startswith("nuc1: local: its state was lost") for said in box.said)
    assert box.boots_disk("nuc1")


def test_a_server_without_any_history_wipes_nothing(box: Box) -> None:
    box.plan(nuc1="once", fresh="always")
    listed = json.loads((box.state / "plan/machines.json").read_text())
    listed["nuc1"]["wipe"] = "always"
    for what in ("machines", "known.json", "served.json"):
        place = box.state / what
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    (box.state / "plan/machines.json").write_text(json.dumps(listed))
    box.do("publish")
    assert (box.of("nuc1").state, box.of("nuc1").wipe) == ("armed", False)
    assert box.of("fresh").wipe  # it is to be installed at each start, and its disk wiped, in so many words


def test_a_restored_backup_arms_nobody(box: Box, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(box.state, backup)
    box.fetch("nuc1")
    box.report("nuc1")
    shutil.rmtree(box.state)
    shutil.copytree(backup, box.state)
    assert box.of("nuc1").state == "armed"
    box.do("publish")
    assert (box.of("nuc1").state, box.of("nuc2").state) == ("local", "armed")
    assert box.boots_disk("nuc1")


def test_states_on_a_new_server_arm_nobody(box: Box) -> None:
    shutil.rmtree(box.root)
    box.do("publish")
    assert [box.of(name).state for name in ("nuc1", "nuc2")] == ["local", "local"]


# --- names change, machines do not


def rename(box: Box, old: str, new: str, **others: str) -> None:
    box.macs[new] = box.macs.pop(old)
    box.plan(**{new: "once"}, **others)
    box.do("publish")


def test_a_renamed_machine_takes_its_state_along(box: Box) -> None:
    box.fetch("nuc1")
    box.report("nuc1")
    rename(box, "nuc1", "media", nuc2="once")
    assert (box.of("media").state, box.of("media").name) == ("installed", "media")
    assert box.boots_disk("media")


def test_an_armed_machine_that_is_renamed_installs_under_its_new_name(box: Box) -> None:
    token = box.of("nuc1").token
    rename(box, "nuc1", "media", nuc2="once")
    assert (box.of("media").state, box.of("media").token) == ("armed", token)
    assert box.entry("01-media") == f"seed=http://x/machines/media/{token}/\n"
    assert box.seeds("media")["meta-data"] == f"media meta-data {token}\n"
    assert not (box.root / "http/machines/nuc1").exists()
    assert not (box.root / ENTRY / "01-nuc1").exists()


def test_a_machine_that_is_renamed_while_it_installs_finds_its_seeds_and_reports(box: Box) -> None:
    box.report("nuc1", "begun")
    token = box.of("nuc1").token
    rename(box, "nuc1", "media", nuc2="once")
    assert box.of("media").state == "installing"
    assert box.seeds("media")["user-data"] == f"nuc1 user-data {token}\n"
    assert box.may_begin("nuc1")
    (box.spool / "reports" / f"nuc1.{token}.installed").write_text("")
    box.do("drain")
    assert (box.of("media").state, box.of("media").name) == ("installed", "media")
    assert not (box.root / "http/machines/nuc1").exists()


def test_another_may_take_the_name_while_the_first_one_installs(box: Box) -> None:
    box.report("nuc1", "begun")
    token = box.of("nuc1").token
    box.macs["media"], box.macs["nuc1"] = box.macs["nuc1"], "52:54:00:99:99:99"
    box.plan(media="once", nuc1="once", nuc2="once")
    box.do("publish")
    box.do("arm", "nuc1")
    box.do("disarm", "nuc1")
    assert (box.root / f"http/machines/nuc1/{token}/{contract.RECEIPT}").exists()
    assert box.of("media").state == "installing"
