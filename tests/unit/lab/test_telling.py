# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and changes in words."""

from __future__ import annotations

import pytest

from tests.lab.telling import changes, human


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (75072, "75.1 kB"),
        (119524, "120 kB"),
        (35031040, "35.0 MB"),
        (2 * 10**12, "2000 GB"),
    ],
)
def test_human(size: int, text: str) -> None:
    assert human(size) == text


def test_changes_are_read_from_the_inventory() -> None:
    text = "a:\n  b: 1 # CHANGE (1 of 2): its address\n# CHANGE (2 of 2) who may log in\n# more\nc: 2\n"
    assert changes(text) == [("b: 1", "its address"), ("c: 2", "who may log in")]
