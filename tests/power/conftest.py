# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's program with folders of its own, and a controller that runs playbooks with these BMCs in its inventory."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box

from tests.lab import playbook
from tests.lab.common import ROOT, run
from tests.power import bmcs
from tests.tools import community_general

#: One end of the cable; what a server sends there is seen at the other, CABLE[1].
CABLE = ("netboot0", "netboot1")


@pytest.fixture(scope="session", autouse=True)
def _network() -> None:
    """The network namespace that tests.power made: no card of the host is in it."""
    cards = sorted(os.listdir("/sys/class/net"))
    if set(cards) - {"lo"}:
        pytest.exit(f"there are network cards ({', '.join(cards)}): run `make power`", returncode=1)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", CABLE[0], "type", "veth", "peer", "name", CABLE[1])
    run("ip", "address", "add", "192.0.2.1/24", "dev", CABLE[0])
    for card in CABLE:
        run("ip", "link", "set", card, "up")


class Home:
    """A server that knows machines, and the controller."""

    def __init__(self, top: Path) -> None:
        self.top, self.box = top, Box(top / "server")
        self.collections = [community_general.folder()]
        self.controller: dict[str, Any] = {}
        self.output = ""

    def install(self) -> None:
        """Put the program where playbooks run it, in this mount namespace only."""
        settings = self.top / "settings.json"
        settings.write_text(json.dumps(self.box.settings.__dict__))
        program = self.top / "sbin/netboot"
        program.parent.mkdir()
        package = "ansible_collections.homelab.netboot.plugins.module_utils._program.cli"
        program.write_text(
            f"#!/bin/sh\nPYTHONPATH={ROOT}/.collections exec {sys.executable} -c "
            f"'import sys; from {package} import main; sys.exit(main())' --settings {settings} \"$@\"\n"
        )
        program.chmod(0o755)
        run("mount", "--bind", program.parent, "/usr/local/sbin")

    def playbook(self, name: str, machines: Mapping[str, Mapping[str, Any]], *options: str) -> int:
        """Run one of ours; what it says is in `output`, in one line."""
        group = {
            host: {
                "netboot_mac": self.box.macs.get(host, "any"),
                "ansible_host": f"127.0.1.{number}",
                **variables,
            }
            for number, (host, variables) in enumerate(machines.items(), 1)
        }
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = self.top / "inventory.json"
        inventory.write_text(
            json.dumps(
                {
                    "all": {"hosts": {"localhost": {**local, **self.controller}}},
                    "netboot_servers": {"hosts": {"server1": {**local, "ansible_become": False}}},
                    # nobody listens there
                    "netboot_machines": {"hosts": group, "vars": {"ansible_port": 1}},
                }
            )
        )
        code, self.output = playbook.run_apart(
            self.top,
            [f"homelab.netboot.{name}", "-i", inventory, "-f", "20", *options],
            self.collections,
            ANSIBLE_DISPLAY_ARGS_TO_STDOUT="true",
            ANSIBLE_CALLBACK_RESULT_FORMAT="yaml",
        )
        return code

    def state(self, name: str) -> str:
        return self.box.of(name).state


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """With ten machines, of which none is armed."""
    one = Home(tmp_path)
    names = [f"nuc{number}" for number in range(1, 11)]
    one.box.plan(**dict.fromkeys(names, "once"))
    one.box.do("publish")
    one.box.do("disarm", *names)
    one.install()
    yield one
    run("umount", "/usr/local/sbin")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts BMCs: a kind, and its machines as name=runs."""
    started: list[bmcs.Bmc] = []

    def one(kind: type[bmcs.Bmc], **machines: bool) -> bmcs.Bmc:
        started.append(kind(tmp_path / f"bmc{len(started)}", **machines))
        started[-1].wait()
        return started[-1]

    yield one
    for bmc in started:
        bmc.stop()
