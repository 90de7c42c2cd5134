# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with the cache of packages, as the role configures it; the name server that it asks; and machines' apt."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.machines import normalise
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import autoinstall

from tests.lab.common import ROOT, LabError, run
from tests.mirror import web
from tests.packages.archive import SUITE

SERVER = "192.0.2.50"
#: Where the name server leads every name to, and where mirrors listen.
MIRROR = "127.0.0.1"
#: Stands for the test's own folder.
TOP = "/its-own-folder"
UBUNTU = "http://archive.ubuntu.com/ubuntu"
#: The role's own template with the role's own variables; only places are others.
PLAY = """
- hosts: localhost
  gather_facts: false
  vars_files: {variables}
  tasks:
    - ansible.builtin.template: {{src: "{root}/roles/{role}/templates/{template}", dest: "{dest}", mode: "0644"}}
"""


@functools.cache
def rendered(settings: str, template: str = "nginx.conf.j2", role: str = "pxe_http") -> str:
    """The configuration, or another template of a role, below the folder TOP, by variables as JSON."""
    place = {
        "address": SERVER,
        "network": "192.0.2.0/24",
        "relayed": [],
        "cached": [],
        "port": 80,
        "base_url": f"http://{SERVER}",
    }
    given = {
        "ansible_python_interpreter": sys.executable,
        "ansible_managed": "a test",
        "netboot_apt_cache": True,
        "netboot_group": "root",  # pytest's folders are root's alone
        "netboot_root": f"{TOP}/srv",
        "netboot_spool": f"{TOP}/spool",
        "netboot_result": {"networks": [place], "caches": []},
        "netboot_machines": [],
        "pxe_http_apt_free": "1m",
        "pxe_http_resolvers": [MIRROR],
        **json.loads(settings),
    }
    given["__netboot_machines"] = given["netboot_machines"]  # as role netboot reads them
    program = Path(sys.executable).with_name("ansible-playbook")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    with tempfile.TemporaryDirectory() as work:
        play, dest = Path(work, "play.yml"), Path(work, "nginx.conf")
        places = [
            ROOT / "roles" / place / "main.yml"
            for place in ("netboot/defaults", f"{role}/defaults", f"{role}/vars")
        ]
        variables = json.dumps([str(path) for path in places if path.exists()])
        text = PLAY.format(root=ROOT, role=role, dest=dest, template=template, variables=variables)
        play.write_text(text, encoding="utf-8")
        argv = [str(program), "-i", "localhost,", "-c", "local", "-e", json.dumps(given), str(play)]
        done = subprocess.run(argv, env=environment, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(done.stdout + done.stderr)
        text = dest.read_text(encoding="utf-8")
    return text.replace("/run/netboot-nginx", f"{TOP}/run").replace("/var/log/netboot", f"{TOP}/log")


def wait_for(process: subprocess.Popen[bytes], address: str, port: int) -> None:
    """Wait until somebody listens there, at most a minute."""
    for _attempt in range(1000):
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    raise LabError(f"nobody listens at {address}:{port}")


def cut_off(process: subprocess.Popen[bytes]) -> None:
    """End it and its workers as a power cut does: a worker that is not gone yet would take the next one's questions."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    for _attempt in range(1000):
        if not _is_left(process.pid):
            return
        time.sleep(0.02)
    raise LabError(f"processes of the group {process.pid} have not ended")


def _is_left(group: int) -> bool:
    """Whether a process of the group is left, but for those that only wait to be counted (proc(5): stat)."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, found = path.read_text().rpartition(")")[2].split()[:3]
            if int(found) == group and state not in "ZX":
                return True
    return False


class Names:
    """A name server that leads every name to one address."""

    def __init__(self, address: str = MIRROR) -> None:
        self.address = address

    def __enter__(self) -> Self:
        options = [
            "--conf-file=/dev/null",
            "--pid-file",
            "--user=root",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
        ]
        argv = ["dnsmasq", "--keep-in-foreground", *options, f"--listen-address={MIRROR}", "--port=53"]
        self.process = subprocess.Popen([*argv, f"--address=/#/{self.address}"])
        wait_for(self.process, MIRROR, 53)
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


class Cache:
    """nginx with the role's configuration, and `settings` over the role's variables. root: where it keeps packages."""

    def __init__(self, top: Path, **settings: Any) -> None:
        self.top, self.settings = top, settings
        self.root = top / "srv"
        self.packages = self.root / "apt"
        self.conf = top / "nginx.conf"

    def __enter__(self) -> Self:
        for folder in ("srv/apt", "srv/http/images", "run/body", "log", "spool"):
            (self.top / folder).mkdir(parents=True, exist_ok=True)
        text = rendered(json.dumps(self.settings, sort_keys=True))
        self.conf.write_text(text.replace(TOP, str(self.top)), encoding="utf-8")
        self.start()
        return self

    def start(self) -> None:
        """Start it, with what it has kept; its other folder is new at each start, as systemd has it."""
        (self.top / "run/proxy/told.sock").unlink(missing_ok=True)
        argv: list[str | Path] = [
            web.program(),
            "-p",
            self.top,
            "-c",
            self.conf,
            "-e",
            self.top / "log/first.log",
        ]
        self.process = subprocess.Popen([*argv, "-g", "daemon off;"], start_new_session=True)
        wait_for(self.process, SERVER, 80)

    def kill(self) -> None:
        """End it and its workers as a power cut would."""
        cut_off(self.process)

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def ask(self, *lines: str, source: str = SERVER) -> str:
        """The answer to a request that is written out, up to its end or some seconds."""
        with socket.create_connection((SERVER, 80), timeout=15, source_address=(source, 0)) as link:
            link.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            said = b""
            while block := link.recv(1 << 16):
                said += block
        return said.decode("latin-1")


class Machine:
    """apt of a system that is being installed: with folders of its own, and what the seed has curtin write."""

    def __init__(self, top: Path, name: str, key: Path, mirror: str = UBUNTU, **settings: Any) -> None:
        self.top = top / name
        self.etc = self.top / "etc/apt"
        for folder in ("etc/apt/apt.conf.d", "state/lists/partial", "cache/archives/partial", "debs"):
            (self.top / folder).mkdir(parents=True)
        (self.top / "status").touch()
        (self.etc / "sources.list").write_text(f"deb [signed-by={key}] {mirror} {SUITE} main\n")
        (told,) = normalise([{"name": name, "mac": "f4:4d:30:60:64:69", "image": "noble", **settings}])
        self.seed = autoinstall.compose(told, f"http://{SERVER}", caches=[f"http://{SERVER}"])
        self.conf = self.etc / "apt.conf.d/94curtin-config"
        if "conf" in self.seed.get("apt", {}):
            self.conf.write_text(self.seed["apt"]["conf"])
        places = {
            "Dir::Etc": self.etc,
            "Dir::State": self.top / "state",
            "Dir::State::status": self.top / "status",
            "Dir::Cache": self.top / "cache",
        }
        lines = [*(f'{key} "{value}";' for key, value in places.items()), 'APT::Architecture "amd64";']
        lines += ['APT::Sandbox::User "root";', 'Acquire::Retries "0";', 'Acquire::Languages "none";']
        (self.top / "places").write_text("\n".join(lines) + "\n")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a call of a program of apt's."""
        environment = {**os.environ, "APT_CONFIG": str(self.top / "places"), "LC_ALL": "C"}
        out = subprocess.PIPE
        return subprocess.Popen(
            words, cwd=self.top / "debs", env=environment, stdout=out, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *words: str) -> tuple[int, str]:
        """The exit code, and what it said."""
        process = self.start(*words)
        said = process.communicate(timeout=120)[0]
        with (self.top / "said.log").open("a") as log:
            log.write(f"{' '.join(words)}: {process.returncode}\n{said}\n")
        return process.returncode, said

    def install(self, *packages: str) -> tuple[int, str]:
        """Read the lists, and fetch packages, which apt verifies."""
        code, said = self.run("apt-get", "-o", "APT::Update::Error-Mode=any", "update")
        return (code, said) if code else self.run("apt-get", "download", *packages)

    def fetched(self) -> list[str]:
        """Names of the packages that it has."""
        return sorted(path.name for path in (self.top / "debs").glob("*.deb"))

    def late_commands(self) -> None:
        """What the seed does at the end of an installation, without the report."""
        (self.top / "target/etc").mkdir(parents=True, exist_ok=True)
        (self.top / "target/etc/apt").symlink_to(self.etc)
        for command in self.seed.get("late-commands", []):
            if "report.py" not in command:
                run("sh", "-c", command.replace("/target", str(self.top / "target")))


def all_at_once(machines: Iterable[Machine], *packages: str) -> list[tuple[int, str]]:
    """Install all machines at the same time."""
    script = 'apt-get -o APT::Update::Error-Mode=any update && exec apt-get download "$@"'
    running = [machine.start("sh", "-c", script, "sh", *packages) for machine in machines]
    said = [process.communicate(timeout=180)[0] for process in running]
    return [(process.returncode, text) for process, text in zip(running, said, strict=True)]
