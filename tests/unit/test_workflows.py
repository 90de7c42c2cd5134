# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows run what was read: actions are pinned by commit, and what runs before a commit is of `make lint`.

Each ansible-core from the oldest supported one on is tried, and only the one that is being written may fail.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="the collection's tarball has no workflows")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_action_is_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"(?m)^ *-? *uses: (.+)$", path.read_text())
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_the_quick_linters_are_those_of_make_lint() -> None:
    known = set(re.findall(r"(?m)^check_(\w+)\(\)", (ROOT / "tests/tools/lint.sh").read_text()))
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    called = [hook["entry"].split() for hook in local["hooks"]]
    assert {entry[0] for entry in called} == {"tests/tools/lint.sh"}
    assert {name for entry in called for name in entry[1:]} <= known


def test_each_ansible_core_is_tried_and_only_devel_may_fail() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["ansible-core"]
    rows = [f"{row['core']} {row['python']}" for row in job["strategy"]["matrix"]["include"]]
    oldest = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    assert re.fullmatch(r">=(\d+\.\d+)\.0", oldest)[1] == rows[0].split()[0]  # type: ignore[index]
    (default,) = re.findall(r"pairs=\((\"\d.*\")\)", (ROOT / "tests/tools/cores.sh").read_text())
    assert [row for row in rows if not row.startswith("devel ")] == re.findall(r'"([^"]+)"', default)
    assert rows[-1].startswith("devel ")
    assert job["continue-on-error"] == "${{ matrix.core == 'devel' }}"
    assert job["steps"][-1]["run"] == 'tests/tools/cores.sh "${{ matrix.core }} ${{ matrix.python }}"'
