# SPDX-License-Identifier: GPL-3.0-or-later
"""From power off to a playbook of the user's own, by one command; then installed anew by SSH, as its firmware is told.

Nobody but the playbook does anything to these machines, but for the hand that switches them on when it asks for that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab import lan, playbook, system
from tests.lab.client import Machine
from tests.lab.common import LabError
from tests.lab.firmware import BIOS, SECURE
from tests.lab.playbook import Task
from tests.lab.power import BOOK, SWITCH_ON, Power

HELLO = Path(__file__).with_name("hello.yml")
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
