# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of file_set, without a disk where they need none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils import _file_set
from hypothesis import given
from hypothesis import strategies as st

PARTS = st.text("ab01-.", min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
SETS = st.dictionaries(NAMES, st.binary(max_size=3), max_size=6)


def same(path: str, folder: bool) -> dict[str, Any]:
    """Say that all attributes are as wanted."""
    return {}


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("01-aa", "01-*", True),
        ("01-aa/x", "01-*", False),
        ("a/user-data", "*/user-data", True),
        ("a/b/user-data", "*/user-data", False),
        ("user-data", "*/user-data", False),
        ("A", "a", False),
        ("a1", "a[0-9]", True),
    ],
)
def test_patterns_are_those_of_a_shell(name: str, pattern: str, expected: bool) -> None:
    assert _file_set.matches(name, [pattern]) is expected


def test_folders_of() -> None:
    assert _file_set.folders_of("a/b/c") == ["a", "a/b"]
    assert _file_set.folders_of("a") == []


@given(st.text())
def test_a_name_that_is_let_through_stays_below_the_folder(name: str) -> None:
    try:
        _file_set.check_names([name], [])
    except _file_set.FileSetError:
        return
    assert os.path.normpath(os.path.join("/set", name)) == f"/set/{name}"
    assert "\0" not in name


def test_many_faults_are_counted_not_listed() -> None:
    with pytest.raises(_file_set.FileSetError) as error:
        _file_set.check_names([f"/{number}" for number in range(1000)], [])
    assert len(str(error.value).splitlines()) == 21
    assert str(error.value).endswith("and 980 more like these")


def test_bad_patterns_are_faults_too() -> None:
    with pytest.raises(_file_set.FileSetError, match=r"owned: '\.\./\*' has the part"):
        _file_set.check_names([], ["../*"])


@given(declared=SETS, present=SETS, owned=st.sampled_from([[], ["*"], ["*", "*/*", "*/*/*"], ["a*/*"]]))
def test_the_plan_leads_to_the_declared_set(
    declared: dict[str, bytes], present: dict[str, bytes], owned: list[str]
) -> None:
    """Carrying out a plan by the shortest means leaves what is declared, and what nobody owns."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.realpath(folder)
        _write(root, {n: c for n, c in present.items() if not _clash(n, [*present, *declared])})
        before = _read(root)
        wanted = _file_set.entries(declared, {}, {}, later=False)
        try:
            seen = _file_set.observe(root, wanted, owned, same, lambda name: False)
        except _file_set.FileSetError:
            return  # a folder in the place of a file
        plan = _file_set.make_plan(wanted, seen)
        assert not {*plan.create, *plan.change} & {n for n in before if before[n] == declared.get(n)}
        if any(_clash(name, declared) for name in declared):
            return  # check_names refuses such sets
        _write(root, {name: declared[name] for name in [*plan.create, *plan.change]})
        for name in plan.remove:
            os.unlink(os.path.join(root, name))
        kept = {name: content for name, content in before.items() if not _file_set.matches(name, owned)}
        assert _read(root) == {**kept, **declared}
        again = _file_set.make_plan(wanted, _file_set.observe(root, wanted, owned, same, lambda name: True))
        assert not again.changed


def _clash(name: str, names: Any) -> bool:
    """Whether another name would need this one as a folder, or the reverse."""
    return any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in names)


def _write(root: str, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _read(root: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()
    }
