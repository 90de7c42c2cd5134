# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the boot matrix did what it must."""

from __future__ import annotations

import pytest

from tests.matrix.fleet import Outcome
from tests.matrix.rows import Row


def test_row(row: Row, outcomes: dict[str, Outcome]) -> None:
    """No check of the row found a fault."""
    faults = outcomes[row.name].faults
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)
