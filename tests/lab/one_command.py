# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's one command: homelab.netboot.provision leads a machine from switched off to a playbook that runs on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from . import playbook, watch
from .client import Machine
from .common import BUILD, LAB, ROOT, LabError
from .playbook import Task
from .power import BOOK, SWITCH_ON, Power
from .said import Said
from .screen import Screen
from .story import Line, Story

HELLO = LAB / "hello.yml"
PATIENCE = 900
"""Seconds until the playbook gives the machine up."""


def given(machine: Machine) -> list[str]:
    """Its options. The question whether the disk may be wiped is answered before it is asked."""
    return ["-l", machine.name, "-e", f"then={HELLO.relative_to(ROOT)}", "-e", "confirm=yes"]


def run(screen: Screen, inventories: Sequence[Path], power: Power, log: watch.ServerLog) -> Story:
    """Run it, show what it says, and do what it asks for: switch the machine on. Its story."""
    argv = [*playbook.command(inventories, {"patience": PATIENCE}, BOOK), *given(power.machine)]
    machine, said = power.machine, Said()
    story = Story(machine.mac, time.time(), watch.TFTP_ROOT, watch.tftp_sizes(log.server))
    tails = log.tails()

    def hear(line: str) -> None:
        for told in said.feed(line):
            (screen.working if told.startswith(f"{machine.name}  [") else screen.line)(f"  {told}")

    def switch_on(task: Task | str) -> None:
        if isinstance(task, Task) and task.name == SWITCH_ON and task.state == "ok" and not power.ident:
            power.start()

    try:
        playbook.run_site(argv, BUILD / "demo" / "provision.log", switch_on, hear)
    finally:
        power.switch_off()
    if power.error:
        raise LabError(f"{machine.name}: {power.error}")
    log.wait_until_complete()
    consoles = [Line(time.time(), "serial", line) for text in power.since(0) for line in text.splitlines()]
    for line in [*(line for tail in tails for line in tail.lines()), *consoles]:
        story.feed(watch.source_of(line))
    return story
