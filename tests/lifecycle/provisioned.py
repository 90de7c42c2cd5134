# SPDX-License-Identifier: GPL-3.0-or-later
"""From power off to a playbook of the user's own, by one command; then installed anew by SSH, as its firmware is told.

Nobody but the playbook does anything to these machines, but for the hand that switches them on when it asks for that.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab import lan, playbook, server, system
from tests.lab.client import Client, Machine
from tests.lab.common import LabError
from tests.lab.firmware import BIOS, SECURE
from tests.lab.playbook import Task
from tests.lab.server import Server

BOOK = "homelab.netboot.provision"
HELLO = Path(__file__).with_name("hello.yml")
SWITCH_ON = "Say who may have to be switched on by hand"
"""The playbook's task that asks for a hand."""
PATIENCE = 900
"""Seconds for installation and first start together: two slow cores."""
PLAIN = Machine("provisioned-bios", "52:54:00:12:35:05", BIOS, blank=True, room=system.SIZE)
# Its firmware tries the disk first: only what the running system tells it can bring it to the network again.
SIGNED = Machine(
    "provisioned-uefi", "52:54:00:12:35:06", SECURE, blank=True, room=system.SIZE, disk_first=True
)
MACHINES = (PLAIN, SIGNED)
_WRITTEN = re.compile(r"^LAB install .*\bsystem=([0-9a-f]{8})", re.MULTILINE)
_STARTED = re.compile(r"^LOCAL DISK BOOTED system=([0-9a-f]{8})", re.MULTILINE)


def chosen(pattern: str) -> list[Machine]:
    """The machines whose name contains the pattern; all for an empty one."""
    return [machine for machine in MACHINES if pattern in machine.name]


def faults(machine: Machine, said: str, consoles: Sequence[str], *, by_hand: bool) -> list[str]:
    """What is wrong with a run of the playbook. said: all that it said; consoles: of each start of the machine.

    by_hand: whether it is to be switched on by hand, or may only be reached by SSH.
    """
    name, words = machine.name, " ".join(said.split())
    written = [number for console in consoles for number in _WRITTEN.findall(console)]
    started = [number for console in consoles for number in _STARTED.findall(console)]
    found = [] if len(written) == 1 else [f"{len(written)} systems were written to its disk instead of one"]
    if started != written:
        found.append(f"its disk started {started or 'nothing'} instead of {written}")
    secure = "on" if machine.firmware is SECURE else "off"
    hello = f"hello from {name}, system={''.join(written[-1:])}, Secure Boot {secure}"
    found += [] if hello in words else [f"the playbook did not say {hello!r}"]
    if not re.search(rf"{name} ( *[\d.]+ min){{3}} +[\d.]+ +up", words):
        found.append("it is not in the table at the end with three times, an address and up")
    if (f"switch {name} on now" in words) is not by_hand:
        found.append(f"a hand was {'not ' if by_hand else ''}asked for")
    return found


def inventory(box: Server, place: Path, machines: Sequence[Machine]) -> Path:
    """The machines, behind the server, where this host is not: ssh goes by way of it, and trusts no unknown key."""
    own = box.ansible_vars()
    key = own["ansible_ssh_private_key_file"]
    jump = f"ssh -i {key} {own['ansible_ssh_common_args']} -W %h:%p root@{box.address}"
    known = place / "known_hosts"
    known.unlink(missing_ok=True)
    options = ("StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}", f'ProxyCommand="{jump}"')
    reached = {
        "ansible_user": "ubuntu",
        "ansible_ssh_private_key_file": key,
        "ansible_ssh_common_args": " ".join(f"-o {option}" for option in options),
        "ansible_python_interpreter": "/usr/bin/python3",
        "netboot_ssh_keys": [server.key().with_suffix(".pub").read_text(encoding="utf-8").strip()],
    }
    hosts = {machine.name: {"netboot_mac": machine.mac, **reached} for machine in machines}
    path = place / "provisioned.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"netboot_machines": {"hosts": hosts}}, indent=2) + "\n", encoding="utf-8")
    return path


class Power(threading.Thread):
    """A machine that is on: it starts again whenever it restarts, until it is switched off."""

    def __init__(self, machine: Machine, network: lan.Lan) -> None:
        super().__init__(name=machine.name)
        self.machine, self.network = machine, network
        self.consoles: list[str] = []
        self.error: LabError | None = None
        self.off = threading.Event()

    def run(self) -> None:
        """Start it, with the disk and the firmware's variables that it has by then."""
        try:
            while not self.off.is_set():
                with Client(self.machine, self.network, again=bool(self.consoles)) as client:
                    while client.running() and not self.off.wait(0.2):
                        pass
                    if not self.off.is_set():
                        client.check_started()
                self.consoles.append(client.serial.read_text("utf-8", "replace"))
        except LabError as error:
            self.error = error

    def switch_off(self) -> None:
        """Take its power away, if it has any."""
        self.off.set()
        if self.ident:
            self.join()

    def since(self, number: int) -> list[str]:
        """What stood on its console at each start from this one on, the running one's too."""
        running = Client(self.machine, self.network).serial
        last = [running.read_text("utf-8", "replace")] if self.is_alive() else []
        return [*self.consoles, *last][number:]


class Provisioned:
    """The machines, and runs of the playbook."""

    def __init__(
        self, inventories: Sequence[Path], network: lan.Lan, machines: Sequence[Machine], place: Path
    ) -> None:
        self.inventories, self.place, self.runs = inventories, place, 0
        self.powers = {machine: Power(machine, network) for machine in machines}
        for machine in machines:
            lan.reserve(network, machine.mac)  # one after the other

    def run(
        self, machines: Sequence[Machine], extra: dict[str, Any]
    ) -> tuple[float, dict[Machine, list[str]]]:
        """Run it for these machines; its seconds, and what was wrong."""
        self.runs += 1
        log = self.place / f"provision-{self.runs}.log"
        given = {"confirm": "yes", "then": str(HELLO), "patience": PATIENCE, **extra}
        argv = [
            *playbook.command(self.inventories, given, BOOK),
            "-l",
            ",".join(one.name for one in machines),
        ]
        before = {
            machine: len(self.powers[machine].consoles) + self.powers[machine].is_alive()
            for machine in machines
        }
        by_hand = {machine: not self.powers[machine].is_alive() for machine in machines}

        def switch_on(task: Task | str) -> None:
            if isinstance(task, Task) and task.name == SWITCH_ON and task.state == "ok":
                for machine in machines:
                    if not self.powers[machine].ident:
                        self.powers[machine].start()

        wrong, seconds = [], 0.0
        try:
            seconds = playbook.run_site(argv, log, switch_on)
        except LabError as error:
            wrong.append(str(error))
        said = log.read_text(encoding="utf-8")
        found = {}
        for machine in machines:
            power = self.powers[machine]
            own = [*wrong, *([str(power.error)] if power.error else [])]
            found[machine] = own + faults(
                machine, said, power.since(before[machine]), by_hand=by_hand[machine]
            )
        return seconds, found

    def switch_off(self) -> None:
        """All of them."""
        for power in self.powers.values():
            power.off.set()
        for power in self.powers.values():
            power.switch_off()
