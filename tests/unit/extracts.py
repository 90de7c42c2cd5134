# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of reading images and of copying out of them share."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._image.extraction import (
    Extraction,
    act,
    decide,
    remember,
)

FILES = {"casper/vmlinuz": "vmlinuz", "casper/initrd": "initrd"}
KERNEL = b"".join(sha256(b"kernel %d" % number).digest() for number in range(220))
INITRD = b"".join(sha256(b"initrd %d" % number).digest() for number in range(660))
KINDS: dict[str, dict[str, Any]] = {
    "rock_ridge": {"rock_ridge": True},
    "joliet": {"rock_ridge": False, "joliet": True},
    "udf": {"rock_ridge": False, "udf": True},
    "plain": {"rock_ridge": False},
    "plain_8.3": {"rock_ridge": False, "level": 1},
    "all": {"rock_ridge": True, "joliet": True, "udf": True},
}


def untouched(folder: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == {"vmlinuz": b"old"}


def extract(iso: Path, folder: Path, files: dict[str, str] | None = None) -> Extraction:
    plan = decide(str(iso), str(folder), files or FILES)
    act(plan, lambda step, path: None)
    remember(plan)
    return plan
