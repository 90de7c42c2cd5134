# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers: containers with systemd, reached by SSH like any other host."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from . import aptcache, image, lan
from .common import BUILD, PREFIX, LabError, digest, locked, run, say, succeeds

DISKS = ("/srv", "/var/lib")
"""Where a server has the host's own file system, as real ones have it: overlayfs takes five times as long to write some
thousand files. Whoever looks with `find -xdev` must name these too."""


@dataclass(frozen=True)
class Server:
    """A server that is up: its name, suite, image, the address that Ansible uses, the one in the lab."""

    name: str
    suite: str
    image: str
    address: str
    lan: str | None
    lan_address: str | None

    @property
    def container(self) -> str:
        """The container's name."""
        return PREFIX + self.name

    def ansible_vars(self) -> dict[str, Any]:
        """What an inventory needs to reach it."""
        known = folder(self.name) / "known_hosts"
        options = {
            "UserKnownHostsFile": str(known),
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
        }
        return {
            "ansible_host": self.address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(key()),
            "ansible_ssh_common_args": " ".join(f"-o {name}={value}" for name, value in options.items()),
            "ansible_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
        }


def folder(name: str) -> Path:
    """Where a server's files on this host are."""
    return BUILD / "servers" / name


def key() -> Path:
    """The lab's private SSH key, made on first use."""
    path = BUILD / "id_ed25519"
    with locked("ssh-key"):
        if not path.exists():
            BUILD.mkdir(parents=True, exist_ok=True)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "netboot-lab", "-f", path)
    return path


def inspect(container: str) -> dict[str, Any] | None:
    """What podman knows of a container; None when there is none."""
    found: list[dict[str, Any]] = json.loads(
        run("podman", "inspect", "--type", "container", container, check=False) or "[]"
    )
    return found[0] if found else None


def up(name: str, suite: str, lan_name: str | None = None, lan_address: str | None = None) -> Server:
    """Make and start the server unless it runs already as wanted; then only report it."""
    wanted = {
        "suite": suite,
        "lan": lan_name or "",
        "lan-address": lan_address or "",
        "image": image.ensure(suite),
    }
    info = inspect(PREFIX + name)
    labels = (info or {}).get("Config", {}).get("Labels") or {}
    if info and not (info["State"]["Running"] and all(labels.get(k) == v for k, v in wanted.items())):
        down(name)
        info = None
    if info is None:
        try:
            create(name, wanted)
        except BaseException:
            down(name)
            raise
    return report(name, wanted)


def create(name: str, wanted: dict[str, str]) -> None:
    """Start the container, wait for systemd and SSH, connect it to the boot network."""
    container = PREFIX + name
    public = key().with_suffix(".pub")
    labels = [word for label, value in wanted.items() for word in ("--label", f"{label}={value}")]
    run(
        *("podman", "run", "--detach", "--name", container, "--hostname", name, *labels),
        *("--systemd=always", "--cap-add=SYS_ADMIN,NET_ADMIN,NET_RAW"),
        *(word for disk in DISKS for word in ("--volume", disk)),
        *("--volume", f"{aptcache.lend(wanted['suite'], container)}:/var/cache/apt/archives"),
        *("--volume", f"{public}:/root/.ssh/authorized_keys:ro"),
        wanted["image"],
    )
    wait_for_systemd(container)
    # apt's lists are empty and look fresh: a role that allows lists of a certain age would never fetch them.
    run("podman", "exec", container, "touch", "-d", "@0", "/var/lib/apt/lists")
    if wanted["lan"]:
        lan.up(wanted["lan"])
        connect(name, wanted)


def connect(name: str, wanted: dict[str, str]) -> None:
    """Give the container an interface on its boot network, once in the life of its network namespace."""
    network = lan.find(wanted["lan"])
    address = wanted["lan-address"] or f"{network.address(50)}/{network.subnet.prefixlen}"
    pid = int(run("podman", "inspect", "--format", "{{.State.Pid}}", PREFIX + name))
    port = "p" + digest(name)
    # after a restart: the old one goes with the old namespace, but later
    run("ip", "-n", network.namespace, "link", "del", port, check=False)
    lan.attach(network, pid, port, IPv4Interface(address))


def shut(server: Server, mac: str, port: int) -> None:
    """Drop what a machine sends to a UDP port of the server, with iptables of this host in the server's network."""
    pid = run("podman", "inspect", "--format", "{{.State.Pid}}", server.container).strip()
    rule = ("INPUT", "-p", "udp", "--dport", str(port), "-m", "mac", "--mac-source", mac, "-j", "DROP")
    run("nsenter", "-t", pid, "-n", "iptables", "-A", *rule)


def start(name: str) -> Server:
    """Switch on a server that is off: a new network namespace, and perhaps a new address for Ansible."""
    container = PREFIX + name
    run("podman", "start", container)
    labels = (inspect(container) or {})["Config"]["Labels"]
    wanted = {key: labels[key] for key in ("suite", "image", "lan", "lan-address")}
    if wanted["lan"]:
        connect(name, wanted)
    wait_for_systemd(container)
    return report(name, wanted)


def restart(name: str) -> Server:
    """Let it shut down and start again, as `reboot` would."""
    run("podman", "stop", "--time", "30", PREFIX + name)
    return start(name)


def wait_for_systemd(container: str, patience: float = 60) -> None:
    """Wait until the system has started; about 3 s. A unit that failed (degraded) is for tests to judge."""
    deadline = time.monotonic() + patience
    while True:  # at first there is not even a bus to ask on
        state = run(
            "podman", "exec", container, "systemctl", "is-system-running", "--wait", check=False
        ).strip()
        if state in ("running", "degraded"):
            return
        if time.monotonic() > deadline:
            raise LabError(f"{container}: systemd did not start (it says: {state or 'nothing'})")
        time.sleep(0.2)


def report(name: str, wanted: dict[str, str]) -> Server:
    """Describe the running server and write what SSH needs to trust it."""
    container = PREFIX + name
    info = inspect(container)
    if info is None:
        raise LabError(f"{container} is gone")
    networks = info["NetworkSettings"].get("Networks") or {}
    found = [net["IPAddress"] for net in networks.values() if net.get("IPAddress")]
    address = (found or [info["NetworkSettings"].get("IPAddress") or ""])[0]
    if not address:
        raise LabError(f"{container} has no address on podman's network")
    host_key = run("podman", "exec", container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
    place = folder(name)
    place.mkdir(parents=True, exist_ok=True)
    (place / "known_hosts").write_text(f"{address} {' '.join(host_key.split()[:2])}\n", encoding="utf-8")
    lan_address = None
    if wanted["lan"]:
        lan_address = (wanted["lan-address"] or lan.find(wanted["lan"]).address(50)).split("/")[0]
    server = Server(name, wanted["suite"], wanted["image"], address, wanted["lan"] or None, lan_address)
    (place / "vars.json").write_text(json.dumps(server.ansible_vars(), indent=2) + "\n", encoding="utf-8")
    wait_for_ssh(server)
    return server


def wait_for_ssh(server: Server, patience: float = 60) -> None:
    """Wait until a command can be run by SSH."""
    deadline = time.monotonic() + patience
    while not succeeds(*ssh(server, "true")):
        if time.monotonic() > deadline:
            run(*ssh(server, "true"))  # says why
        time.sleep(0.3)


def ssh(server: Server, *command: str) -> list[str]:
    """The command line that runs a command on the server."""
    options = server.ansible_vars()
    args = str(options["ansible_ssh_common_args"]).split()
    return ["ssh", "-i", str(key()), *args, "-o", "BatchMode=yes", f"root@{server.address}", *command]


def down(name: str) -> None:
    """Remove the server; nothing happens when there is none."""
    container = PREFIX + name
    info = inspect(container)
    if info is not None:
        run("podman", "rm", "--force", "--time", "0", "--volumes", container)
        suite = (info.get("Config", {}).get("Labels") or {}).get("suite", "")
        if suite in image.SUITES:
            aptcache.take_back(suite, container)
    shutil.rmtree(folder(name), ignore_errors=True)


def names() -> list[str]:
    """All servers of the lab on this host, running or not."""
    if not shutil.which("podman"):
        return []
    found = run("podman", "ps", "--all", "--format", "{{.Names}}").split()
    return [container[len(PREFIX) :] for container in found if container.startswith(PREFIX)]


def down_all() -> None:
    """Remove every server and network of the lab."""
    for name in names():
        say(f"Removing server {name}")
        down(name)
    for name in lan.names():
        say(f"Removing network {name}")
        lan.down(name)
