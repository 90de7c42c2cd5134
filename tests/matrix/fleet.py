# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings up the servers that the rows need, sets them up with site.yml and boots the rows' machines."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pycdlib

from tests.lab import iso, lan, playbook, server, watch
from tests.lab.client import Client, Machine
from tests.lab.common import BUILD, LabError, alone, run
from tests.lab.server import Server

from .rows import Facts, Row

IMAGE = "focal"
INVENTORIES = Path(__file__).parent / "inventory"
SIDE_BY_SIDE = 4
"""Machines at once: on two cores their waiting overlaps, and nothing runs into its time-out."""


@dataclass(frozen=True)
class Outcome:
    """What a row came to. faults: empty when all is well."""

    row: Row
    seconds: float
    bytes_tftp: int
    bytes_http: int
    iso_bytes: int
    faults: list[str]
    secure_boot: str = ""  # who said that it is on: kernel or grub


def facts_of(path: Path) -> Facts:
    """The sizes in the lab's ISO."""
    image = pycdlib.PyCdlib()
    image.open(str(path))
    sizes = [image.get_record(rr_path=f"/casper/{name}").data_length for name in ("vmlinuz", "initrd")]
    image.close()
    with path.open("rb") as file:
        version = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return Facts(f"/images/{IMAGE}/{version}/{IMAGE}.iso", path.stat().st_size, sum(sizes))


def name_of(suite: str) -> str:
    """The name of the server, and of its boot network."""
    return f"matrix-{suite}"


def run_rows(rows: Sequence[Row], say: Callable[[str], None]) -> list[Outcome]:
    """Boot all rows and judge them. Everything that was started is removed, however it ends."""
    with alone("matrix"):
        return _run_rows(rows, say)


def _run_rows(rows: Sequence[Row], say: Callable[[str], None]) -> list[Outcome]:
    image = iso.ensure()
    facts = facts_of(image)
    suites = list(dict.fromkeys(row.suite for row in rows))
    outcomes: list[Outcome] = []
    try:
        say(f"Starting servers: {', '.join(suites)}")
        with ThreadPoolExecutor() as pool:
            made = pool.map(lambda suite: server.up(name_of(suite), suite, name_of(suite)), suites)
        servers = dict(zip(suites, made, strict=True))
        for inventory in dict.fromkeys(row.inventory for row in rows):
            mine = [row for row in rows if row.inventory == inventory]
            here = {suite: servers[suite] for suite in suites if any(row.suite == suite for row in mine)}
            provision(inventory, here, image, say)
            for suite, box in here.items():
                outcomes += boot(box, [row for row in mine if row.suite == suite], facts, say)
    finally:
        for suite in suites:
            server.down(name_of(suite))
            lan.down(name_of(suite))
    return outcomes


def provision(inventory: str, servers: dict[str, Server], image: Path, say: Callable[[str], None]) -> None:
    """Run site.yml on all servers at once."""
    place = BUILD / "matrix"
    reach = {name_of(suite): box for suite, box in servers.items()}
    lab = playbook.write_inventory(place / f"{inventory}.json", reach)
    argv = playbook.command([INVENTORIES / inventory, lab], {"netboot_images": {IMAGE: {"src": str(image)}}})
    say(f"site.yml -i tests/matrix/inventory/{inventory} on {', '.join(reach)}")
    seconds = playbook.run_site(argv, place / f"{inventory}.log", lambda _task: None)
    say(f"site.yml done in {seconds:.1f} s")


def boot(box: Server, rows: list[Row], facts: Facts, say: Callable[[str], None]) -> list[Outcome]:
    """Boot one server's machines, a few at a time."""
    network = lan.find(box.lan or "")
    for row in rows:
        if row.strip:
            strip(box, row)
        if row.tamper:
            tamper(box, row, facts.iso)
    outcomes = []
    sizes = watch.tftp_sizes(box)
    with watch.ServerLog(box, network) as log:
        for start in range(0, len(rows), SIDE_BY_SIDE):
            some = rows[start : start + SIDE_BY_SIDE]
            say(f"Booting {', '.join(row.name for row in some)}")
            clients = [Client(Machine(row.name, row.mac, row.firmware), network) for row in some]
            for row, done in zip(some, watch.follow(clients, log, sizes), strict=True):
                faults = row.check(done.story, facts)
                if done.result.startswith("failed"):
                    faults.insert(0, done.result)
                figures = (done.seconds, done.story.bytes_tftp, done.story.bytes_http, facts.iso_bytes)
                outcomes.append(Outcome(row, *figures, faults, done.story.secure_boot))
                say(f"  {row.name}: {done.result} after {done.seconds:.1f} s")
    return outcomes


def strip(box: Server, row: Row) -> None:
    """Take an argument off the kernel line of one machine, on the server; LabError when it is not there."""
    path = f"{watch.TFTP_ROOT}/pxelinux.cfg/01-{row.mac.replace(':', '-')}"
    before = run(*server.ssh(box, "cat", path))
    after = re.sub(r"\s" + re.escape(row.strip) + r"(?=\s)", "", before)
    if after == before:
        raise LabError(f"{row.name}: {row.strip} is not in {path}, so nothing can be shown by its absence")
    run(*server.ssh(box, f"cat >{shlex.quote(path)}"), stdin=after)


def tamper(box: Server, row: Row, iso_path: str) -> None:
    """Give one machine a kernel of its own, on the server, with one byte in its middle changed."""
    old, new = f"{iso_path.rpartition('/')[0].lstrip('/')}/vmlinuz", "images/tampered/vmlinuz"
    entry = f"{watch.TFTP_ROOT}/grub/machines/{row.mac}.cfg"
    kernel = f"{watch.TFTP_ROOT}/{new}"
    script = f"""
        set -eu
        mkdir -p {kernel.rpartition("/")[0]}
        cp {watch.TFTP_ROOT}/{old} {kernel}
        middle=$(($(stat -c %s {kernel}) / 2))
        byte=$(od -An -tu1 -j$middle -N1 {kernel})
        printf "\\$(printf %o $((byte ^ 255)))" | dd of={kernel} bs=1 seek=$middle conv=notrunc status=none
        ! cmp -s {watch.TFTP_ROOT}/{old} {kernel}
        grep -q {old} {entry}
        sed -i s,{old},{new}, {entry}
    """
    run(*server.ssh(box, "bash", "-s"), stdin=script)
