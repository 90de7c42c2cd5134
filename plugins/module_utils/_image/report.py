# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Write down how far a download is, for whoever looks: a module says nothing to Ansible before its end."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict
from types import TracebackType

from ansible_collections.homelab.netboot.plugins.module_utils._image.progress import FOLDER, Told

SECONDS = 0.5  # between two writes


class Report:
    """The file `name` beside the partial files of `root`; none without a name. It is removed at the end."""

    def __init__(self, root: str, name: str) -> None:
        self.path = os.path.join(root, FOLDER, os.path.basename(name)) if name else ""
        self._last, self._key = 0.0, ("", "")

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.path)
            os.rmdir(os.path.dirname(self.path))

    def write(self, told: Told) -> None:
        """Say how far it is. It is for people's eyes, so a failure is none."""
        now, key = time.monotonic(), (told.image, told.trouble)
        if not self.path or (now - self._last < SECONDS and key == self._key):
            return
        self._last, self._key = now, key
        with contextlib.suppress(OSError):
            # not put on the disk: after a power cut nobody looks
            handle = os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(told), file)
            os.replace(self.path + ".new", self.path)
