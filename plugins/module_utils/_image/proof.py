# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Compare each file of each version, all of it, with what its manifest says. Writes nothing."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import Any, Iterator, Sequence

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import fetch
from ansible_collections.homelab.netboot.plugins.module_utils._image.store import (
    CURRENT,
    RECORD,
    Store,
    Version,
)

SITE = "run homelab.netboot.site"


@dataclass
class Proof:
    """What was found of one version: `known` is its manifest, if that can be read."""

    image: str
    name: str
    folder: str
    used: bool
    known: Version | None
    faults: list[str] = field(default_factory=list)


def images(root: str, wanted: Sequence[str]) -> list[str]:
    """The images that are to be looked at, all when none is named. UserError for one that is not there."""
    there = sorted(
        name for name in _names(root) if name[0] != "." and os.path.isdir(os.path.join(root, name))
    )
    for name in wanted:
        if name not in there:
            raise UserError(
                f"image {name} is not in {root}; there: {', '.join(there) or 'none'}. Name one of them, or {SITE}."
            )
    if not there:
        raise UserError(f"there is no image in {root}: {SITE} first.")
    return [name for name in there if not wanted or name in wanted]


def prove(root: str, image: str) -> tuple[list[Proof], list[str]]:
    """Read all versions of an image; return what was found of each, and what is wrong with the image itself."""
    store = Store(root, image, check=True)
    current = store.current()
    folders = [name for name in _names(store.folder) if name != CURRENT]
    faults = []
    if current not in folders:
        faults.append(f"{store.path(CURRENT)} leads to no version: {SITE}.")
    return [_proof(store, name, used=name == current) for name in folders], faults


def _proof(store: Store, name: str, *, used: bool) -> Proof:
    folder = store.path(name)
    known = store.recorded(name)
    if known and set(known.files) != store.names():
        known = None
    proof = Proof(store.name, name, folder, used, known)
    again = f"Remove {folder}, and {SITE}" + ("" if used else " if it is still wanted")
    if not os.path.isdir(folder) or os.path.islink(folder):
        proof.faults.append(f"{folder} is no folder of a version. Remove it.")
    elif known is None:
        proof.faults.append(f"{folder}/{RECORD} is no manifest of this version. {again}.")
    else:
        proof.faults += [f"{fault}. {again}." for fault in _differences(store, known)]
        surplus = sorted({*_names(folder)} - {*known.files, RECORD})
        proof.faults += [f"{store.path(name, one)} is no file of this version. Remove it." for one in surplus]
    return proof


def _differences(store: Store, known: Version) -> Iterator[str]:
    for name, noted in sorted(known.files.items()):
        path = store.path(known.name, name)
        try:
            info = os.lstat(path)
        except OSError as error:
            yield f"{path} cannot be looked at ({error.strerror})"
            continue
        if not stat.S_ISREG(info.st_mode):
            yield f"{path} is no file"
        elif info.st_size != noted["size"]:
            yield f"{path} has {info.st_size} bytes, and {noted['size']} were verified"
        else:
            yield from _content(path, noted)
    iso = known.files[store.iso_name]
    if (known.reduced_from or iso)["sha256"] != known.digest:
        yield f"{store.path(known.name, RECORD)} contradicts itself: it has two checksums of the ISO"


def _content(path: str, noted: dict[str, Any]) -> Iterator[str]:
    try:
        digest = fetch.digests(path, ["sha256"])["sha256"]
    except UserError as error:
        yield str(error).rstrip(".")
        return
    if digest != noted["sha256"]:
        yield f"{path} has the SHA-256 {digest}, and {noted['sha256']} was verified"


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
