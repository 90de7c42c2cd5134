# SPDX-License-Identifier: GPL-3.0-or-later
"""See plugins/modules/machine_watch.py. On the controller, since a module's words are shown only at its end."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

PROGRAM = "/usr/local/sbin/netboot"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Shows what `netboot watch --json` says that is new."""

    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask and show, until it is over."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(
            {
                "machines": {"type": "list", "elements": "str", "required": True},
                "until": {"type": "str", "choices": ["installed", "up"], "default": "installed"},
                "pause": {"type": "float", "default": 3.0},
                "patience": {"type": "float", "default": 0.0},
            }
        )
        end = time.monotonic() + given["patience"] if given["patience"] else float("inf")
        shown: set[str] = set()
        since: list[str] = []
        until = ["--until-up"] * (given["until"] == "up")
        while True:
            told = self._ask([*until, *since, *given["machines"]])
            since = ["--since", str(told["since"])]
            self._show(told, shown)
            if told["over"] or time.monotonic() > end:
                break
            time.sleep(given["pause"])
        result |= {"changed": False, "machines": told["machines"]}
        if told["failed"]:
            result |= {"failed": True, "msg": told["why"]}
        elif not told["over"]:
            result |= {"failed": True, "msg": f"not over after {given['patience']:g} seconds"}
        return result

    def _ask(self, options: list[str]) -> dict[str, Any]:
        command = shlex.join([PROGRAM, "watch", "--json", *options])
        done = self._low_level_execute_command(command, sudoable=True)
        try:
            told: dict[str, Any] = json.loads(done["stdout"])
        except ValueError:
            said = (done.get("stderr") or done["stdout"]).strip()
            raise AnsibleActionFail(f"netboot watch on the server says: {said or 'nothing'}") from None
        return told

    @staticmethod
    def _show(told: dict[str, Any], shown: set[str]) -> None:
        rows = [
            f"{one['machine']}  [{one['gauge']}]  {one['state']}  {one['text']}" for one in told["machines"]
        ]
        for line in [*told["lines"], *rows]:
            if line not in shown:
                shown.add(line)
                Display().display(line)
