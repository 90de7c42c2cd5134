# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Answers that need not be sought again: as long as nobody has touched the files that they come from.

A module writes its answer down, with a key by which whoever asks knows the question, and with the stamps of all files
on which the answer depends. roles/netboot/files/look.py reads it, and hands it on while every stamp still holds.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Iterable, Mapping

from ansible_collections.homelab.netboot.plugins.module_utils._destination import stamp
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import write_file

#: The option of a module that writes its answer down.
OPTION = {
    "note": {
        "type": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "key": {"type": "str", "required": True, "no_log": False},
        },
    }
}


def write(
    note: Mapping[str, str] | None, answer: Any, files: Iterable[str], until: float | None = None
) -> None:
    """Write an answer down, where the option says so. It saves time only, so a failure is none.

    :param note: C(path), the file; its folder is made, but not those above it. C(key), the question's.
    :param files: paths of all that the answer depends on, also of files that are not there. Links are followed.
    :param until: when the answer ends, in seconds since 1970; V(none) when nothing but its files ends it.
    """
    if not note:
        return
    stamps = {path: stamped(path) for path in files}
    text = json.dumps({"key": note["key"], "answer": answer, "files": stamps, "until": until})
    with contextlib.suppress(OSError):
        folder = os.path.dirname(note["path"])
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
        write_file(note["path"], text.encode(), lambda temporary: os.chmod(temporary, 0o600))


def stamped(path: str) -> list[int] | None:
    """The stamp of what is there; None when nothing is."""
    try:
        return stamp(os.stat(path))
    except OSError:
        return None
