# SPDX-License-Identifier: GPL-3.0-or-later
"""A network with two servers and a place from where machines ask. Each is a network namespace at one bridge."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import jinja2
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import answered, dnsmasq
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import owners
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box

from tests.lab import playbook
from tests.lab.common import ROOT, LabError, run

SERVERS = {"server1": "192.0.2.51", "server2": "192.0.2.52"}
ASKER = "192.0.2.99"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
PXE = ROOT / "plugins/module_utils/_program/doctor/pxe.py"
#: A server's own is laid over it.
ETC = Path("/etc/netboot")
#: What Ansible calls to become root: it enters the server's namespaces, where its folders are in their places.
BECOME = """#!/bin/sh
while [ "$1" != /bin/sh ]; do shift; done
exec nsenter --target={pid} --mount --net -- "$@"
"""
PROGRAM = """#!/bin/sh
PYTHONPATH={root}/.collections exec {python} -c 'import sys
from ansible_collections.homelab.netboot.plugins.module_utils._program.cli import main
sys.exit(main())' "$@"
"""


class Server:
    """Its folders and program, its dnsmasq, and a process that holds its namespaces."""

    def __init__(self, top: Path, name: str) -> None:
        self.top, self.name, self.address = top / name, name, SERVERS[name]
        self.box = Box(self.top / "box")
        self.holder = subprocess.Popen(["unshare", "--mount", "--net", "sleep", "3600"])
        self.dnsmasq: subprocess.Popen[bytes] | None = None
        #: What it gives in the network, as the key `dhcp` of netboot_networks says it.
        self.dhcp: dict[str, Any] = {}
        _cable(self.holder.pid, name, self.address)
        self._install()

    def _install(self) -> None:
        for folder in ("sbin", "etc", "box/root/tftp"):
            (self.top / folder).mkdir(parents=True)
        program = self.top / "sbin/netboot"
        program.write_text(PROGRAM.format(root=ROOT, python=sys.executable))
        self.become = self.top / "become"
        self.become.write_text(BECOME.format(pid=self.holder.pid))
        for one in (program, self.become):
            one.chmod(0o755)
        (self.top / "etc/netboot.json").write_text(json.dumps(self.box.settings.__dict__))
        self.inside(
            "mount", "-t", "sysfs", "none", "/sys"
        )  # it shows the network cards of whoever mounted it
        self.inside("mount", "--bind", self.top / "sbin", "/usr/local/sbin")
        self.inside("mount", "--bind", self.top / "etc", ETC)

    def inside(self, *argv: str | Path) -> str:
        """Run a program in its namespaces."""
        return run("nsenter", f"--target={self.holder.pid}", "--mount", "--net", "--", *argv)

    def serve(self, lines: Iterable[str]) -> None:
        """Start dnsmasq anew, with the configuration that the role writes."""
        self.stop()
        templates = jinja2.Environment(  # noqa: S701 - no HTML
            loader=jinja2.FileSystemLoader(ROOT / "roles/pxe_dnsmasq/templates"), trim_blocks=True
        )
        templates.filters.update(comment=lambda text: f"# {text}", bool=bool)
        templates.filters["homelab.netboot.dnsmasq_network_lines"] = dnsmasq.network_lines
        conf = self.top / "dnsmasq.conf"
        place = {"interface": "eth0", "network": "192.0.2.0/24", "dhcp": self.dhcp}
        text = templates.get_template("dnsmasq.conf.j2").render(
            ansible_managed="a test",
            netboot_result={"networks": [place]},
            pxe_dnsmasq_log_dhcp=True,
            __pxe_dnsmasq_gives=bool(self.dhcp),
            __pxe_dnsmasq_leases=self.top / "leases",
            __pxe_dnsmasq_root=self.box.root / "tftp",
            __pxe_dnsmasq_owner_lines=[],
            __pxe_dnsmasq_loader_lines=list(lines),
        )
        conf.write_text(text)
        argv = ["dnsmasq", "--keep-in-foreground", f"--conf-file={conf}", "--pid-file", "--user=root"]
        log = [f"--log-facility={self.top}/dnsmasq.log"]
        enter = ["nsenter", f"--target={self.holder.pid}", "--mount", "--net", "--"]
        self.dnsmasq = subprocess.Popen([*enter, *argv, *log])
        for _attempt in range(1000):
            if ":67 " in self.inside("ss", "-Hlun"):
                return
            time.sleep(0.05)
        raise LabError(f"dnsmasq does not serve; see {self.top}/dnsmasq.log")

    def stop(self) -> None:
        """End dnsmasq."""
        if self.dnsmasq is not None:
            self.dnsmasq.terminate()
            self.dnsmasq.wait(timeout=30)
            self.dnsmasq = None

    def entry(self, name: str) -> str:
        """What a machine finds here; empty when it finds nothing."""
        path = self.box.root / "tftp/pxelinux.cfg" / f"01-{name}"
        return path.read_text() if path.exists() else ""


class Place:
    """Two servers, and machines between them: the inventory says whose each is."""

    def __init__(self, top: Path) -> None:
        self.top, self.output = top, ""
        self.machines: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, dict[str, Any]] = {name: {} for name in SERVERS}

    def __enter__(self) -> Self:
        self.is_made = not ETC.exists()
        ETC.mkdir(exist_ok=True)
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "br0", "type", "bridge")
        run("ip", "link", "set", "br0", "up")
        run("ip", "address", "add", f"{ASKER}/24", "dev", "br0")
        self.servers = {name: Server(self.top, name) for name in SERVERS}
        return self

    def __exit__(self, *_error: object) -> None:
        for server in self.servers.values():
            server.stop()
            run("ip", "link", "delete", server.name)
            server.holder.terminate()
            server.holder.wait(timeout=30)
        run("ip", "link", "delete", "br0")
        if self.is_made:
            ETC.rmdir()

    def plan(self, **owner: str) -> None:
        """name=server: each server has the plan for its machines, and its dnsmasq answers them."""
        self.machines = {
            name: {"netboot_mac": f"52:54:00:00:00:{number:02x}", "netboot_server": server}
            for number, (name, server) in enumerate(owner.items(), 1)
        }
        for name, server in self.servers.items():
            server.box.macs = {one: said["netboot_mac"] for one, said in self.machines.items()}
            server.box.plan(**{one: "once" for one in owner if owner[one] == name})
            networks = [{"base_url": f"http://{server.address}", "dhcp": server.dhcp}]
            server.serve([*self.lines(name), *dnsmasq.loader_lines([], networks=networks)])

    def lines(self, server: str) -> list[str]:
        """What the filter dnsmasq_owner_lines writes for a server."""
        owner = owners.owner_of(owners.read(list(self.machines), self.machines), list(SERVERS))
        strangers = self.settings[server].get("netboot_strangers", False)
        return answered.lines(owner, server, [SERVERS[server]], strangers=strangers)

    def ask(self, mac: str) -> dict[str, str]:
        """What a machine's firmware hears: server → the loader that it offers."""
        return {name: offer.get("loader") or offer["file"] for name, offer in self.offers(mac).items()}

    def offers(self, mac: str) -> dict[str, dict[str, Any]]:
        """All that it hears, by server."""
        probe = [sys.executable, str(ROOT / "tests/pxe_probe.py"), "--mac", mac, "--seconds", "2"]
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(done.stderr)
        names = {address: name for name, address in SERVERS.items()}
        return {names[offer["server"]]: offer for offer in json.loads(done.stdout)}

    def doctor(self, server: str, meant: str) -> str:
        """What a server hears when it asks as machines do, and means this one; empty when that answers."""
        argv = ["nsenter", f"--target={self.servers[server].holder.pid}", "--mount", "--net", "--"]
        said = subprocess.run(
            [*argv, sys.executable, PXE, "eth0", SERVERS[meant]], capture_output=True, text=True, check=False
        )
        return said.stdout + said.stderr

    def inventory(self, machines: Mapping[str, Any] | None = None) -> Path:
        """The inventory, with each server behind its own way to become root."""
        hosts = {
            name: {
                **LOCAL,
                "ansible_become_exe": str(self.servers[name].become),
                "ansible_become_flags": "",
                **self.settings[name],
            }
            for name in SERVERS
        }
        machines = self.machines if machines is None else machines
        groups = {
            "all": {"hosts": {"localhost": LOCAL}},
            "netboot_servers": {"hosts": hosts},
            "netboot_machines": {"hosts": machines},
        }
        path = self.top / "inventory.json"
        path.write_text(json.dumps(groups))
        return path

    def playbook(self, name: str | Path, *options: str) -> int:
        """Run a playbook; what it says is in `output`, in one line."""
        name = name if isinstance(name, Path) else f"homelab.netboot.{name}"
        argv = [name, "-i", self.inventory(), *options]
        code, self.output = playbook.run_apart(self.top, argv, ANSIBLE_BECOME_ALLOW_SAME_USER="true")
        return code


def _cable(pid: int, name: str, address: str) -> None:
    """Connect a namespace to the bridge."""
    for _attempt in range(3000):  # unshare needs a moment
        if os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"):
            break
        time.sleep(0.02)
    else:
        raise LabError(f"process {pid} has no network of its own")
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    run("ip", "link", "set", name, "master", "br0", "up")
    inside = ["nsenter", f"--target={pid}", "--net", "--"]
    run(*inside, "ip", "address", "add", f"{address}/24", "dev", "eth0")
    for card in ("lo", "eth0"):
        run(*inside, "ip", "link", "set", card, "up")


def is_alone() -> bool:
    """Whether there are no cards of the host."""
    return {name for _number, name in socket.if_nameindex()} <= {"lo"}
