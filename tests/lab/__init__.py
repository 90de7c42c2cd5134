# SPDX-License-Identifier: GPL-3.0-or-later
"""The test lab: a router, servers in containers and clients with real firmware, on networks of their own."""

import sys
from pathlib import Path

# Boots are told by the collection's own reader of logs, which Python finds by its full name there. Behind all other
# places: where ansible-test runs unit tests, its own copy goes before.
sys.path.append(str(Path(__file__).resolve().parents[2] / ".collections"))
