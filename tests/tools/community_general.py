# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the collection community.general, on first use, and print the folder in which Ansible finds it.

It is taken out of PyPI's package `ansible`, the one of the tests' ansible-core, so that no Galaxy server is needed.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from tests.lab.common import CACHE, locked, say
from tests.tools.wheel import fetch

#: The newest whose collections are made for ansible-core 2.19; has community.general 11.4.2.
PACKAGE = "ansible==12.3.0"
PART = "ansible_collections/community/general/"


def folder() -> Path:
    """What belongs into ANSIBLE_COLLECTIONS_PATH."""
    place = CACHE / "collections" / PACKAGE
    with locked("community-general"):
        if not place.exists():
            say(f"Fetching community.general out of PyPI's {PACKAGE} (once, 55 MB) …")
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place.parent) as work:
                wheel = fetch(PACKAGE, Path(work))
                with zipfile.ZipFile(wheel) as packed:
                    parts = [name for name in packed.namelist() if name.startswith(PART)]
                    packed.extractall(Path(work, "made"), parts)
                Path(work, "made").rename(place)
    return place


if __name__ == "__main__":
    print(folder())
