# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.power [further options of pytest, such as -k ipmi]

In a network of its own, which has nothing but loopback and one cable, and where /usr/local/sbin is the test's.
What the playbooks and the BMCs said: build/power.
"""

from __future__ import annotations

import sys

from tests.lab.apart import run_tests
from tests.tools import community_general

if __name__ == "__main__":
    sys.exit(run_tests(__file__, sys.argv[1:], prepare=community_general.folder))
