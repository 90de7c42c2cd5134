# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role installs on the server is no part of the collection's Python, so its place is named here."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "roles/machine_states/files"))
