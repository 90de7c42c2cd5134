# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The folder that a module fills: can it be written, what is there, what was known of it at the last run.

A manifest is a small JSON file in that folder, {"version": 1, "files": {name: record}}. A record has the stamps
of a file and of what it came from: while both are the same, neither needs to be read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from typing import Any, Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError


def stamp(info: os.stat_result) -> list[int]:
    """Change of a file shows in these; the time of its last change of status cannot be set by anybody."""
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino]


def load(manifest: str) -> dict[str, Any]:
    """The manifest's records by file name; none at all when it is missing or damaged."""
    try:
        with open(manifest, encoding="utf-8") as file:
            data = json.load(file)
        return dict(data["files"]) if data["version"] == 1 else {}
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return {}


def save(manifest: str, records: dict[str, Any]) -> None:
    """Write the manifest, if it says anything new. It saves time only, so a failure is none."""
    if records == load(manifest):
        return
    # Only here, since a run that changes nothing does without it.
    from ansible_collections.homelab.netboot.plugins.module_utils._program.files import (  # noqa: PLC0415
        write_file,
    )

    with contextlib.suppress(OSError):
        text = json.dumps({"version": 1, "files": records}, indent=1, sort_keys=True) + "\n"
        write_file(manifest, text.encode())


def holds(records: dict[str, Any], name: str, iso: list[int], source: str, path: str) -> bool:
    """Tell whether the file `path`, and the image that it came from, are still what the record of `name` says."""
    try:
        record = records[name]
        return bool(
            record["iso"] == iso
            and record["source"] == source
            and record["file"] == stamp(os.lstat(path))
            and len(record["sha256"]) == hashlib.sha256().digest_size * 2
        )
    except (OSError, TypeError, LookupError):
        return False


def check_place(path: str) -> None:
    """Raise UserError when no file can be put at `path`."""
    if os.path.isdir(path) and not os.path.islink(path):
        raise UserError(f"{path} is a folder: a file is to be there. Remove it or choose another name.")


def old_size(path: str) -> int | None:
    """Size in bytes of the regular file at `path`; None when there is none."""
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_size if stat.S_ISREG(info.st_mode) else None


def check_folder(dest: str, needed: int) -> None:
    """Raise UserError when `needed` bytes cannot be written to `dest`, before anything is.

    So check mode says the same as a real run.
    """
    folder = os.path.abspath(dest)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise UserError(f"{folder} is no folder, so that {dest} cannot be one. Choose another dest.")
    if not needed:
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"No permission to write to {folder}: become another user or choose another dest.")
    room = os.statvfs(folder)
    free = room.f_frsize * (room.f_bavail if os.geteuid() else room.f_bfree)
    if free < needed:
        raise UserError(
            f"Not enough space in {folder}: {needed} bytes are needed while the old files are still there, "
            f"{free} are free. Nothing was changed."
        )


@contextlib.contextmanager
def making_folders(what: str) -> Iterator[list[str]]:
    """Yield a list for `make_folders`; when the block fails, those folders are removed again.

    An error of the system becomes a UserError: `what` could not be done, and why.
    """
    made: list[str] = []
    try:
        yield made
        made = []
    except OSError as error:
        raise UserError(f"{what}: {_explain(error)}") from error
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # somebody put something there: then it stays
                os.rmdir(folder)


def make_folders(folder: str, made: list[str]) -> None:
    """Make `folder` and those above it where they are missing; add them to `made`, outermost first."""
    missing: list[str] = []
    while not os.path.isdir(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    for path in missing:
        os.mkdir(path)
        made.append(path)


def _explain(error: OSError) -> str:
    """One sentence and the remedy for an error of the system while files were written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"the disk, quota or file size limit is full ({error.strerror}). "
            "Make space there, nothing was changed."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.strerror} ({error.filename}). Become another user or choose another dest."
    return f"{error.strerror} ({error.filename})."
