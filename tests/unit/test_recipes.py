# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/recipes.md: its settings exist, its machines are such, and each recipe says how far it was tried."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/recipes.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"(?s)```yaml\n(.+?)```", PAGE)]
SECTIONS = PAGE.split("\n## ")[1:]


def names(value: Any) -> set[str]:
    """Every key of a mapping and of what is in it.

    >>> sorted(names({"a": [{"b": {}}]}))
    ['a', 'b']
    """
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in names(one)}
    return {name for one in value for name in names(one)} if isinstance(value, list) else set()


def test_each_setting_exists() -> None:
    known = {"netboot_servers", "netboot_machines"}
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        known |= names(yaml.safe_load(path.read_text()))
    used = {name for name in names(BLOCKS) if name.startswith(("netboot_", "pxe_"))}
    assert len(used) > 8
    assert used - known == set()


@pytest.mark.parametrize("name", ["lab1", "node1", "node2"])
def test_a_machine_is_one(name: str) -> None:
    (settings,) = [
        block["netboot_machines"]["hosts"][name]
        for block in BLOCKS
        if name in block.get("netboot_machines", {}).get("hosts", {})
    ]
    (machine,) = machines.normalise(machines.from_inventory([name], {name: settings}))
    assert machine["mac"] == settings["netboot_mac"]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.partition("\n")[0])
def test_a_recipe_says_how_far_it_was_tried(section: str) -> None:
    *recipe, last = section.rstrip().split("\n\n")
    assert last.startswith("*Tried*: ")
    assert not [part for part in recipe if "*Tried*" in part]


def test_each_command_of_make_exists() -> None:
    scenarios = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")}
    assert set(re.findall(r"SCENARIO=(\w+)", PAGE)) <= scenarios
    rows = (ROOT / "tests/matrix/rows.py").read_text()
    assert all(row in rows for row in re.findall(r"ROW=([\w-]+)", PAGE))
