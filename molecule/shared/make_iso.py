# SPDX-License-Identifier: GPL-3.0-or-later
"""make_iso.py PATH: a small image in the shape of Ubuntu's, and PATH.sha256 beside it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from tests.unit.isos import make_iso, ubuntu_files

path = Path(sys.argv[1])
path.parent.mkdir(parents=True, exist_ok=True)
make_iso(path, ubuntu_files(), joliet=True)
path.with_name(path.name + ".sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
