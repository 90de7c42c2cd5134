# SPDX-License-Identifier: GPL-3.0-or-later
"""The server that the faults happen to, and its machines as far as HTTP knows them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.lab import lan, playbook, server
from tests.lab.common import BUILD, ROOT, run
from tests.lab.server import Server
from tests.unit.isos import make_iso, ubuntu_files

Seen = Callable[[str], None]
"""Takes what the user sees of a fault."""

NAME, SUITE = "faults", "trixie"
FLEET = [f"m{number:03}" for number in range(200)]
OTHERS = [f"n{number:02}" for number in range(40)]
PLACE = BUILD / NAME
#: How find(1) knows what is being written just now, or what a killed program left.
WRITTEN = "-name '.netboot-*'"

# Of every machine, the token in each of its entries, with the entry whole from its first line to its last.
OFFERED = """
import json, re
plan = json.load(open("/var/lib/netboot/plan/machines.json"))
found = {}
for name, machine in plan.items():
    mac = machine["mac"]
    for path, end in (
        ("tftp/pxelinux.cfg/01-" + mac.replace(":", "-"), r"(IPAPPEND 2|LOCALBOOT -1)\\n(# version \\d+ END\\n)?$"),
        ("http/grub/machines/" + mac + ".cfg", r"(then boot; fi\\ndone|exit)\\n(# version \\d+ END\\n)?$"),
    ):
        try:
            text = open("/srv/netboot/" + path).read()
        except FileNotFoundError:  # it gets what all others get: its disk
            found.setdefault(name, []).append("-")
            continue
        assert text.startswith("# Managed by Ansible") and re.search(end, text), (path, text)
        token = re.search("/machines/" + name + "/([0-9a-f]{32})/", text)
        found.setdefault(name, []).append(token[1] if token else "-")
print(json.dumps(found))
"""


class Box:
    """A server with site.yml's work on it; 240 machines, all armed at first."""

    def __init__(self, box: Server) -> None:
        self.server, self.network = box, lan.find(box.lan or "")
        self.address = str(box.lan_address)
        self.known: dict[str, str] = {}  # the states before the fault
        self.allowed: set[str] = set()  # machines that the fault may change

    def sh(self, script: str, *, check: bool = True) -> str:
        """What a shell script says on the server."""
        return run(
            "podman",
            "exec",
            "-i",
            self.server.container,
            "bash",
            "-s",
            stdin=f"exec 2>&1\n{script}",
            check=check,
        )

    def python(self, script: str) -> Any:
        """What a Python script prints there as JSON."""
        return json.loads(run("podman", "exec", "-i", self.server.container, "python3", "-", stdin=script))

    def lan(self, script: Path, *arguments: str) -> Any:
        """What a Python program of ours prints as JSON when it runs as a device in the boot network."""
        return json.loads(
            run("ip", "netns", "exec", self.network.namespace, sys.executable, script, *arguments)
        )

    def http(self, path: str, *options: str) -> tuple[str, str]:
        """Status and body of a request from the boot network."""
        argv = [
            "curl",
            "-sS",
            "--path-as-is",
            "-w",
            "\n%{http_code}",
            *options,
            f"http://{self.address}{path}",
        ]
        done = run("ip", "netns", "exec", self.network.namespace, *argv, check=False)
        body, dummy, status = done.rpartition("\n")
        return status, body

    def file(self, name: str) -> str:
        """Where the state of a machine is."""
        number = [*FLEET, *OTHERS].index(name)
        return f"/var/lib/netboot/machines/52-54-00-01-{number >> 8:02x}-{number & 255:02x}.json"

    def states(self) -> dict[str, str]:
        """Machine → state."""
        return {row["machine"]: row["state"] for row in json.loads(self.sh("netboot status --json"))}

    def all_are(self, state: str, names: Iterable[str]) -> bool:
        """Whether these machines are all in one state."""
        now = self.states()
        return all(now[name] == state for name in names)

    def tokens(self, names: Iterable[str]) -> dict[str, str]:
        """Machine → token, as only root can know."""
        found: dict[str, str] = self.python(
            "import json\nfound, top = {}, '/var/lib/netboot/'\nplan = json.load(open(top + 'plan/machines.json'))\n"
            f"for name in {list(names)!r}:\n"
            "    file = plan[name]['mac'].replace(':', '-') + '.json'\n"
            "    found[name] = json.load(open(top + 'machines/' + file))['token']\n"
            "print(json.dumps(found))"
        )
        return found

    def unsafe(self) -> list[str]:
        """What must not be after a fault; the machines in `allowed` may have gone on, but not been armed."""
        after, allowed, self.allowed = self.states(), self.allowed, set()
        faults = [
            f"{name} was {before} and is {after.get(name)}"
            for name, before in self.known.items()
            if after.get(name) != before and not (name in allowed and after.get(name) != "armed")
        ]
        armed = self.tokens(name for name, state in after.items() if state == "armed")
        for name, token in self.offered().items():
            if token != armed.get(name, "-"):
                offer = "the installer" if len(token) > 1 else "its disk"
                faults.append(f"{name} is {after[name]}, and is offered {offer}")
        return faults

    def entries(self) -> dict[str, list[str]]:
        """Machine → token in each of its entries; - for the local disk. LabError when one is not whole."""
        found: dict[str, list[str]] = self.python(OFFERED)
        return found

    def offered(self) -> dict[str, str]:
        """Machine → token in what its loaders would read. AssertionError when they differ."""
        found = self.entries()
        assert all(len(set(tokens)) == 1 for tokens in found.values()), found
        return {name: tokens[0] for name, tokens in found.items()}

    def arm(self, names: Iterable[str]) -> None:
        """Arm machines again."""
        self.sh(f"netboot arm {' '.join(names)}")

    def site(self, log: str) -> str:
        """Run site.yml as a user does; return its last lines."""
        inventory = playbook.write_inventory(PLACE / "server.json", {NAME: self.server})
        argv = playbook.command([PLACE / "machines.json", inventory], {})
        playbook.run_site(argv, PLACE / log, lambda _task: None)
        return (PLACE / log).read_text(encoding="utf-8")

    def module(self, name: str, options: dict[str, Any], variables: dict[str, Any]) -> tuple[bool, str]:
        """Run one module on the server: whether it went well, and all that it says."""
        inventory = playbook.write_inventory(PLACE / "server.json", {NAME: self.server})
        argv = [playbook.program("ansible"), NAME, "-i", str(inventory), "-m", f"homelab.netboot.{name}"]
        argv += ["-a", json.dumps(options), "-e", json.dumps(variables)]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr


def up() -> Box:
    """Make it; everything is as a user has it, but for the small image."""
    PLACE.mkdir(parents=True, exist_ok=True)
    image = PLACE / "small.iso"
    if not image.exists():
        make_iso(image, ubuntu_files(), joliet=True)
    hosts = {
        name: {"netboot_mac": f"52:54:00:01:{number >> 8:02x}:{number & 255:02x}"}
        for number, name in enumerate([*FLEET, *OTHERS])
    }
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D faults"]
    machines = {"hosts": hosts, "vars": {"netboot_ssh_keys": keys}}
    servers = {"vars": {"netboot_images": {"focal": {"src": str(image)}}}}
    inventory = {"netboot_machines": machines, "netboot_servers": servers}
    (PLACE / "machines.json").write_text(json.dumps(inventory), encoding="utf-8")
    box = Box(server.up(NAME, SUITE, NAME))
    box.site("site.log")
    box.arm([*FLEET, *OTHERS])  # as on a new server, also where it was kept
    return box


def down() -> None:
    """Take it and its network away."""
    server.down(NAME)
    lan.down(NAME)


def wait(what: Callable[[], bool], seconds: float) -> float:
    """Wait until it is so; the seconds that it took. AssertionError when it takes longer."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < seconds, f"not within {seconds:.0f} s"
        time.sleep(0.2)
    return time.monotonic() - started
