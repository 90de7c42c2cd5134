# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITH_EXAMPLES = sorted(
    path
    for folder in ("plugins", "tests")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if "\n    >>> " in path.read_text()
)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(("ansible_collections.homelab.netboot", *parts)))
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0
