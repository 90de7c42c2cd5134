# SPDX-License-Identifier: GPL-3.0-or-later
"""See plugins/modules/boot_images.py. On the controller, since a module's words are shown only at its end.

The module is run as any other. While it downloads, it writes down how far it is; a thread looks at that file.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
import json
import secrets
import shlex
import sys
import threading
from collections.abc import Iterator
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.homelab.netboot.plugins.module_utils._image.progress import FOLDER
from ansible_collections.homelab.netboot.plugins.plugin_utils._progress import Lines, is_brought

#: Seconds to the first look, which a run that downloads nothing does not reach; and between two.
FIRST, PAUSE = 2.0, 3.0
#: Seen while this file is read, before Ansible's processes for the tasks, which have no output of their own, are made.
TERMINAL = sys.stdout.isatty()


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs the module, and shows how far it is."""

    TRANSFERS_FILES = False
    _supports_async = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = dict(self._task.args)
        if self._task.async_val or not self._may_download(given):
            result |= self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
            return result
        given["progress"] = secrets.token_hex(8)
        host = (task_vars or {}).get("inventory_hostname", "")
        with self._looking(f"{given['path']}/{FOLDER}/{given['progress']}", host):
            result |= self._execute_module(module_args=given, task_vars=task_vars)
        return result

    def _may_download(self, given: dict[str, Any]) -> bool:
        """Whether there may be something to show. The module says what is wrong with its options."""
        images = given.get("images")
        if self._task.check_mode or self._task.no_log or "path" not in given or not isinstance(images, dict):
            return False
        return any(isinstance(image, dict) and is_brought(image) for image in images.values())

    @contextlib.contextmanager
    def _looking(self, path: str, host: str) -> Iterator[None]:
        over = threading.Event()
        look = copy.copy(self)  # a command that begins changes the objects of connection and become
        look._connection = copy.copy(self._connection)
        if self._connection.become:
            look._connection.set_become_plugin(copy.copy(self._connection.become))
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(look._show, path, host, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(PAUSE)

    def _show(self, path: str, host: str, over: threading.Event) -> None:
        lines, pause = Lines(TERMINAL), FIRST
        while not over.wait(pause):
            pause = PAUSE
            with contextlib.suppress(Exception):  # it is for people's eyes, and the download goes on
                said = self._low_level_execute_command(f"cat {shlex.quote(path)}", sudoable=True)["stdout"]
                for line in lines.of(json.loads(said)):
                    Display().display(f"{host}: {line}")
