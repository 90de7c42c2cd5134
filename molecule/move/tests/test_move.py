# SPDX-License-Identifier: GPL-3.0-or-later
"""A server is moved by the very commands of docs/recipes.md: nothing is installed twice, nothing forgotten.

The tests are one story, in this order. Each host has a boot network of its own, so who is silent there is silent.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import Any

import pytest
import testinfra

from tests.servers import PREFIX, PROJECT, Device, ansible_playbook, restart, said

SEEDS = "/srv/netboot/http/machines"
STATE = "/var/lib/netboot"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"
MACS = {f"nuc{number}": f"f4:4d:30:60:64:{number + 0x68:02x}" for number in range(1, 6)}
NUC1 = MACS["nuc1"].replace(":", "-")
COPY = "/root/netboot.tar.gz"


def commands(heading: str) -> list[str]:
    """Of each block of the recipe with this heading, the commands of the shell, as one script."""
    page = (PROJECT / "docs/recipes.md").read_text()
    (recipe,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```console\n(.*?)^```", recipe, re.MULTILINE | re.DOTALL)
    lines = [re.findall(r"^# ((?:.*\\\n)*.*)", block, re.MULTILINE) for block in blocks]
    return ["cd /root && " + " && ".join(block) for block in lines if block]


class Host:
    """The old server or the new one, and the network behind it."""

    def __init__(self, suite: str) -> None:
        self.name = f"move-{suite}"
        self.host = testinfra.get_host(f"podman://{PREFIX}{self.name}")
        self.device = Device(self.name)

    def state(self, name: str) -> dict[str, Any]:
        """What the server knows of a machine."""
        text = self.host.file(f"{STATE}/machines/{MACS[name].replace(':', '-')}.json").content_string
        found: dict[str, Any] = json.loads(text)
        return found

    def read(self, path: str) -> bytes:
        """A file on it."""
        argv = ["podman", "exec", self.host.backend.name, "cat", path]
        return subprocess.run(argv, capture_output=True, check=True).stdout

    def write(self, path: str, content: bytes) -> None:
        """Put a file there."""
        argv = ["podman", "exec", "-i", self.host.backend.name, "sh", "-c", f"cat >{path}"]
        subprocess.run(argv, input=content, check=True)

    def wait(self, name: str, state: str) -> None:
        deadline = time.monotonic() + 60
        while self.state(name)["state"] != state:
            assert time.monotonic() < deadline, f"{name} is not {state} but {self.state(name)}"
            time.sleep(0.2)

    def installs(self, name: str) -> bool:
        """Whether a machine that boots now finds the installer; else it is led to its disk."""
        text = self.device.tftp(f"pxelinux.cfg/01-{MACS[name].replace(':', '-')}").stdout
        assert ("KERNEL" in text) != ("LOCALBOOT" in text), text
        return "KERNEL" in text

    def report(self, name: str, token: str, word: str, *form: str) -> None:
        assert "HTTP/1.1 20" in self.device.http(f"/reports/{name}.{token}.{word}", *form).stdout

    def install(self, name: str) -> str:
        """What a machine and its installer ask and tell; returns the token."""
        (token,) = self.host.file(f"{SEEDS}/{name}").listdir()
        assert "200 OK" in self.device.http(f"/machines/{name}/{token}/user-data").stdout
        self.report(name, token, "begun", "-X", "PUT", "-d", "")
        self.wait(name, "installing")
        self.report(name, token, "installed", "-X", "PUT", "-d", "")
        self.wait(name, "installed")
        return str(token)


@pytest.fixture(scope="module")
def old() -> Host:
    return Host("bookworm")


@pytest.fixture(scope="module")
def new() -> Host:
    return Host("trixie")


def test_the_old_server_knows_something_of_each_machine(old: Host) -> None:
    done = ansible_playbook(old.host, "homelab.netboot.site")
    assert done.returncode == 0, said(done)
    token = old.install("nuc1")
    old.report("nuc1", token, "up", "-d", f"pub_key_ed25519={KEY.replace(' ', '%20').replace('+', '%2B')}")
    old.wait("nuc1", "up")
    old.host.run_expect([0], "netboot disarm nuc2")
    assert [old.installs(name) for name in ("nuc1", "nuc2", "nuc4")] == [False, False, True]


def test_the_recipe_ends_the_old_server_for_good_and_copies_what_it_knows(old: Host) -> None:
    (end,) = commands("Move to another server")
    (copy, dummy) = commands("Backup, and a server that is lost")
    # as in a copy from before it came
    old.host.run_expect([0], f"rm {STATE}/machines/{MACS['nuc5'].replace(':', '-')}.json")
    old.host.run_expect([0], end)
    old.host.run_expect([0], copy)
    (events,) = old.host.check_output(
        f"tar -xOzf {COPY} netboot/events/machines/{NUC1}.json | md5sum"
    ).splitlines()
    assert old.host.check_output(f"md5sum <{STATE}/events/machines/{NUC1}.json") == events
    restart(old.host)
    assert old.device.discover("--mac", MACS["nuc4"], "--seconds", "2") == []
    assert old.host.run("ss -H -lntu | grep -E ':(67|69|80|4011) '").rc != 0


def test_the_copy_has_nothing_that_is_of_the_old_host_alone(old: Host) -> None:
    names = old.host.check_output(f"tar -tzf {COPY}").splitlines()
    for own in ("packages.json", "firewall.json", "plan/", "answers/", "known.json", "events/read.json"):
        assert not [name for name in names if own in name], own
    assert len([name for name in names if re.fullmatch("netboot/machines/.*json", name)]) == 4


def test_a_bad_copy_is_refused_before_anything_is_written(old: Host, new: Host) -> None:
    (dummy, restore) = commands("Backup, and a server that is lost")
    whole = old.read(COPY)
    old.host.run_expect([0], "tar -C /etc -czf /root/other.tar.gz hostname")
    for content, message in (
        (whole[:-20], "unexpected end of file"),
        (old.read("/root/other.tar.gz"), "netboot/machines: Not found in archive"),
        (b"no archive", "not in gzip format"),
    ):
        new.write(COPY, content)
        done = new.host.run(restore)
        assert done.rc != 0
        assert message in done.stderr
        assert not new.host.file(STATE).exists
    new.write(COPY, whole)


def test_the_old_server_is_removed_and_the_new_one_knows_what_it_knew(old: Host, new: Host) -> None:
    done = ansible_playbook(old.host, "homelab.netboot.remove", "-e", "confirm=yes")
    assert done.returncode == 0, said(done)
    (dummy, restore) = commands("Backup, and a server that is lost")
    new.host.run_expect([0], restore)
    assert new.device.discover("--mac", MACS["nuc4"], "--seconds", "2") == []
    done = ansible_playbook(new.host, "homelab.netboot.site")
    assert done.returncode == 0, said(done)
    assert "nuc4: local: its arming is not of this server as it is now" in said(done)
    states = {name: new.state(name)["state"] for name in MACS}
    assert states == {"nuc1": "up", "nuc2": "local", "nuc3": "local", "nuc4": "local", "nuc5": "armed"}
    assert (new.state("nuc1")["host_keys"], new.state("nuc1")["address"]) == ([KEY], "192.168.1.1")
    assert new.state("nuc2")["disarmed"]
    assert new.state("nuc5")["wipe"] is False
    assert old.host.file("/etc/netboot").exists is False
    assert new.host.file(STATE).mode == 0o700


def test_what_machines_did_is_told_by_the_new_server_once(new: Host) -> None:
    new.host.run_expect([0], "netboot expire")
    story = json.loads(new.host.file(f"{STATE}/events/machines/{NUC1}.json").content_string)
    told = [json.dumps(event) for event in story]
    assert len(told) == len(set(told))
    assert {"armed", "installing", "installed", "up"} <= {event[2] for event in story}
    assert "up at 192.168.1.1" in new.host.check_output("netboot why nuc1")


def test_machines_boot_from_the_new_server_and_what_is_armed_is_installed_once(new: Host) -> None:
    assert [len(new.device.discover("--mac", MACS[name])) for name in MACS] == [1] * len(MACS)
    assert [new.installs(name) for name in ("nuc1", "nuc2", "nuc4", "nuc5")] == [False, False, False, True]
    new.host.run_expect([0], "netboot arm nuc4")
    assert new.installs("nuc4")
    new.install("nuc4")
    assert not new.installs("nuc4")


def test_a_host_that_knows_machines_is_not_restored_over(new: Host) -> None:
    (dummy, restore) = commands("Backup, and a server that is lost")
    before = new.host.check_output(f"cat {STATE}/machines/*.json | md5sum")
    done = new.host.run(restore)
    assert done.rc != 0
    assert f"{STATE}" in done.stderr
    assert "File exists" in done.stderr
    assert new.host.check_output(f"cat {STATE}/machines/*.json | md5sum") == before
