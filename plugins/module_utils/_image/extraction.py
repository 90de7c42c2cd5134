# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Copy files out of an ISO image into a folder: `decide` makes a plan, `act` carries it out.

What opens the image and copies is in `taking`, with all that it needs; a run that changes nothing loads none of it,
which is most of what such a run would take beside Ansible itself.
"""

from __future__ import annotations

import os
import stat
from typing import Any, Callable

from ansible_collections.homelab.netboot.plugins.module_utils._destination import (
    check_place,
    holds,
    load,
    save,
    stamp,
)
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso_error import IsoError, reading
from ansible_collections.homelab.netboot.plugins.module_utils._image.steps import Extraction, Step

__all__ = ("Extraction", "Step")  # as if they were defined here

MANIFEST = ".iso_boot_files.json"  # in the destination: what the files were when they were last compared


def decide(src: str, dest: str, files: dict[str, str], check: bool = False, diff: bool = False) -> Extraction:
    """Compare the image's files with those in the folder `dest`; write nothing.

    The image is not opened when the manifest in `dest` knows it and every file. `check` asks for the
    checksums of files that are to be written, `diff` for those that they replace.
    Raises UserError (an IsoError, where it is about the image) for all that can be foreseen to fail.
    """
    wanted = targets(files)
    with reading(src):
        if not stat.S_ISREG(os.stat(src).st_mode):
            raise IsoError(f"{src} is no file. Give the path of an ISO image on this host.")
        iso = stamp(os.stat(src))
    records = load(os.path.join(dest, MANIFEST))
    places = [(source, name, os.path.join(dest, name)) for source, name in wanted]
    for _source, _name, path in places:
        check_place(path)
        if os.path.exists(path) and os.path.samefile(path, src):
            raise UserError(f"{path} is the ISO itself: choose another name for the file from it.")
    held = {name: records[name] for source, name, path in places if _holds(records, name, iso, source, path)}
    if len(held) == len(places):
        steps = [
            Step(source, name, path, held[name]["file"][0], held[name]["sha256"], changed=False)
            for source, name, path in places
        ]
        return Extraction(src, dest, iso, held[wanted[0][1]]["release"], steps)

    from ansible_collections.homelab.netboot.plugins.module_utils._image import taking  # noqa: PLC0415 - see above

    return taking.look(src, dest, iso, places, held, check=check, diff=diff)


def _holds(records: dict[str, Any], name: str, iso: list[int], source: str, path: str) -> bool:
    return holds(records, name, iso, source, path) and isinstance(
        records[name].get("release", 0), (str, type(None))
    )


def act(plan: Extraction, prepare: Callable[[Step, str], object]) -> None:
    """Write the files that the plan says are to change, all or none, and fill in their checksums.

    `prepare` sets owner and mode of each temporary file before the first file is put in its place.
    """
    if any(step.changed and step.extent for step in plan.steps):
        from ansible_collections.homelab.netboot.plugins.module_utils._image import taking  # noqa: PLC0415

        taking.take(plan, prepare)


def remember(plan: Extraction) -> None:
    """Write the manifest, if it says anything new. It saves time only, so a failure is none."""
    manifest = os.path.join(plan.dest, MANIFEST)
    records = {
        name: record
        for name, record in load(manifest).items()
        if os.path.exists(os.path.join(plan.dest, name))
    }
    for step in plan.steps:
        try:
            now = stamp(os.lstat(step.path))
        except OSError:
            return
        records[step.name] = {
            "iso": plan.iso,
            "release": plan.release,
            "source": step.source,
            "file": now,
            "sha256": step.checksum,
        }
    save(manifest, records)


def targets(files: dict[str, Any]) -> list[tuple[str, str]]:
    """Check the option `files`; return (path in the image, name in the destination) in normal form."""
    result: list[tuple[str, str]] = []
    for source, name in files.items():
        path = "/".join(part for part in source.split("/") if part not in ("", "."))
        if not path or ".." in path.split("/"):
            raise UserError(f"files: {source!r} is no path in an ISO: give one like casper/vmlinuz.")
        if not isinstance(name, str) or not name or name.endswith("/") or "\0" in name:
            raise UserError(f"files: {source} needs a file name, not {name!r}.")
        normal = os.path.normpath(name)
        if os.path.isabs(name) or ".." in name.split("/") or normal in (".", MANIFEST):
            raise UserError(f"files: {source} cannot go to {name!r}: give a file name inside dest.")
        for other, taken in result:
            if (normal + "/").startswith(taken + "/") or (taken + "/").startswith(normal + "/"):
                raise UserError(f"files: {other} and {source} both go to {taken}: give each its own name.")
        result.append((path, normal))
    if not result:
        raise UserError("files: is empty: name at least one file.")
    return result
