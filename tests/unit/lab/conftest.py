# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test imports tests as parts of the collection; the lab is none, so its place is named here."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))
