# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Compare shim and GRUB with what module efi_loaders noted of them beside them. Writes nothing."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any, Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._destination import load
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import MANIFEST

SITE = "run homelab.netboot.site"
MAX_READ = 16 << 20  # bytes of a loader; Ubuntu's GRUB has 2.5 MB


@dataclass(frozen=True)
class LoaderProof:
    """What was found of one loader. `signers`: the authorities of its signatures, read when it was chosen."""

    path: str
    version: str | None
    source: str
    sha256: str
    signers: tuple[str, ...]
    fault: str


def prove(top: str) -> tuple[list[LoaderProof], list[str]]:
    """Read all loaders in a folder and those below; return what was found of each, and of which nothing is known."""
    found: list[LoaderProof] = []
    faults: list[str] = []
    for folder, folders, names in os.walk(top):
        folders.sort()
        records = load(os.path.join(folder, MANIFEST))
        found += _known(folder, records)
        unknown = [
            name for name in sorted(names) if name.startswith(("shim", "grub")) and name not in records
        ]
        faults += [
            f"{folder}/{name} is not in {MANIFEST}, so nothing is known of it: {SITE}." for name in unknown
        ]
    return found, faults


def _known(folder: str, records: dict[str, Any]) -> Iterator[LoaderProof]:
    for name, record in sorted(records.items()):
        path = os.path.join(folder, name)
        try:
            sha256, signers = str(record["sha256"]), tuple(map(str, record["signers"]))
            source, version = str(record["source"]), record.get("version")
        except (LookupError, TypeError, AttributeError):
            yield LoaderProof(path, None, "", "", (), f"{path}: its note cannot be read, so {SITE}.")
            continue
        yield LoaderProof(path, version, source, sha256, signers, _fault(path, sha256))


def _fault(path: str, sha256: str) -> str:
    try:
        with open(path, "rb") as file:
            now = hashlib.sha256(file.read(MAX_READ)).hexdigest()
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}): {SITE}."
    # a run trusts size and times, as for images, and would leave it as it is
    return (
        ""
        if now == sha256
        else f"{path} has the SHA-256 {now}, and {sha256} was verified. Remove it, and {SITE}."
    )
