# SPDX-License-Identifier: GPL-3.0-or-later
"""For scenario provision: the system of a machine, what its installer would do, and runs of provision."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers import PROJECT, Device, said

NAME = "provision"
SYSTEM = f"{NAME}-nuc1"
ADDRESS = "192.168.1.61"
MACS = {"nuc1": "f4:4d:30:60:64:69", "nuc2": "f4:4d:30:60:64:6a"}


def lab(*words: str) -> None:
    """Have the lab do something."""
    argv = [sys.executable, "-m", "tests.lab", *words]
    subprocess.run(argv, cwd=PROJECT, check=True, capture_output=True, text=True)


@dataclass
class System:
    """What was installed on nuc1: a Debian with systemd, sshd and cloud-init."""

    host: Any

    def first_start(self, user_data: dict[str, Any]) -> None:
        """What Subiquity leaves for cloud-init, and what that does with it; the network of the container stays."""
        told = {"growpart": {"mode": "off"}, "resize_rootfs": False, **user_data}
        none = {"userdata_raw": "#cloud-config\n" + yaml.safe_dump(told), "metadata": {"instance-id": "nuc1"}}
        spared = {"cloud_init_modules": [], "network": {"config": "disabled"}}
        config = yaml.safe_dump({"datasource_list": ["None"], "datasource": {"None": none}, **spared})
        self.host.run_expect([0], "cat >/etc/cloud/cloud.cfg.d/99-installer.cfg <<'END'\n" + config + "\nEND")
        for step in ("clean", "init", "single --name phone_home"):
            self.host.run_expect([0], f"cloud-init {step}")


@dataclass
class Home:
    """The server, and runs of provision with a controller that knows no host yet."""

    host: Any
    device: Device
    system: System
    place: Path

    @property
    def known(self) -> Path:
        return self.place / "known_hosts"

    def inventory(self, **variables: Any) -> Path:
        """The server, and two machines behind it, where the controller is not: it goes there by way of the server."""
        server = json.loads((PROJECT / f"build/lab/servers/{NAME}-bookworm/vars.json").read_text())
        key, args = server["ansible_ssh_private_key_file"], server["ansible_ssh_common_args"]
        jump = f"ssh -i {key} {args} -W %h:%p root@{server['ansible_host']}"
        options = [f"UserKnownHostsFile={self.known}", "HashKnownHosts=yes", f'ProxyCommand="{jump}"']
        machines = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": key,
            "ansible_ssh_common_args": " ".join(f"-o {one}" for one in options),
            "ansible_python_interpreter": "/usr/bin/python3",
            "netboot_ssh_keys": [(Path(key).with_suffix(".pub")).read_text().strip()],
        }
        site = {"netboot_address": "192.168.1.50", "netboot_images": {"focal": {"path": "/var/tmp/test.iso"}}}
        hosts = {name: {"netboot_mac": mac, **variables} for name, mac in MACS.items()}
        groups = {
            "netboot_servers": {"hosts": {"bookworm": {**server, **site}}},
            "netboot_machines": {"hosts": hosts, "vars": machines},
        }
        path = self.place / "inventory.json"
        path.write_text(json.dumps(groups))
        return path

    def start(self, playbook: str, *options: str, **variables: Any) -> subprocess.Popen[str]:
        argv = ["ansible-playbook", playbook, "-i", str(self.inventory(**variables)), *options]
        return subprocess.Popen(
            argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(
        self, playbook: str, *options: str, machines: threading.Thread | None = None, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run it; what it says is in one line. machines: begin when nuc1 is to be switched on, or restarted."""
        told = ""
        with self.start(playbook, *options, **variables) as running:
            for line in running.stdout or ():
                told += line
                asked = "switch nuc1 on now" in line or "restart nuc1 now" in line
                if machines and not machines.ident and asked:
                    machines.start()
        (self.place / f"{len(list(self.place.glob('*.log')))}.log").write_text(told)
        if machines and machines.ident:
            machines.join()
        return subprocess.CompletedProcess(running.args, running.returncode, said_of(told))

    def token(self, name: str) -> str:
        place = f"/var/lib/netboot/machines/{MACS[name].replace(':', '-')}.json"
        return str(json.loads(self.host.file(place).content_string)["token"])

    def state(self, name: str) -> str:
        (row,) = json.loads(self.host.check_output(f"netboot status --json {name}"))
        return str(row["state"])

    def install(self, name: str, before: str, word: str) -> dict[str, Any]:
        """What the installer of a machine does that is armed anew: its requests; the answers that it was given."""
        deadline = time.monotonic() + 60
        while (token := self.token(name)) in ("", before):
            assert time.monotonic() < deadline, f"{name} was not armed"
            time.sleep(0.3)
        text = self.device.http(f"/machines/{name}/{token}/user-data").stdout.partition("\n\n")[2]
        for report in ("begun", word):
            path = f"/reports/{name}.{token}.{report}"
            assert "201" in self.device.http(path, "-X", "PUT", "-d", "the end").stdout.splitlines()[0]
            while self.state(name) not in ("installing", word, "up"):
                assert time.monotonic() < deadline
                time.sleep(0.2)
        answers: dict[str, Any] = yaml.safe_load(text)["autoinstall"]
        return answers


def said_of(told: str) -> str:
    return said(subprocess.CompletedProcess([], 0, told, ""))


class Machines(threading.Thread):
    """Machines that are switched on now: nuc1 is installed and starts, nuc2 fails."""

    def __init__(self, home: Home, *names: str) -> None:
        super().__init__()
        self.home, self.names = home, names
        self.before = {name: home.token(name) for name in names}
        self.errors: list[BaseException] = []

    def run(self) -> None:
        try:
            if "nuc2" in self.names:
                self.home.install("nuc2", self.before["nuc2"], "failed")
            answers = self.home.install("nuc1", self.before["nuc1"], "installed")
            self.home.system.first_start(answers["user-data"])
        except BaseException as error:  # told by the test
            self.errors.append(error)
