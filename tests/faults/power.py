# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers whose power goes in the middle of a run of site.yml, and what is on their disks after that."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

from tests.faults.box import PLACE, SUITE, Box, wait
from tests.lab import playbook, server
from tests.lab.common import LabError, run
from tests.unit.isos import make_iso, ubuntu_files

Tree = dict[str, str]
"""Path → what is there. What no two runs have in common is left out: tokens, and which image it is."""

HASHES = (
    "$6$aaaaaaaa$4ytjk4CO0B599Bzc/7w5hKErpcKA2/MyBcv5dCFNBin3TPSd6cH/XpYf9ZeGd7ZsjNn2xxUXejVbPGVF.jYa6/",
    "$6$bbbbbbbb$Mv7wpljLsv1uYjfdR0/HbCiIgcp62Vg3tklc9YfHU6c8DGFlOphDACGFNqyBu2itRYkLGMqV8B4W9xSdKCYbR/",
)
MACHINES = [f"p{number}" for number in range(6)]
GUEST = "guest"  # in every other inventory

LOOK = r"""
import hashlib, json, os, re, stat, subprocess
TOPS = ("/srv/netboot", "/etc/logrotate.d", "/etc/netboot", "/etc/nginx", "/etc/systemd/system", "/usr/local",
        "/var/lib/netboot/plan", "/var/spool/netboot")
IMAGES = "/srv/netboot/http/images/focal"
APART = (IMAGES + "/", "/srv/netboot/http/status/")  # the page tells times
tree, named, images = {}, set(), {}
for path in (os.path.join(at, name) for top in TOPS for at, folders, files in os.walk(top)
             for name in folders + files):
    if path.startswith(APART) or path.endswith(".dpkg-new") or re.search(r"/[.][^/]*[.]json$", path):
        continue
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        continue
    what = os.readlink(path) if stat.S_ISLNK(info.st_mode) else ""
    if stat.S_ISREG(info.st_mode):
        content = open(path, "rb").read()
        if b"images/focal/" in content:
            named.update(one.decode() for one in re.findall(rb"images/focal/([0-9a-f]{12})/", content))
            content = re.sub(rb"images/focal/[0-9a-f]{12}/", b"images/focal/N/", content)
        what = hashlib.sha256(re.sub(rb"[0-9a-f]{32}", b"TOKEN", content)).hexdigest()[:16]
    tree[re.sub("[0-9a-f]{32}", "TOKEN", path)] = f"{stat.filemode(info.st_mode)} {info.st_uid}:{info.st_gid} {what}"
for name in os.listdir(IMAGES) if os.path.isdir(IMAGES) else ():
    if len(name) == 12:
        images[name] = {file: hashlib.sha256(open(f"{IMAGES}/{name}/{file}", "rb").read()).hexdigest()
                        for file in os.listdir(f"{IMAGES}/{name}") if file != "manifest.json"}  # it tells times
current = os.readlink(IMAGES + "/current") if os.path.lexists(IMAGES + "/current") else ""
dpkg = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${Status}\n"], capture_output=True, text=True)
tree["packages"] = hashlib.sha256(dpkg.stdout.encode()).hexdigest()
tree["dpkg --audit"] = subprocess.run(["dpkg", "--audit"], capture_output=True, text=True).stdout.strip()
print(json.dumps([tree, sorted(named | {current} - {""}), images]))
"""

# What must be so once the system has started again; a line for each thing that is not.
SOUND = """
if [ -e /etc/netboot/nginx.conf ]; then mkdir -p /run/netboot-nginx; nginx -t -q -c /etc/netboot/nginx.conf; fi
conf=/etc/netboot/dnsmasq.conf
if [ -e $conf ]; then dnsmasq --test --conf-file=$conf 2>&1 | grep -v 'check OK'; fi
if ss -Hltn sport = :80 | grep -qE ' (0[.]0[.]0[.]0|[*]):80 '; then echo "the distribution's nginx runs"; fi
systemctl --failed --no-legend --plain | cut -d' ' -f1
"""
UNITS = ("netboot-nginx", "netboot-dnsmasq", "netboot-reports.path", "netboot-expire.timer")
RUNNING = f"systemctl is-active {' '.join(UNITS)}"


class Plug(Box):
    """A server that can be cut off, and inventories that every run after the other changes all roles' work by."""

    def __init__(self, name: str) -> None:
        super().__init__(server.up(name, SUITE, name))
        self.name, self.number, self.runs, self.on = name, 0, 0, True
        self.switch = threading.Lock()
        self.place = PLACE / name
        self.place.mkdir(parents=True, exist_ok=True)
        self.isos: dict[str, dict[str, str]] = {}  # version → what its files must be
        self.took: dict[str, float] = {}  # task that changed something → seconds, in the last run

    def inventory(self, kind: int) -> Path:
        """Write the inventory 0 or 1, with an image that no run had before."""
        self.number += 1
        image = self.place / f"focal-{self.number}.iso"
        kernel, initrd = (f"{word} {self.number} ".encode() * 5000 for word in ("kernel", "initrd"))
        make_iso(image, ubuntu_files(kernel, initrd), joliet=True)
        sums = [hashlib.sha256(data).hexdigest() for data in (image.read_bytes(), kernel, initrd)]
        self.isos[sums[0][:12]] = dict(zip(("focal.iso", "vmlinuz", "initrd"), sums))
        names = [*MACHINES, *([GUEST] if kind else [])]
        hosts = {name: {"netboot_mac": f"52:54:00:02:00:{n:02x}"} for n, name in enumerate(names)}
        if kind:
            # else it would be armed only the first time that it comes
            hosts[GUEST].update(netboot_install="always", netboot_wipe="always")
        machines = {
            "hosts": hosts,
            "vars": {"netboot_password_hash": HASHES[kind], "netboot_kernel_args": [f"kind={kind}"]},
        }
        servers = {
            "netboot_images": {"focal": {"src": str(image), "keep": 99}},
            "netboot_http_port": (80, 8080)[kind],
            "netboot_uefi": ("auto", "never")[kind],
            "machine_states_hours": (4, 5)[kind],
            "pxe_http_report_burst": (20, 21)[kind],
            "pxe_dnsmasq_log_dhcp": not kind,
        }
        path = self.place / "machines.json"
        path.write_text(json.dumps({"netboot_machines": machines, "netboot_servers": {"vars": servers}}))
        return path

    def run(
        self, kind: int, when: Callable[[str], float | None] = lambda _task: None, again: bool = False
    ) -> str:
        """Run site.yml; returns its output.

        when: how many seconds after this task begins the power goes. A task that is quicker than that is the last one.
        again: with the inventory of the last run.
        """
        machines = self.place / "machines.json" if again else self.inventory(kind)
        reached = playbook.write_inventory(self.place / "server.json", {self.name: self.server})
        self.runs += 1
        self.took = {}
        log = self.place / f"run-{self.runs}.log"
        due: list[threading.Timer] = []

        def tell(task: playbook.Task | str) -> None:
            if isinstance(task, playbook.Task):
                self.took.update({task.name: task.seconds} if task.state == "changed" else {})
                if due:
                    self.cut()
            elif not due and (seconds := when(task)) is not None:
                due.append(threading.Timer(seconds, self.cut))
                due[0].start()

        try:
            playbook.run_site(playbook.command([machines, reached], {}), log, tell)
        except LabError:
            if self.on:
                raise
        finally:
            for timer in due:
                timer.cancel()
                timer.join()
        return log.read_text(encoding="utf-8")

    def cut(self) -> None:
        """Nothing runs any more."""
        with self.switch:
            if self.on:
                run("podman", "kill", "--signal", "KILL", self.server.container)
            self.on = False

    def start(self) -> None:
        """Switch it on again, and wait until it has started."""
        self.server = server.start(self.name)
        self.on = True

    def look(self) -> tuple[Tree, list[str]]:
        """What is there, and what is wrong with the images: each is what its ISO says, and what is named is there."""
        tree, named, images = self.python(LOOK)
        faults = [f"image {name} is {files}" for name, files in images.items() if files != self.isos[name]]
        return tree, faults + [
            f"image {name} is named, but not there" for name in named if name not in images
        ]

    def check(self, *, whole: bool) -> tuple[Tree, list[str]]:
        """What is there after a start, and all that is wrong with it. whole: all services must run again."""
        tree, faults = self.look()
        faults += self.sh(SOUND).split("\n")
        if whole:
            with contextlib.suppress(AssertionError):
                wait(lambda: set(self.sh(RUNNING, check=False).split()) <= {"active"}, 60)
            faults += [
                f"{unit}: {state}"
                for unit, state in zip(UNITS, self.sh(RUNNING, check=False).split())
                if state != "active"
            ]
        if whole or self.sh("test -x /usr/local/sbin/netboot && echo yes", check=False):
            self.known.pop(GUEST, None)  # it comes and goes
            try:
                # the plan to arm it is taken away before it leaves the list of machines
                faults += [
                    fault for fault in self.unsafe() if not re.match(f"{GUEST} is armed, .* its disk", fault)
                ]
            except (AssertionError, LabError) as error:
                faults.append(f"boot entries: {error}")
        elif any("/pxelinux.cfg/01-" in path for path in tree):
            faults.append("machines find entries of which the program knows nothing")
        return tree, [fault for fault in faults if fault]


def unlike(tree: Tree, *wholes: Tree, midway: bool = False, first: bool = False) -> list[str]:
    """What is there as none of these whole runs made it.

    midway: no run has ended since. first: none has ever ended, so things may be missing, and packages unfinished.
    """
    apart = {"packages"} if midway else set()
    apart |= {"dpkg --audit"} if first else set()
    faults = []
    for path in sorted({path for one in (tree, *wholes) for path in one} - apart):
        now, wanted = tree.get(path), [whole.get(path) for whole in wholes]
        # what is being written, and what keeps Debian's nginx from starting while it is being installed
        unfinished = midway and re.search(r"/\.(netboot-|new-|incoming)|/nginx\.service\.d\b", path)
        if now not in wanted and not unfinished and not (now is None and first):
            faults.append(f"{path} is {now}, not {' or '.join(map(str, wanted))}")
    return faults
