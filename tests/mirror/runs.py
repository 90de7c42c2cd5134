# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller, which has a real ansible-playbook bring images into a folder of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lab.common import ROOT

#: The last task says what the module returned.
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - homelab.netboot.boot_images: "{{ asked | combine({'images': given | homelab.netboot.images}) }}"
      register: done
      ignore_errors: true
    - ansible.builtin.debug: {msg: "ANSWER {{ done | to_json }}"}
"""


class Controller:
    """Runs the module by a playbook. `said` is what Ansible said, `argv` further options of ansible-playbook."""

    def __init__(self, top: Path) -> None:
        self.top, self.images, self.said = top, top / "images", ""
        self.partial = self.images / ".partial"

    def start(
        self, url: str, checksum: str, *argv: str, out: int = subprocess.PIPE, more: str = "", **asked: Any
    ) -> Any:
        """Begin; the process. `more`: further lines of the task."""
        playbook = self.top / "play.yml"
        playbook.write_text(
            PLAY.replace("      register: done\n", f"      register: done\n{more}"), encoding="utf-8"
        )
        settings = self.top / "ansible.cfg"
        settings.touch()
        given = {
            "asked": {"path": str(self.images), "timeout": 5, "patience": 20, **asked},
            "given": {"noble": {"url": url, "checksum": checksum}},
            "ansible_python_interpreter": sys.executable,
        }
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_CONFIG": str(settings),
            "ANSIBLE_BECOME_ALLOW_SAME_USER": "true",  # else root becomes nobody
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "no_proxy": "127.0.0.1",
        }
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [program, "-i", "localhost,", "-c", "local", "-e", json.dumps(given), *argv, str(playbook)]
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)

    def __call__(self, url: str, checksum: str, *argv: str, **asked: Any) -> dict[str, Any]:
        """Run it; what the module returned."""
        process = self.start(url, checksum, *argv, **asked)
        self.said = process.communicate(timeout=120)[0].decode()
        (self.top / "said.log").write_text(self.said, encoding="utf-8")
        return self.answer()

    def on_a_terminal(self, url: str, checksum: str, lines: int) -> None:
        """Run it with a terminal for its output, until it has said so many lines of the download; then kill it."""
        ours, theirs = pty.openpty()
        process = self.start(url, checksum, out=theirs)
        os.close(theirs)
        self.said = ""
        with contextlib.suppress(OSError):  # the other end is closed
            while len(self.lines()) < lines:
                self.said += os.read(ours, 1 << 16).decode().replace("\r\n", "\n")
        self.kill(process)
        os.close(ours)

    def answer(self) -> dict[str, Any]:
        """Return what the module returned."""
        assert "Traceback" not in self.said
        found = re.search(r'"msg": ("ANSWER .*")$', self.said, re.MULTILINE)
        assert found, self.said
        done: dict[str, Any] = json.loads(json.loads(found[1]).removeprefix("ANSWER "))
        return done

    def kill(self, process: Any) -> None:
        """End a run that was started, as a power cut would, and all that it began."""
        for one in [process.pid, *below(process.pid)]:
            os.kill(one, signal.SIGKILL)
        process.communicate(timeout=30)

    def there(self) -> int:
        """Bytes that have come of an image that is not complete."""
        files = [path for path in self.partial.glob("*") if len(path.name) == 32]
        return files[0].stat().st_size if files else 0

    def lines(self) -> list[str]:
        """What was said of the download."""
        return [line for line in self.said.splitlines() if line.startswith("localhost: image noble: ")]


def below(top: int) -> list[int]:
    """The processes that a process began, and theirs."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(
                int(stat.parent.name)
            )
    found = list(children.get(top, []))
    for one in found:
        found += children.get(one, [])
    return found


def wait(until: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that comes soon."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def checksum(iso: Path) -> str:
    return "sha256:" + hashlib.sha256(iso.read_bytes()).hexdigest()
