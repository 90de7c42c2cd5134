# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of Python's of which only some files are used, and nothing is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def fetch(package: str, folder: Path) -> Path:
    """Download the wheel of a package, such as "ansible==12.3.0", without those that it needs."""
    options = ["--disable-pip-version-check", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel
