# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/playbooks.md names every playbook that a user calls, with all its options and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAYBOOKS = {path.stem: path.read_text() for path in sorted(ROOT.glob("playbooks/*.yml"))}
CALLED = [name for name, text in PLAYBOOKS.items() if not text.splitlines()[1].startswith("# Imported by")]
PAGE = (ROOT / "docs/playbooks.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}


def whole(name: str) -> str:
    """A playbook with all that it imports.

    >>> "machine_watch" in whole("provision")
    True
    """
    imported = re.findall(r"import_playbook: (\w+)\.yml", PLAYBOOKS[name])
    return PLAYBOOKS[name] + "".join(map(whole, imported))


def test_there_are_playbooks_of_both_kinds() -> None:
    assert {"site", "arm", "remove"} <= set(CALLED)
    assert {"ask", "begin"} <= PLAYBOOKS.keys() - set(CALLED)


def test_each_playbook_has_a_section_and_a_row() -> None:
    assert sorted(SECTIONS) == CALLED
    assert re.findall(r"(?m)^\| \[`(\w+)`\]\(#\1\) \|", PAGE) == list(SECTIONS)


@pytest.mark.parametrize("name", CALLED)
def test_its_options_are_those_of_the_section(name: str) -> None:
    documented = set(re.findall(r"(?m)^\| `(\w+)` \|", SECTIONS[name]))
    said = set(re.findall(r"-e (\w+)=", "\n".join(re.findall(r"(?m)^#.*", PLAYBOOKS[name]))))
    assert said <= documented
    code = re.sub(r"(?m)^ *#.*", "", whole(name))
    assert {
        one for one in documented if not re.search(rf"\b{one} (\| default\(|is (not )?defined)", code)
    } == set()
