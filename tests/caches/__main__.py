# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.caches [further options of pytest, such as -k disk]

In a network of its own, which has nothing but loopback. What nginx and the clients said: build/caches.
"""

from __future__ import annotations

import sys

from tests.lab.apart import run_tests
from tests.mirror import web

if __name__ == "__main__":
    sys.exit(run_tests(__file__, sys.argv[1:], prepare=web.program))
