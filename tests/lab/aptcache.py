# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages that one container fetched, kept for the next.

Each container has a folder of its own as /var/cache/apt/archives, because apt locks it; it starts with hard
links to what all have fetched before. apt writes new files under other names and then renames them, so a
linked file is never changed. apt checks every file against its signed lists before it uses it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from .common import CACHE


def pool(suite: str) -> Path:
    """Where the packages of a suite are kept."""
    return CACHE / "apt" / suite


def folder(container: str) -> Path:
    """The container's own folder, on the same file system as the pool."""
    return CACHE / "apt" / "in-use" / container


def link_debs(source: Path, target: Path) -> None:
    """Hard-link every package in source into target, where it is missing."""
    target.mkdir(parents=True, exist_ok=True)
    for deb in source.glob("*.deb"):
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(deb, target / deb.name)


def lend(suite: str, container: str) -> Path:
    """A new folder for the container, filled from the pool."""
    mine = folder(container)
    shutil.rmtree(mine, ignore_errors=True)
    pool(suite).mkdir(parents=True, exist_ok=True)
    link_debs(pool(suite), mine)
    return mine


def take_back(suite: str, container: str) -> None:
    """Keep what the container fetched, and remove its folder."""
    mine = folder(container)
    if mine.is_dir():
        link_debs(mine, pool(suite))
        shutil.rmtree(mine, ignore_errors=True)
