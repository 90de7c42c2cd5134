# SPDX-License-Identifier: GPL-3.0-or-later
"""make_iso.py PATH: a small image in the shape of Ubuntu's, with PATH.sha256 and a list SHA256SUMS beside it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from tests.unit.isos import make_iso, ubuntu_files

path = Path(sys.argv[1])
path.parent.mkdir(parents=True, exist_ok=True)
make_iso(path, ubuntu_files(), joliet=True)
digest = hashlib.sha256(path.read_bytes()).hexdigest()
path.with_name(path.name + ".sha256").write_text(digest)
path.with_name("SHA256SUMS").write_text(f"{digest} *{path.name}\n")
