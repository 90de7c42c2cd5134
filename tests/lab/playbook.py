# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the project's site.yml, as a user does, and tells its tasks as they happen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client import Machine
from .common import ROOT, LabError
from .server import Server, key

_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?P<name>.*?)\] \**$")
_RESULT = re.compile(r"^(?P<state>ok|changed|skipping|fatal|failed|included): \[?(?P<host>[^\]\s:]+)")


@dataclass(frozen=True)
class Task:
    """A task that has ended. state: ok, changed, skipping or failed, the strongest of all hosts'.

    results: of all hosts, and of a loop each item's, as far as Ansible shows them.
    """

    name: str
    state: str
    seconds: float
    results: int = 1


class Tasks:
    """Finds the tasks in the lines that ansible-playbook prints. Pure but for the clock given to it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.name = ""
        self.states: list[str] = []
        self.started = clock()

    def feed(self, line: str) -> Task | None:
        """The task that has ended with this line: when the next one begins, or the recap."""
        if found := _RESULT.match(line):
            self.states.append({"fatal": "failed"}.get(found["state"], found["state"]))
        begins = _TASK.match(line)
        if not begins and not line.startswith("PLAY RECAP"):
            return None
        state = next((kind for kind in ("failed", "changed", "ok") if kind in self.states), "skipping")
        seconds = self.clock() - self.started
        done = Task(self.name, state, seconds, len(self.states)) if self.name else None
        self.name = begins["name"] if begins else ""
        self.states = []
        self.started = self.clock()
        return done


def write_inventory(
    path: Path, servers: Mapping[str, Server], caches: Mapping[str, tuple[str, Server, str]] | None = None
) -> Path:
    """An inventory that only says how the servers of the lab are reached, and where they are in its network.

    caches: by name of a server its cache: name, how it is reached, and its network's name.
    """
    hosts: dict[str, Any] = {
        # each has all machines to itself
        name: {**server.ansible_vars(), "netboot_address": server.lan_address, "netboot_servers": [name]}
        for name, server in servers.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    inventory = {"netboot_servers": {"hosts": hosts}}
    if caches:
        inventory["netboot_caches"] = {
            "hosts": {
                name: {
                    **box.ansible_vars(),
                    "netboot_cache_address": f"{box.lan_address}/24",
                    "netboot_network_name": network,
                    "netboot_servers": [owner],
                }
                for owner, (name, box, network) in caches.items()
            }
        }
    path.write_text(json.dumps(inventory, indent=2) + "\n", encoding="utf-8")
    return path


def write_machines(place: Path, box: Server, machines: Iterable[Machine]) -> Path:
    """The machines, behind the server, where this host is not: ssh goes by way of it, and trusts no unknown key."""
    own = box.ansible_vars()
    private = own["ansible_ssh_private_key_file"]
    jump = f"ssh -i {private} {own['ansible_ssh_common_args']} -W %h:%p root@{box.address}"
    known = place / "known_hosts"
    known.unlink(missing_ok=True)
    options = ("StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}", f'ProxyCommand="{jump}"')
    reached = {
        "ansible_user": "ubuntu",
        "ansible_ssh_private_key_file": private,
        "ansible_ssh_common_args": " ".join(f"-o {option}" for option in options),
        "ansible_python_interpreter": "/usr/bin/python3",
        "netboot_ssh_keys": [key().with_suffix(".pub").read_text(encoding="utf-8").strip()],
    }
    hosts = {machine.name: {"netboot_mac": machine.mac, **reached} for machine in machines}
    path = place / "provisioned.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"netboot_machines": {"hosts": hosts}}, indent=2) + "\n", encoding="utf-8")
    return path


def program(name: str) -> str:
    """The program of this name that belongs to this very Python, else the one on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else name


def command(inventories: Iterable[Path], extra: Mapping[str, Any], book: str = "site.yml") -> list[str]:
    """The command line."""
    sources = [word for path in inventories for word in ("-i", os.path.relpath(path, ROOT))]
    variables = ["-e", json.dumps(extra)] if extra else []
    return [program("ansible-playbook"), book, *sources, *variables]


def run_site(
    argv: Sequence[str],
    log: Path,
    tell: Callable[[Task | str], None],
    hear: Callable[[str], None] = lambda _line: None,
) -> float:
    """Run it from the project's root; its whole output goes to the log. Returns the seconds.

    tell: called with the name of each task that begins, and with each Task that has ended.
    hear: called with each line before that.
    LabError with the last lines when it fails.
    """
    started = time.monotonic()
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "PYTHONUNBUFFERED": "1"}
    # An emulated machine beside other tests answers sudo and ssh slowly; Ansible gives them 10 s unless told otherwise.
    environment.setdefault("ANSIBLE_TIMEOUT", "60")
    environment["PWD"] = str(ROOT)  # as the user's shell says it
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    log.parent.mkdir(parents=True, exist_ok=True)
    tasks = Tasks()
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        with log.open("w", encoding="utf-8") as out:
            for line in process.stdout:
                out.write(line)
                out.flush()
                hear(line.rstrip("\n"))
                if done := tasks.feed(line.rstrip("\n")):
                    tell(done)
                if tasks.name and _TASK.match(line.rstrip("\n")):
                    tell(tasks.name)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if code != 0:
        last = "\n".join(log.read_text(encoding="utf-8").strip().splitlines()[-25:])
        raise LabError(f"ansible-playbook ended with exit code {code}; its whole output is in {log}\n{last}")
    return time.monotonic() - started


def run_apart(
    top: Path, argv: Sequence[str | Path], collections: Sequence[Path] = (), **more: str
) -> tuple[int, str]:
    """Run ansible-playbook with nothing of the user's own settings; its code, and what it says in one line.

    top: its home, where its whole output is kept in `output`. collections: places of others than ours. more: variables
    of its environment.
    """
    settings = top / "ansible.cfg"
    settings.touch()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "ANSIBLE_COLLECTIONS_PATH": ":".join(str(one) for one in (ROOT / ".collections", *collections)),
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_HOME": str(top),
        "ANSIBLE_NOCOLOR": "true",
        **more,
    }
    done = subprocess.run(
        [program("ansible-playbook"), *argv], env=environment, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    (top / "output").write_text(said, encoding="utf-8")
    return done.returncode, " ".join(said.replace("''", "'").split())
