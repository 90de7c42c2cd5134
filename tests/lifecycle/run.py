# SPDX-License-Identifier: GPL-3.0-or-later
"""Leads machines through their lives, all of them side by side, and asks the server for their states."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.lab import iso, lan, playbook, power, server, watch
from tests.lab.client import Client, Machine
from tests.lab.common import BUILD, alone, digest, run
from tests.lab.server import Server
from tests.lab.story import Story

from . import machines, provisioned
from .machines import LOST, WHOLE, Life

NAME = "lifecycle"
INVENTORY = Path(__file__).parent / "inventory"
IMAGE = "noble"
PATIENCE = 400.0
"""Seconds for a boot: four machines share two slow cores."""
SETTLE = 15.0
"""Seconds that the server may take from a report to the state."""
SEEDS = "/srv/netboot/http/machines"
# nginx takes the first of its locations that fits, so this one goes before all others of the server that machines ask.
BLOCK = r"""
set -e
file=/etc/netboot/nginx.conf
block='location ~ ^/reports/life-lost\\..*\\.installed$ { return 503; }'
sed -i --follow-symlinks "/listen [0-9.]*:[0-9]/,/^ *location /s,^ *location ,    $block\n&," "$file"
nginx -t -q -c "$file"
systemctl reload netboot-nginx
"""


@dataclass(frozen=True)
class Moment:
    """A step of a life. seconds: how long it took. state: what the server says after it. faults: empty when well."""

    machine: str
    step: str
    seconds: float
    state: str
    faults: list[str]


class Lives:
    """The machines, their server, and what has happened until now."""

    def __init__(self, box: Server, inventories: list[Path], say: Callable[[str], None]) -> None:
        self.box, self.inventories, self.say = box, inventories, say
        self.network = lan.find(box.lan or "")
        self.moments: list[Moment] = []
        self.systems: dict[str, str] = {}  # what is on each machine's disk

    def play(self, book: str, extra: dict[str, Any], *options: str) -> float:
        """Run a playbook as a user does; seconds."""
        argv = [*playbook.command(self.inventories, extra, book), *options]
        return playbook.run_site(argv, BUILD / NAME / f"{book.rpartition('.')[2]}.log", lambda _task: None)

    def states(self) -> dict[str, dict[str, str]]:
        """What the server says of each machine."""
        told = json.loads(run(*server.ssh(self.box, "netboot", "status", "--json")))
        return {entry["machine"]: entry for entry in told}

    def note(
        self, life: Life | Machine, step: str, seconds: float, wanted: str, faults: Sequence[str]
    ) -> None:
        """Wait for the state that must come, and write the step down."""
        deadline = time.monotonic() + SETTLE
        while (entry := self.states()[life.name])["state"] != wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        state, found = entry["state"], list(faults)
        if state != wanted:
            found.append(f"the server says {state} ({entry['reason']}) instead of {wanted}")
        self.moments.append(Moment(life.name, step, round(seconds, 1), state, found))
        self.say(f"  {life.name}: {step}: {state}" + "".join(f"\n    FAULT: {fault}" for fault in found))

    def boot(self, lives: Sequence[Life], log: watch.ServerLog, *, again: bool) -> list[watch.Boot]:
        """Switch machines on until each has ended."""
        clients = [
            Client(Machine(life.name, life.mac, life.firmware, blank=life.blank), self.network, again=again)
            for life in lives
        ]
        sizes = watch.tftp_sizes(self.box)
        return watch.follow(clients, log, sizes, enough=machines.report_refused, patience=PATIENCE)

    def install(self, lives: Sequence[Life], log: watch.ServerLog, *, again: bool) -> None:
        """Armed machines are switched on."""
        self.say(f"Switched on, armed: {', '.join(life.name for life in lives)}")
        for life, done in zip(lives, self.boot(lives, log, again=again), strict=True):
            kind = life.becomes(again=again)
            faults = machines.installation(kind, done.story)
            written = machines.system_written(done.story)
            if kind.writes and written == self.systems.get(life.name):
                faults.append(f"the system {written} is not a new one")
            if kind.writes:
                self.systems[life.name] = written
            else:
                faults += unchanged(done)
                faults += machines.last_words(kind, done.client.serial.read_text("utf-8", "replace"))
            faults += self.seeds(life, done.story)
            self.note(life, "PXE: installer", done.seconds, kind.state, faults)
            reason = self.states()[life.name]["reason"]
            if kind.reason not in reason:
                self.moments[-1].faults.append(f"the server's reason is {reason!r}, without {kind.reason!r}")

    def seeds(self, life: Life, story: Story) -> list[str]:
        """What is wrong with the answers: all four came once; when the machine has reported, they are gone."""
        answers = story.seeds()
        faults = [f"{name}: answered with {got}" for name, got in answers.items() if got != [200]]
        faults += [] if len(answers) == 4 else [f"only {', '.join(answers)} were asked for"]
        if life.kind is not LOST:
            deadline = time.monotonic() + SETTLE  # the report is taken up by systemd
            while (left := self.left_over(life)) and time.monotonic() < deadline:
                time.sleep(0.5)
            faults += [f"{len(left)} files of its answers are still on the server"] if left else []
        return faults

    def left_over(self, life: Life) -> list[str]:
        """The files of a machine's answers that are on the server."""
        return run(*server.ssh(self.box, "find", f"{SEEDS}/{life.name}", "-type", "f"), check=False).split()

    def leave(self, lives: Sequence[Life], log: watch.ServerLog, *, again: bool) -> None:
        """Machines that are not armed are switched on; they start from the network all the same."""
        self.say(f"Switched on, not armed: {', '.join(life.name for life in lives)}")
        for life, done in zip(lives, self.boot(lives, log, again=True), strict=True):
            faults = machines.left_alone(done.story, self.systems.get(life.name, ""))
            system = machines.system_booted(done.story) or "of the factory"
            self.note(
                life, f"PXE: its disk, system {system}", done.seconds, life.becomes(again=again).state, faults
            )

    def arm(self, lives: Sequence[Life]) -> None:
        """Have them installed once more."""
        names = ",".join(life.name for life in lives)
        self.say(f"ansible-playbook homelab.netboot.arm -l {names} -e confirm=yes")
        seconds = self.play("homelab.netboot.arm", {"confirm": "yes"}, "-l", names)
        for life in lives:
            self.note(life, "homelab.netboot.arm", seconds, "armed", [])


def unchanged(done: watch.Boot) -> list[str]:
    """What is wrong with the disk of a machine that must not be written to."""
    same = digest((done.client.folder / "disk.img").read_bytes()) == done.client.disk_at_first
    return [] if same else ["its disk is not as it was"]


def run_lives(lives: Sequence[Life], others: Sequence[Machine], say: Callable[[str], None]) -> list[Moment]:
    """The whole test. others: those that are provisioned. Everything that was started is removed, however it ends."""
    with alone(NAME):
        try:
            say("Starting a server of trixie")
            box = server.up(NAME, "trixie", NAME)
            inventories = [INVENTORY, playbook.write_inventory(BUILD / NAME / "lab.json", {NAME: box})]
            inventories.append(playbook.write_machines(BUILD / NAME, box, others))
            told = Lives(box, inventories, say)
            say("site.yml")
            seconds = told.play("site.yml", {"netboot_images": {IMAGE: {"src": str(iso.ensure(full=True))}}})
            everybody: list[Life | Machine] = [*lives, *others]
            for one in everybody:
                told.note(one, "site.yml", seconds, "armed", [])
            _lead(told, lives)
            _provision(told, others)
        finally:
            server.down(NAME)
            lan.down(NAME)
        return told.moments


def _lead(told: Lives, lives: Sequence[Life]) -> None:
    if not lives:
        return
    whole = [life for life in lives if life.kind is WHOLE]
    if any(life.kind is LOST for life in lives):
        run(*server.ssh(told.box, "bash", "-s"), stdin=BLOCK)
    with watch.ServerLog(told.box, told.network) as log:
        told.install(lives, log, again=False)
        told.leave(lives, log, again=False)
        if whole:
            told.arm(whole)
            told.install(whole, log, again=True)
            told.leave(whole, log, again=True)


def _provision(told: Lives, others: Sequence[Machine]) -> None:
    if not others:
        return
    by_ssh = [machine for machine in others if machine.disk_first]
    played = provisioned.Provisioned(told.inventories, told.network, others, BUILD / NAME)
    runs: list[tuple[Sequence[Machine], dict[str, str], str]] = [
        (others, {}, "provision, from power off"),
        (by_ssh, {"reinstall": "yes"}, "provision -e reinstall=yes, by SSH"),
    ]
    try:
        for meant, extra, step in runs:
            if not meant:
                continue
            told.say(f"{power.BOOK} -l {','.join(one.name for one in meant)}: {step}")
            seconds, wrong = played.run(meant, extra)
            for machine in meant:
                told.note(machine, step, seconds, "up", wrong[machine])
    finally:
        played.switch_off()


def as_json(moments: Sequence[Moment]) -> str:
    """A list with one object a step."""
    return json.dumps([asdict(moment) for moment in moments], indent=2) + "\n"


def table(moments: Sequence[Moment]) -> list[str]:
    """Aligned lines, one life after the other, each in the order in which it happened."""
    cells = [("machine", "step", "seconds", "state after it", "result")]
    for name in dict.fromkeys(moment.machine for moment in moments):
        cells += [
            (name, moment.step, f"{moment.seconds:.1f}", moment.state, "FAILED" if moment.faults else "ok")
            for moment in moments
            if moment.machine == name
        ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column == 2 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
