# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.isos [further options of pytest, such as -k large]

What the other programs said, and the images that were made: build/isos.
"""

from __future__ import annotations

import sys

from tests.lab.apart import run_tests

if __name__ == "__main__":
    sys.exit(run_tests(__file__, sys.argv[1:], is_apart=False))
