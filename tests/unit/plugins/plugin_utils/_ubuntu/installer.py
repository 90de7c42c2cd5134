# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer's live system in a folder: our files as cloud-init writes them, our commands as Subiquity runs them.

The programs are those that are carried there. Only the places where they look and write are others, and what would
start this very computer anew writes a file instead.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import WIPE, program_mark
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import live

#: Texts of the programs, and what stands for them here; each program must have those that are its own.
PLACES = {
    "guard": {"/sys/class": "{0}/class", '"/autoinstall.yaml"': '"{0}/autoinstall.yaml"'},
    "report": {
        "/sys/class/tty/console/active": "{0}/consoles",
        '"/dev/" + name': '"{0}/dev/" + name',
        '"systemctl", "reboot"': '"sh", "-c", "echo reboot >{0}/restarted"',
        "/var/log/installer": "{0}/log",
        "(0, 1, 4, 10, 20, 40, 60)": "(0, 0)",
        "LAST_WORDS, READING = 5, 30": "LAST_WORDS, READING = 1, 0",
    },
    "begin": {},
}


class Live:
    """A live system that knows a machine; `run` is one of the commands that stand in user-data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reason = folder / "run/reason"
        for name in ("run", "bin", "dev", "log", "class"):
            (folder / name).mkdir()
        self.wipe = "always"

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def program(self, name: str, script: str) -> None:
        """Put a program of this live system's own before those of this computer."""
        self.write(f"bin/{name}", f"#!/bin/sh\n{script}\n")
        (self.folder / "bin" / name).chmod(0o755)

    def carry(self, machine: Mapping[str, Any], base_url: str = "", patience: int = 20) -> None:
        """What cloud-init does with write_files."""
        programs = {program_mark(Path(path).name): text for path, text in live.programs().items()}
        for file in live.files(machine, base_url):
            name = Path(file["path"]).name
            assert file["path"] == f"{live.FOLDER}/{name}"
            text = programs.get(file["content"], file["content"]).replace(WIPE, self.wipe)
            text = text.replace(f'"patience": {live.PATIENCE}', f'"patience": {patience}')
            for place, here in PLACES.get(name.removesuffix(".py"), {}).items():
                assert place in text, (name, place)
                text = text.replace(place, here.format(self.folder))
            # none of the programs may start this computer anew; in the settings it is a text of the inventory's
            assert name == "settings.json" or "systemctl" not in text
            self.write(f"run/{name}", text)

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """What Subiquity does with a command; the reason of an earlier one is gone."""
        assert live.FOLDER in command
        path = f"{self.folder}/bin:{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin"
        return subprocess.run(
            ["sh", "-c", command.replace(live.FOLDER, f"{self.folder}/run")],
            env={"PATH": path, "LC_ALL": "C", "PYTHONPATH": "/nowhere", **environment},
            cwd=self.folder / "class",
            capture_output=True,
            text=True,
            check=False,
        )

    def why(self) -> str:
        """The reason why it was stopped, as the server is told it, or nothing."""
        return self.reason.read_text(encoding="ascii").partition("\n")[0] if self.reason.exists() else ""

    def advice(self) -> list[str]:
        """What a person before the machine is told: what is wrong, and what is to be done."""
        return self.reason.read_text(encoding="ascii").splitlines()[1:]


def command(section: str, place: int = 0) -> str:
    """One of our commands, by its section and its place there."""
    before, after = live.commands("http://192.168.1.50")[f"{section}-commands"]
    return [*before, *after][place]
