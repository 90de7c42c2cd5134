# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook says to a person, found in the lines that ansible-playbook prints. Pure."""

from __future__ import annotations

import re

import yaml

WATCHING = "Tell what they do"
"""The task that tells what machines do while they do it; ansible-playbook prints its lines as they are."""
_HEADER = re.compile(r"^(?:(?:TASK|RUNNING HANDLER|PLAY) \[(?P<name>.*?)\]|PLAY RECAP) \**$")
_RESULT = re.compile(r"^(?P<state>[a-z]+): \[[^\]]+\].*?(?P<more> =>)?\s*$")


class Said:
    """Messages (`msg` of good results that are shown), and what is told of machines meanwhile."""

    def __init__(self) -> None:
        self.task = ""
        self.block: list[str] | None = None

    def feed(self, line: str) -> list[str]:
        """The lines for a person that have ended with this one."""
        if self.block is not None and line.startswith("    "):
            self.block.append(line)
            return []
        told = self._message()
        if header := _HEADER.match(line):
            self.task = header["name"] or ""
        elif result := _RESULT.match(line):
            self.block = [] if result["more"] and result["state"] != "fatal" else None
        elif self.task == WATCHING and line.strip():
            told.append(line)
        return told

    def _message(self) -> list[str]:
        """The message of the result that is over now."""
        block, self.block = self.block, None
        shown = yaml.safe_load("\n".join(block)) if block else None
        message = shown.get("msg", []) if isinstance(shown, dict) else []
        return [str(one) for one in message] if isinstance(message, list) else str(message).splitlines()
