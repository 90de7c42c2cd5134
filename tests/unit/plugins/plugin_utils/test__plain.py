# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.homelab.netboot.plugins.plugin_utils._plain import overlay, plain


def test_what_ansible_read_becomes_what_yaml_can_write() -> None:
    text = "{a: [1, 2.5, true, null, text], b: {c: d}}"
    tagged = DataLoader().load(text)
    assert tagged["b"]["c"].__class__ is not str  # else there would be nothing to do
    result = plain(tagged)
    assert result == yaml.safe_load(text)
    assert [item.__class__ for item in result["a"]] == [int, float, bool, type(None), str]
    assert {key.__class__ for key in result} == {str}
    assert yaml.safe_load(yaml.safe_dump(result)) == result


def test_mappings_are_merged_and_lists_are_replaced() -> None:
    base = {"a": {"x": 1, "y": 2}, "l": [1], "k": 0}
    assert overlay(base, {"a": {"y": 3}, "l": [2], "new": {}}) == {
        "a": {"x": 1, "y": 3},
        "l": [2],
        "k": 0,
        "new": {},
    }
    assert base == {"a": {"x": 1, "y": 2}, "l": [1], "k": 0}
