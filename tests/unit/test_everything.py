# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test` runs each target of the Makefile that tests something, once, and no other."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.tests.tools import everything

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))
NO_TESTS = {"help", "setup", "demo", "demo-picture", "docs", "docs-site", "clean", "test"}
#: It needs Chromium, a night, somebody who looks at the measures.
BY_ITSELF = {"page", "fuzz-guided", "bench"}
TARGETS = [target for _lanes, targets, beside in everything.STAGES for target in (*targets, *beside)]
pytestmark = pytest.mark.skipif(not (ROOT / "Makefile").exists(), reason="the collection's tarball has none")


def test_each_target_is_run() -> None:
    there = set(re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text()))
    assert {target.split()[0] for target in TARGETS} == there - NO_TESTS - BY_ITSELF


def test_each_scenario_is_run_once() -> None:
    run = collections.Counter(target.split()[1] for target in TARGETS if target.startswith("molecule "))
    assert run == collections.Counter(SCENARIOS)
    assert len(SCENARIOS) > 10
