# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.owners [further options of pytest, such as -k stranger]

In a network of its own, without the host's cards. What dnsmasq and the playbooks said: build/owners.
"""

from __future__ import annotations

import sys

from tests.lab.apart import run_tests

if __name__ == "__main__":
    sys.exit(run_tests(__file__, sys.argv[1:]))
