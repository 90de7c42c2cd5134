# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that stays on through all its restarts, as provision needs it, and the hand that starts it."""

from __future__ import annotations

import threading

from .client import Client, Machine
from .common import LabError
from .lan import Lan

BOOK = "homelab.netboot.provision"
SWITCH_ON = "Say who may have to be switched on by hand"
"""The playbook's task that asks for a hand."""


class Power(threading.Thread):
    """A machine that is on: it starts again whenever it restarts, until it is switched off."""

    def __init__(self, machine: Machine, network: Lan) -> None:
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
