# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is killed before its n-th change of a file system, as a power cut or a killed run ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

#: What changes a file system, or waits until it is changed.
CHANGES = ("replace", "rename", "unlink", "rmdir", "mkdir", "symlink", "link", "chmod", "chown", "fsync")


def killed(before: int, work: Callable[[], object]) -> bool:
    """Do it in a process of its own, which SIGKILL ends before that change, counted from 0; False: it came to its end.

    Raises RuntimeError when the work fails.
    """
    child = os.fork()
    if not child:
        status = 1
        try:
            _end_before(before)
            work()
            status = 0
        finally:
            os._exit(status)
    _dummy, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL:
        return True
    if ended:
        raise RuntimeError("the work failed, see above")
    return False


def _end_before(number: int) -> None:
    left = [number]

    def guarded(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return change(*args, **options)

        return call

    for name in CHANGES:
        setattr(os, name, guarded(getattr(os, name)))
