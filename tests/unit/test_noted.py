# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are noted on the server: what a module writes, what the look hands on, and what the controller takes."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils import _noted as on_the_server
from ansible_collections.homelab.netboot.plugins.plugin_utils import _noted

LOOK = Path(__file__).parents[2] / "roles/netboot/files/look.py"


@pytest.fixture(scope="module")
def look() -> ModuleType:
    """The script that the role runs on the server."""
    spec = importlib.util.spec_from_file_location("look", LOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file, a link to it and a folder, on which an answer depends; and the folder of the answers."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("as it was")
    (tmp_path / "link").symlink_to("folder")
    files = [str(tmp_path / name) for name in ("folder", "folder/file", "link/file", "not-there")]
    note = {"path": str(tmp_path / "answers/one.json"), "key": "k"}
    on_the_server.write(note, {"found": ["it"]}, files)
    return tmp_path


def told(look: ModuleType, place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in look.noted(str(place / "answers"))]


def test_an_answer_is_handed_on_while_nobody_has_touched_its_files(look: ModuleType, place: Path) -> None:
    assert told(look, place) == [{"name": "one", "key": "k", "answer": {"found": ["it"]}}]
    assert (place / "answers").stat().st_mode & 0o777 == 0o700
    assert (place / "answers/one.json").stat().st_mode & 0o777 == 0o600


def another(place: Path) -> None:
    """Have the link lead to a folder that looks alike."""
    (place / "other").mkdir()
    (place / "other/file").write_text("as it was")
    (place / "link").unlink()
    (place / "link").symlink_to("other")


def forged(place: Path) -> None:
    """Change what is in a file, and set its times back."""
    file = place / "folder/file"
    old = file.stat()
    file.write_text("as it is!")
    os.utime(file, ns=(old.st_atime_ns, old.st_mtime_ns))


TOUCHED: dict[str, Callable[[Path], object]] = {
    "other content, of the same size and time": forged,
    "another mode": lambda place: (place / "folder/file").chmod(0o600),
    "one more beside it": lambda place: (place / "folder/new").touch(),
    "gone": lambda place: (place / "folder/file").unlink(),
    "come": lambda place: (place / "not-there").touch(),
    "a link that leads elsewhere": another,
}


@pytest.mark.parametrize("touch", TOUCHED)
def test_an_answer_ends_with_the_first_file_that_is_another(
    look: ModuleType, place: Path, touch: str
) -> None:
    TOUCHED[touch](place)
    assert told(look, place) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"files": []}', '{"files": {}, "key": "k"', '{"files": 3}', '"x"', "null"]
)
def test_a_note_that_is_none_is_left_out(look: ModuleType, place: Path, text: str) -> None:
    (place / "answers/two.json").write_text(text)
    assert [one["name"] for one in told(look, place)] == ["one"]


@pytest.mark.parametrize(("left", "holds"), [(None, True), (3600, True), (-1, False)])
def test_an_answer_may_end_by_itself(look: ModuleType, place: Path, left: int | None, holds: bool) -> None:
    until = time.time() + left if left else None
    on_the_server.write({"path": str(place / "answers/one.json"), "key": "k"}, "x", [], until)
    assert bool(told(look, place)) == holds


def test_a_note_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    on_the_server.write(None, "x", [])
    on_the_server.write({"path": str(tmp_path / "no/such/note.json"), "key": "k"}, "x", [])
    assert list(tmp_path.iterdir()) == []


def test_only_the_same_question_to_the_same_code_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(question: Any, noted: dict[str, Any]) -> Any:
        return _noted.find(noted, "/answers", "one", question)

    asked = find({"a": 1, "b": [2]}, {})
    assert asked["answer"] is None
    assert asked["note"]["path"] == "/answers/one.json"
    noted = {"one": {"key": asked["note"]["key"], "answer": {}}}
    assert find({"b": [2], "a": 1}, noted)["answer"] == {}
    assert find({"a": 1, "b": [3]}, noted)["answer"] is None
    assert _noted.find(noted, "/answers", "two", {"a": 1, "b": [2]})["answer"] is None
    monkeypatch.setattr(_noted, "code", lambda: "newer")
    assert find({"a": 1, "b": [2]}, noted)["answer"] is None


def test_the_code_is_that_of_all_modules() -> None:
    names = [path.name for path in _noted.files()]
    assert {"efi_loaders.py", "pairs.py", "boot_images.py", "store.py", "iso.py"} <= {*names}
