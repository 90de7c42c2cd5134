# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file, folder and link of this host, with owner, mode and content, as JSON."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys

#: What is no part of the host as its owner has it: the kernel's, and what is gone at the next start.
SKIPPED = ("/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp")


def main() -> None:
    found = {}
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in SKIPPED]
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            try:
                found[path] = look(path)
            except FileNotFoundError:
                continue  # a moment ago it was there
    json.dump(found, sys.stdout)


def look(path: str) -> str:
    """In words what it is."""
    here = os.lstat(path)
    words = [stat.filemode(here.st_mode), str(here.st_uid), str(here.st_gid)]
    if stat.S_ISLNK(here.st_mode):
        words.append(os.readlink(path))
    elif stat.S_ISREG(here.st_mode):
        with open(path, "rb") as file:
            words.append(hashlib.sha256(file.read()).hexdigest())
    return " ".join(words)


main()
