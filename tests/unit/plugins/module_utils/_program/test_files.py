# SPDX-License-Identifier: GPL-3.0-or-later
"""Atomic writing: all or nothing, on a real file system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import Batch, write_file


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_bytes_and_streams(tmp_path: Path) -> None:
    write_file(str(tmp_path / "a"), b"one")
    write_file(str(tmp_path / "b"), lambda file: file.write(b"two"))
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "b").read_bytes() == b"two"
    assert names(tmp_path) == ["a", "b"]


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_file("a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_failure_while_writing_leaves_everything(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise RuntimeError("no more")

    with Batch() as batch:
        batch.add(str(tmp_path / "a"), b"new")
        with pytest.raises(RuntimeError):
            batch.add(str(tmp_path / "b"), fail)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_failure_in_prepare_leaves_everything(tmp_path: Path) -> None:
    def fail(path: str) -> None:
        raise RuntimeError(path)

    with pytest.raises(RuntimeError):
        write_file(str(tmp_path / "a"), b"new", fail)
    assert names(tmp_path) == []


def test_nothing_appears_without_commit(tmp_path: Path) -> None:
    with Batch() as batch:
        batch.add(str(tmp_path / "a"), b"new")
        assert "a" not in names(tmp_path)
    assert names(tmp_path) == []


def test_folder_in_the_way_stops_all_before_the_first(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").mkdir()
    with Batch() as batch:
        batch.add(str(tmp_path / "a"), b"new")
        batch.add(str(tmp_path / "b"), b"new")
        with pytest.raises(IsADirectoryError):
            batch.commit()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a", "b"]


def test_new_file_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_file(str(tmp_path / "a"), b"new")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o640


def test_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o604)
    write_file(str(tmp_path / "a"), b"new")
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o604


def test_prepare_comes_before_the_file_is_visible(tmp_path: Path) -> None:
    def prepare(temporary: str) -> None:
        assert not (tmp_path / "a").exists()
        assert Path(temporary).read_bytes() == b"new"
        os.chmod(temporary, 0o600)

    write_file(str(tmp_path / "a"), b"new", prepare)
    assert (tmp_path / "a").stat().st_mode & 0o7777 == 0o600


def test_symlink_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"other")
    (tmp_path / "a").symlink_to("target")
    write_file(str(tmp_path / "a"), b"new")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"other"
