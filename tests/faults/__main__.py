# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.faults [--keep] [further options of pytest, such as -k power]"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.lab import install
from tests.lab.common import LabError, need_root, say


def main() -> int:
    """Let all faults happen; exit code 0 only when each ended as it must."""
    try:
        install.setup()
        need_root()
    except LabError as error:
        say(f"faults: {error}")
        return 1
    return int(pytest.main([str(Path(__file__).parent), "-q", "--tb=short", *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
