# SPDX-License-Identifier: GPL-3.0-or-later
"""What our reader takes out of images of all makers, in all namespaces, is what 7z, xorriso and bsdtar take out."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.isos import made
from tests.isos.others import READERS, by_7z, ours, trees

#: Names that are the same in all trees but the plain one.
EVERYWHERE = ("casper/vmlinuz", "casper/initrd", "sparse", "sizes/s2049", "two.dots.in.name")


@pytest.mark.parametrize("name", [*made.COMMANDS, *made.PYCDLIB])
def test_each_file_is_what_others_read(name: str, source: Path, tmp_path: Path) -> None:
    iso = made.make(name, source, tmp_path / "x.iso")
    found = trees(iso)
    assert found == _expected(name)
    for keyword in found:
        files = ours(iso, keyword)
        _is_as_the_source(files, source, keyword)
        for read in READERS[keyword] if keyword != "iso_path" or len(found) == 1 else ():
            assert files == read(iso, tmp_path / "other"), (keyword, read.__name__)
    if found == [
        "rr_path",
        "iso_path",
    ]:  # 7z cuts long names there, and shows what is relocated twice: only contents
        assert set(ours(iso, "rr_path").values()) == set(by_7z(iso, tmp_path / "other").values())


def _expected(name: str) -> list[str]:
    """The trees that an image of that name has."""
    words = set(name.split())
    return [
        *(["rr_path"] if words & {"rock", "both", "all", "relocated"} else []),
        *(["joliet_path"] if words & {"joliet", "both", "all"} else []),
        *(["udf_path"] if words & {"udf", "all"} else []),
        "iso_path",
    ]


def _is_as_the_source(files: dict[str, str], source: Path, keyword: str) -> None:
    """Two programs could be wrong alike: each file of the source is there, by its content."""
    contents = {path: sha256((source / path).read_bytes()).hexdigest() for path in made.paths(source)}
    missing = {path for path, content in contents.items() if content not in files.values()}
    assert missing <= {f"{made.DEEP}/deep.txt", made.LONG}  # what not every maker can
    if keyword != "iso_path":
        assert {files[path] for path in EVERYWHERE} == {contents[path] for path in EVERYWHERE}
