# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.matrix [--row PART_OF_NAME] [further options of pytest]"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.lab import install
from tests.lab.common import LabError, need_root, say


def main() -> int:
    """Run the matrix; exit code 0 only when every row is as it must be."""
    try:
        install.setup()
        need_root()
    except LabError as error:
        say(f"matrix: {error}")
        return 1
    return int(pytest.main([str(Path(__file__).parent), "-s", "-q", "--tb=short", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
