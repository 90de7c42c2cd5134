# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: a home network on this host, the real site.yml, a machine led to a playbook, and one that is left alone."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import accel, iso, lan, one_command, playbook, product, server, system, telling, watch
from .client import Client, Machine
from .common import BUILD, ROOT, LabError, alone, run
from .firmware import BIOS
from .playbook import Task
from .power import BOOK, Power
from .screen import Screen
from .server import Server
from .story import SEEDS, Story

NAME = "demo"
FOREIGN = "52:54:00:12:34:56"
HOME = ROOT / "inventories" / "home"


@dataclass(frozen=True)
class Home:
    """What the demo takes from inventories/home: names, the first machine's MAC, the images' names."""

    server: str
    machine: str
    mac: str
    images: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """The ISO: the lab's own, or a real one, whose installer is watched until it has its answers."""

    path: Path
    real: bool

    def machine(self, home: Home) -> Machine:
        """The PC for it: its disk has room for the lab's system, its memory for twice a real ISO and 1 GiB."""
        if self.real:
            memory = 2 * (self.path.stat().st_size // 2**20 + 128) + 1024
            return Machine(home.machine, home.mac, BIOS, memory, blank=True)
        return Machine(home.machine, home.mac, BIOS, blank=True, room=system.SIZE)


def read_home() -> Home:
    """Ask ansible-inventory, so that the demo also shows an inventory that was changed."""
    argv = playbook.program("ansible-inventory"), "-i", str(HOME), "--list"
    found: dict[str, Any] = json.loads(run(*argv))
    hosts = found["_meta"]["hostvars"]
    try:
        box = found["netboot_servers"]["hosts"][0]
        macs = {
            name: plain_mac(str(hosts[name].get("netboot_mac")))
            for name in found["netboot_machines"]["hosts"]
        }
        machine = next(name for name, mac in macs.items() if mac)
    except (KeyError, IndexError, StopIteration) as error:
        raise LabError(
            "inventories/home names no server, or no machine with a MAC as its netboot_mac"
        ) from error
    return Home(box, machine, macs[machine], tuple(hosts[box].get("netboot_images") or {"jammy": {}}))


def plain_mac(text: str) -> str:
    """A MAC in any usual notation as QEMU and the logs write it; empty for anything else."""
    digits = re.sub("[-:. ]", "", text.lower())
    return ":".join(re.findall("..", digits)) if re.fullmatch("[0-9a-f]{12}", digits) else ""


def demo(suite: str, given: Path | None) -> None:
    """Run all of it; whatever happens, nothing that was started stays."""
    with alone(NAME):
        _demo(suite, given, Screen())


def _demo(suite: str, given: Path | None, screen: Screen) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
    started = time.monotonic()
    if given is not None and not given.is_file():
        raise LabError(f"ISO={given}: there is no such file")
    try:
        home = read_home()
        source = Source(given, True) if given is not None else Source(iso.ensure(full=True), False)
        box, network = bring_up(screen, suite, home)
        named = source.machine(home)
        inventories = [
            HOME,
            playbook.write_inventory(BUILD / NAME / "inventory.json", {home.server: box}),
            playbook.write_machines(BUILD / NAME, box, [named]),
        ]
        set_up(screen, home, inventories, source)
        with watch.ServerLog(box, network) as log:
            boots = lead(screen, inventories, named, log, source)
            screen.title(f"4  A machine that the inventory does not name, {FOREIGN}, is switched on")
            foreign = boot(screen, Client(Machine("stranger", FOREIGN), network), log)
    except BaseException:
        screen.line()
        screen.line(
            f"What happened is in {(BUILD / NAME).relative_to(ROOT)}/, build/lab/lans/demo/ and build/lab/clients/."
        )
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not keep us from cleaning up
        screen.working("Removing the lab …")
        server.down(NAME)
        lan.down(NAME)
    for done, wanted in [*boots, (foreign, "local disk")]:
        if done.result != wanted:
            raise LabError(
                f"{done.client.machine.name}: {done.result}; its console is in {done.client.serial}"
            )
    screen.title("5  Your own network")
    for text in advice():
        screen.line(text)
    screen.line()
    screen.line(
        f"demo: all as it should be, in {time.monotonic() - started:.0f} s; everything is removed again.",
        "good",
    )


def bring_up(screen: Screen, suite: str, home: Home) -> tuple[Server, lan.Lan]:
    """Network, router and server."""
    screen.title("1  A home network inside this computer")
    network = lan.up(NAME)
    screen.line(f"  router    {network.address(1):<18} dnsmasq gives addresses, and knows nothing of booting")
    screen.working(f"  server    starting a container with {suite} …")
    box = server.up(NAME, suite, NAME)
    screen.line(
        f"  {home.server:<9} {box.lan_address:<18} Debian {suite} with systemd and SSH, nothing else yet"
    )
    screen.line(f"  {home.machine:<9} {home.mac:<18} an empty PC, switched off: QEMU with real firmware")
    screen.line(f"  {accel.told([BIOS.arch])}", "dim")
    return box, network


def set_up(screen: Screen, home: Home, inventories: Sequence[Path], source: Source) -> None:
    """Run site.yml; only the ways to server and machine and the image's source differ from what a user runs."""
    extra: dict[str, Any] = {"netboot_images": {name: {"src": str(source.path)} for name in home.images}}
    if not list(Path.home().glob(".ssh/id_*.pub")):
        extra["netboot_ssh_keys"] = [server.key().with_suffix(".pub").read_text(encoding="utf-8").strip()]
    screen.title("2  ansible-playbook site.yml -i inventories/home -i … -e …")
    screen.line(
        f"  (more inventories only lead to the container and to {home.machine}, -e to {source.path.name})",
        "dim",
    )
    count = {"ok": 0, "changed": 0, "skipping": 0, "failed": 0}

    def tell(task: Task | str) -> None:
        if isinstance(task, str):
            screen.working(f"  {'…':<8} {short(task)}")
            return
        count[task.state] += 1
        if task.state in ("changed", "failed"):
            text = f"  {task.state:<8} {short(task.name):<84.84} {task.seconds:5.1f} s"
            screen.line(text, "bad" if task.state == "failed" else "plain")

    argv = playbook.command(inventories, extra)
    seconds = playbook.run_site(argv, BUILD / NAME / "ansible.log", tell)
    screen.line(
        f"  {count['changed']} tasks changed something, {count['ok']} found all well; {seconds:.1f} s", "good"
    )


def short(name: str) -> str:
    """A task's name without the collection's."""
    return name.replace("homelab.netboot.", "")


def lead(
    screen: Screen, inventories: Sequence[Path], machine: Machine, log: watch.ServerLog, source: Source
) -> list[tuple[watch.Boot, str]]:
    """By one command to a playbook that runs on it; with a real ISO as far as that goes here, and how it must end."""
    if source.real:
        screen.title(f"3  {machine.name} is switched on; its server tells what it does: netboot watch")
        installed = install(screen, Client(machine, log.lan), log)
        totals(screen, machine.name, installed.story, source)
        return [(installed, "enough")]
    given = " ".join(one_command.given(machine))
    screen.title(f"3  ansible-playbook {BOOK} {given} …")
    story = one_command.run(screen, inventories, Power(machine, log.lan), log)
    totals(screen, machine.name, story, source)
    if not own_screen(screen, story):
        raise LabError(f"{machine.name} did not start from its disk; see build/lab/clients/")
    return []


def install(screen: Screen, client: Client, log: watch.ServerLog) -> watch.Boot:
    """Switch a machine on that gets a real installer; `netboot watch` on its server tells what it does."""
    name = client.machine.name
    with product.Watch(log.server, name) as watched:

        def show() -> None:
            for line in watched.lines():
                (screen.working if line.startswith(f"{name}  [") else screen.line)(f"  {line}")

        sizes = watch.tftp_sizes(log.server)
        done = watch.follow(
            [client], log, sizes, idle=lambda _boots: show(), enough=has_answers, patience=3600.0
        )[0]
        show()
    if done.result == "enough":
        told = "Ubuntu's installer has its answers; installing in an emulated PC would take hours, so it ends here"
        screen.line(f"  {told}", "good")
    return done


def boot(screen: Screen, client: Client, log: watch.ServerLog) -> watch.Boot:
    """Switch a stranger on, which boots its disk; then `netboot why` tells how far it came."""

    def idle(boots: list[watch.Boot]) -> None:
        screen.working(
            f"  {time.time() - boots[0].client.power_on:6.1f} s  … {client.machine.name} is at work"
        )

    done = watch.follow([client], log, watch.tftp_sizes(log.server), idle=idle)[0]
    for line in product.why(log.server, client.machine.mac):
        screen.line(f"  {line}")
    own_screen(screen, done.story)
    return done


def own_screen(screen: Screen, story: Story) -> bool:
    """What a machine says of its disk when it starts from there; whether it does."""
    marks = [step.name for step in story.of("disk")]
    screen.line(f"  its own screen says: {marks[-1] if marks else story.ending}", "good" if marks else "bad")
    return bool(marks)


def has_answers(story: Story) -> bool:
    """cloud-init has fetched what it asks for; releases differ in network-config."""
    return {name for name, statuses in story.seeds().items() if 200 in statuses} >= set(SEEDS) - {
        "network-config"
    }


def totals(screen: Screen, name: str, story: Story, source: Source) -> None:
    """Bytes by TFTP and HTTP, and how many times the ISO."""
    size = source.path.stat().st_size
    fetched = sum(step.size for step in story.of("http") if step.name.endswith(".iso"))
    tftp, http = telling.human(story.bytes_tftp), telling.human(story.bytes_http)
    times = f"the ISO ({telling.human(size)}) {fetched / size:.2f} times"
    screen.line(
        f"  {name} fetched {tftp} by TFTP and {http} by HTTP; {times}", "good" if fetched == size else "bad"
    )


def advice() -> list[str]:
    """What to change for one's own network, read from the files themselves."""
    lines = ["  Change these lines in inventories/home (they are marked there):"]
    for path in sorted(HOME.rglob("*.yml"), reverse=True):
        for setting, _hint in telling.changes(path.read_text(encoding="utf-8")):
            lines.append(
                f"    {path.relative_to(HOME)!s:<32} {setting if len(setting) < 60 else setting[:58] + ' …'}"
            )
    return [
        *lines,
        "  then run",
        "    .venv/bin/ansible-playbook site.yml -i inventories/home --ask-become-pass",
        "  and let the machine boot from its network card (on an Intel NUC: F12 at power-on).",
    ]
