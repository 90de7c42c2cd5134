# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer's steps, as nginx writes them down: read, joined to the machine, bounded whatever is in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import contract, listing
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import event as kinds
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import progress, story
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.joining import Joiner
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.kept import (
    PROGRESS_BYTES,
    Kept,
)

MAC = "52:54:00:00:00:0a"
CURTIN = "subiquity/Install/install/curtin_install"


def line(when: float, kind: str, name: str, text: Any = "", **more: Any) -> str:
    """A line of the log, as PROGRESS_FORMAT makes it."""
    event = {"name": name, "description": text, "event_type": kind, "origin": "curtin", "timestamp": 0.5}
    said = json.dumps({**event, "level": "INFO", **more})
    return logged(when, said)


def logged(when: float, said: str, machine: str = "a") -> str:
    values = {"msec": f"{when:.3f}", "remote_addr": "10.0.0.5", "netboot_machine": machine}
    text = contract.PROGRESS_FORMAT
    for name, value in {**values, "request_body": json.dumps(said)[1:-1]}.items():
        text = text.replace("$" + name, value)
    return text


def told(*lines: str) -> list[Event]:
    joiner = Joiner({MAC: "a"}, "/srv/netboot/tftp")
    records = [record for record in map(progress.read, lines) if record]
    return [event for record in records for event in joiner.feed(record)]


def test_a_step_belongs_to_the_machine_whose_token_it_came_with() -> None:
    (event,) = told(line(7, "start", CURTIN, "installing system"))
    assert event == Event(
        7.0, kinds.BEGINS, f"/progress/a.-/{CURTIN}", MAC, "a", "10.0.0.5", note="installing system"
    )
    assert not event.is_fetched


def test_it_cannot_name_another_machine() -> None:
    (event,) = told(line(7, "start", "x/01-52-54-00-00-00-0b", "52:54:00:00:00:0b"))
    assert event.mac == MAC
    assert told(logged(7, "{}", machine="../x")) == []


@pytest.mark.parametrize(
    ("kind", "result", "text", "found"),
    [
        ("start", None, "", kinds.BEGINS),
        ("finish", "SUCCESS", "", kinds.ENDS),
        ("finish", "WARN", "slow", kinds.WARNS),
        ("finish", "FAIL", "no", kinds.FAILS),
        ("finish", "FAIL", "cancelled", kinds.ENDS),
        ("finish", 7, "", kinds.ENDS),
        ("warning", None, "hm", kinds.WARNS),
        ("error", None, "no", kinds.FAILS),
    ],
)
def test_kinds(kind: str, result: Any, text: str, found: str) -> None:
    assert [event.kind for event in told(line(1, kind, "x", text, result=result))] == [found]


def test_what_is_no_step() -> None:
    assert told(line(1, "start", "subiquity/Meta/status_GET"), line(1, "info", "x", "hello")) == []
    assert told(line(1, "start", "subiquity/Source/source_POST")) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"time":"x","machine":"a","said":"{}"}',
        logged(1, ""),
        logged(1, "{"),
        logged(1, "[]"),
        logged(1, "null"),
        logged(1, '{"name": "x"}'),
        logged(1, "[" * 9000),
        logged(1, '{"name":' + "[" * 9000),
        logged(1, json.dumps({"name": "x", "event_type": ["start"]})),
        logged(1, json.dumps({"name": "x", "event_type": {"a": 1}, "result": []})),
        line(1, "start", "x")[:-9],
        '{"time":"NaN","machine":["a"],"said":"{}"}',
        b'{"time":"1","machine":"a","said":"\xff\xfe"}'.decode("utf-8", "replace"),
    ],
)
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    assert progress.read(text) is None


@pytest.mark.parametrize("text", [7, None, ["x"], {"a": "b"}, True])
def test_a_description_that_is_no_text_is_none(text: Any) -> None:
    assert [event.note for event in told(line(1, "start", "x", text))] == [""]


def test_texts_are_bounded_and_can_be_shown_anywhere() -> None:
    token = "0123456789abcdef" * 2
    (event,) = told(
        line(1, "start", "a\x1b[31m/" + "n" * 9999, f"\x1b[31m\x00\n\u202e {token} " + "t" * 9999)
    )
    assert len(event.name) < 150
    assert len(event.note) <= progress.TEXT
    assert (event.name + event.note).isprintable()
    assert token not in event.note
    assert event.note.startswith("[31m - ttt")


@pytest.mark.parametrize("when", ["NaN", "inf", "1e999", "-1"])
def test_a_time_that_is_none(when: str) -> None:
    assert progress.read(line(1, "start", "x").replace('"1.000"', f'"{when}"')) is None


def test_steps_have_their_time_and_their_end() -> None:
    events = told(
        line(1, "start", "subiquity/Early/run"),
        line(3, "finish", "subiquity/Early/run", result="SUCCESS"),
        line(4, "start", "subiquity/Install", "installs"),
        line(5, "start", CURTIN, "installing system"),
        line(65, "finish", CURTIN, "no space", result="FAIL"),
    )
    steps = progress.steps(events)
    assert [(step.said, step.seconds, step.kind) for step in steps] == [
        ("run", 2.0, kinds.ENDS),
        ("installs", 0.0, kinds.BEGINS),
        ("no space", 60.0, kinds.FAILS),
    ]
    going, failed = progress.present(events), progress.failure(events)
    assert going is not None
    assert going.name == "subiquity/Install"
    assert failed is not None
    assert failed.note == "no space"
    assert listing.step_of("installing", events[:4]) == f"{CURTIN} (installing system)"
    assert listing.step_of("failed", events) == f"failed at {CURTIN}"
    assert listing.step_of("installed", events) == ""


def test_what_was_told_before_the_last_arming_does_not_count() -> None:
    events = told(line(1, "finish", CURTIN, "no", result="FAIL"))
    assert listing.step_of("failed", events)
    assert listing.step_of("installing", [*events, Event(2.0, kinds.STATE, "armed", MAC)]) == ""


def test_steps_never_displace_what_else_a_machine_did() -> None:
    first = Event(0.0, kinds.HTTP, "/images/x/vmlinuz", MAC)
    steps = told(*(line(n, "start", f"x/{n}") for n in range(1, 2000)))
    kept = story.tell([], [first, *steps])
    assert kept[0] == first
    assert len(kept) == story.STEPS + 1
    assert kept[-1] == steps[-1]
    assert story.tell(kept, steps[-5:]) == kept  # read twice, told once


def test_the_log_is_emptied_when_it_was_read_and_is_long(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    log = tmp_path / "progress.log"

    def refresh() -> list[str]:
        with Kept(
            str(tmp_path / "state"), {MAC: "a"}, "/t", log="", steps=str(log), journal=lambda _at: ([], "1")
        ) as kept:
            kept.refresh()
            assert kept.error is None
            return [event.base for event in kept.story(MAC)]

    log.write_text(line(1, "start", "one") + "\n")
    assert refresh() == ["one"]
    assert log.stat().st_size > 0
    inode = log.stat().st_ino
    with log.open("a") as file:
        file.write((line(2, "start", "Meta_GET", "x" * 9000) + "\n") * (PROGRESS_BYTES // 9000 + 1))
        file.write(line(3, "start", "two") + "\nhalf a line")
    assert refresh() == ["one", "two"]
    assert log.stat().st_size > PROGRESS_BYTES  # somebody writes just now
    with log.open("a") as file:
        file.write("\n")
        file.flush()
        assert refresh() == ["one", "two"]
        assert (log.stat().st_size, log.stat().st_ino) == (0, inode)
        assert os.fstat(file.fileno()).st_size == 0
        file.write(line(4, "start", "three", "x" * 5000) + "\n")  # nginx goes on in the same file
    assert refresh() == ["one", "two", "three"]
