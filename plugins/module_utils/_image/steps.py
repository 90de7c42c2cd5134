# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The plan that `extraction` makes: which file goes where, and whether it is to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import Extent


@dataclass
class Step:
    """One file: `name` in the destination (`path` in full) from `source` in the image.

    `checksum` is None while nothing asked for it. `before` is what is there now: its size in bytes and, if
    asked for, its checksum; None when it is no file.
    """

    source: str
    name: str
    path: str
    size: int
    checksum: str | None
    changed: bool
    extent: Extent | None = None
    before: tuple[int, str | None] | None = None


@dataclass
class Extraction:
    """What is to be done: everything that check mode, diff and `act` need to know."""

    src: str
    dest: str
    iso: list[int]  # the image's stamp
    release: str | None
    steps: list[Step]
