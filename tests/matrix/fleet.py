# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings up the servers that the rows need, sets them up with site.yml and boots the rows' machines."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

import pycdlib

from tests.lab import accel, cached, iso, lan, playbook, relay, server, vendor, verdict, watch
from tests.lab.arch import AMD64, ARM64, Arch
from tests.lab.client import Client, Machine
from tests.lab.common import BUILD, LabError, alone, digest, run
from tests.lab.server import Server

from . import givers, keepers
from .rows import ALONE, CACHED, RELAYED, SECOND, Facts, Row


@dataclass(frozen=True)
class Image:
    """An image of the servers. full: whether its ISO has cloud-init's real code. arch: its processor.

    packed: whether its kernel is compressed. signer: of its kernel, see `iso.ensure`.
    inventory: the only one whose server has it; of the others all have all.
    """

    full: bool = False
    arch: Arch = AMD64
    packed: bool = False
    signer: str = ""
    inventory: str = ""

    def iso(self) -> Path:
        """Its ISO."""
        return iso.ensure(self.full, self.arch, self.packed, self.signer)


IMAGES = {
    "focal": Image(),
    "noble": Image(full=True),
    "arm64": Image(arch=ARM64),
    "arm64-packed": Image(arch=ARM64, packed=True),
    **{name: Image(signer=name, inventory="revoked") for name in (vendor.TODAY, vendor.REVOKED)},
}
"""By name."""
INVENTORIES = Path(__file__).parent / "inventory"
#: The inventory of the servers with caches, for playbooks.
LISTED = [INVENTORIES / CACHED, BUILD / "matrix" / f"{CACHED}.json"]
EMULATED = accel.Accelerator("tcg", ())
GIVEN = tuple(str(IPv4Network(lan.ALONE)[last]) for last in (100, 149))
"""The first and the last address that a server gives where nobody else does."""
SIDE_BY_SIDE = 4
"""Machines at once: on two cores their waiting overlaps, and nothing runs into its time-out."""


Cached = tuple[lan.Lan, Server]
"""A network with a cache, and that."""


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
    by: accel.Accelerator = EMULATED  # what ran it


def facts_of(name: str, path: Path) -> Facts:
    """The sizes in the ISO of an image."""
    image = pycdlib.PyCdlib()
    image.open(str(path))
    sizes = [image.get_record(rr_path=f"/casper/{part}").data_length for part in ("vmlinuz", "initrd")]
    if IMAGES[name].packed:  # the server unpacks it
        packed = io.BytesIO()
        image.get_file_from_iso_fp(packed, rr_path="/casper/vmlinuz")
        sizes[0] = len(gzip.decompress(packed.getvalue()))
    image.close()
    with path.open("rb") as file:
        version = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return Facts(f"/images/{name}/{version}/{name}.iso", path.stat().st_size, sum(sizes))


def images_of(inventory: str) -> list[str]:
    """The images of the servers that are set up from an inventory."""
    return [name for name, image in IMAGES.items() if image.inventory == inventory] or [
        name for name, image in IMAGES.items() if not image.inventory
    ]


def name_of(suite: str) -> str:
    """The name of the server, and of its boot network."""
    return f"matrix-{suite}"


def run_rows(rows: Sequence[Row], say: Callable[[str], None]) -> list[Outcome]:
    """Boot all rows and judge them. Everything that was started is removed, however it ends."""
    with alone("matrix"):
        return _run_rows(rows, say)


def _run_rows(rows: Sequence[Row], say: Callable[[str], None]) -> list[Outcome]:
    inventories = list(dict.fromkeys(row.inventory for row in rows))
    wanted = {
        inventory: {name: IMAGES[name].iso() for name in images_of(inventory)} for inventory in inventories
    }
    suites = list(dict.fromkeys(row.suite for row in rows))
    outcomes: list[Outcome] = []
    try:
        say(f"Starting servers: {', '.join(suites)}")
        with ThreadPoolExecutor() as pool:
            made = pool.map(lambda suite: server.up(name_of(suite), suite, name_of(suite)), suites)
        servers = dict(zip(suites, made, strict=True))
        for inventory in inventories:
            images = wanted[inventory]
            mine = [row for row in rows if row.inventory == inventory]
            here = {suite: servers[suite] for suite in suites if any(row.suite == suite for row in mine)}
            if inventory == SECOND:
                for box in here.values():
                    connect(box)
            caches = with_caches(here) if inventory == CACHED else {}
            said = provision(inventory, here, images, say, caches)
            if caches and re.search(r"changed=[1-9]", provision(inventory, here, images, say, caches)):
                raise LabError(f"a second run changes something: see {BUILD}/matrix/{inventory}.log")
            facts = {name: replace(facts_of(name, path), said=said) for name, path in images.items()}
            for suite, box in here.items():
                outcomes += boot(
                    box, [row for row in mine if row.suite == suite], facts, say, caches.get(name_of(suite))
                )
    finally:
        for suite in suites:
            server.down(name_of(suite))
            server.down(cached.name_behind(name_of(suite)))
            for end in (RELAYED, SECOND, ALONE, CACHED):
                lan.down(f"{name_of(suite)}-{end}")
            lan.down(name_of(suite))
    return outcomes


def provision(
    inventory: str,
    servers: dict[str, Server],
    images: dict[str, Path],
    say: Callable[[str], None],
    caches: Mapping[str, Cached],
) -> str:
    """Run site.yml on all servers at once, and on their caches; return what it printed."""
    place = BUILD / "matrix"
    reach = {name_of(suite): box for suite, box in servers.items()}
    more = {owner: (found.name, found, CACHED) for owner, (dummy, found) in caches.items()}
    lab = playbook.write_inventory(place / f"{inventory}.json", reach, more)
    sources = {name: {"src": str(path), "arch": IMAGES[name].arch.debian} for name, path in images.items()}
    extra = {"netboot_images": sources, **_networks(inventory, servers)}
    argv = playbook.command([INVENTORIES / inventory, lab], extra)
    say(f"site.yml -i tests/matrix/inventory/{inventory} on {', '.join(reach)}")
    log = place / f"{inventory}.log"
    seconds = playbook.run_site(argv, log, lambda _task: None)
    say(f"site.yml done in {seconds:.1f} s")
    return log.read_text(encoding="utf-8")


def _networks(inventory: str, servers: dict[str, Server]) -> dict[str, Any]:
    """The settings of servers with more than a network of their own. The address is the same for all of them."""
    (address,) = {box.lan_address for box in servers.values()}
    listed: dict[str, list[dict[str, Any]]] = {
        RELAYED: [{"address": address, "relayed": [lan.RELAYED]}],
        SECOND: [
            {"name": "first", "address": address},
            {"name": SECOND, "interface": "lan1"},
            {"name": ALONE, "interface": "lan2", "dhcp": {"first": GIVEN[0], "last": GIVEN[1]}},
        ],
    }
    if inventory not in listed:
        return {}
    return {"netboot_address": "", "netboot_networks": listed[inventory]}


def connect(box: Server) -> None:
    """Give a server its second network, and its third without a router, with the address .50 in each."""
    pid = int(run("podman", "inspect", "--format", "{{.State.Pid}}", box.container))
    for end, subnet, device in ((SECOND, lan.SECOND, "lan1"), (ALONE, lan.ALONE, "lan2")):
        found = lan.up(f"{box.name}-{end}", IPv4Network(subnet), gives=end != ALONE)
        interface = IPv4Interface(f"{found.address(50)}/{found.subnet.prefixlen}")
        lan.attach(found, pid, "p" + digest(found.name), interface, device)


def with_caches(servers: Mapping[str, Server]) -> dict[str, Cached]:
    """Give each server a network with a cache of the other Debian."""
    other = {"bookworm": "trixie", "trixie": "bookworm"}
    return {
        name_of(suite): cached.up(lan.find(box.lan or ""), box, other[suite])
        for suite, box in servers.items()
    }


def behind_relay(box: Server, network: lan.Lan) -> lan.Lan:
    """The network behind a relay, to which the server knows the way."""
    found = relay.up(network, box.lan_address or "")
    run(*server.ssh(box, "ip", "route", "replace", lan.RELAYED, "via", network.address(relay.UPLINK)))
    return found


def boot(
    box: Server,
    rows: list[Row],
    facts: dict[str, Facts],
    say: Callable[[str], None],
    by: Cached | None = None,
) -> list[Outcome]:
    """Boot one server's machines, a few at a time; apart from them those that are switched on again at once.

    by: the cache that they have their images from.
    """
    names = {row.network: f"{box.name}-{row.network}" if row.network else box.lan or "" for row in rows}
    lans = {"": by[0]} if by else {name: lan.find(found) for name, found in names.items()}
    # of several networks that one whose router gives addresses
    network = lans[min(lans, key=lambda name: name == ALONE)]
    keep_what_is_changed(box)
    for row in rows:
        prepare(box, row, facts)
    outcomes = []
    if rows[0].inventory == RELAYED:
        lans = {"": behind_relay(box, network)}
    sizes = watch.tftp_sizes(box)
    with watch.ServerLog(box, network, by[1] if by else None) as log:
        for twice, away in ((False, False), (True, False), (False, True)):
            some = [row for row in rows if (row.twice, row.away) == (twice, away)]
            if not some:
                continue
            if away:
                run(*server.ssh(box, "systemctl", "stop", "netboot-nginx", "netboot-dnsmasq"))
            clients = [Client(machine_of(row), lans[row.network]) for row in some]
            first = watch.follow(clients, log, sizes, at_once=SIDE_BY_SIDE, idle=teller(say))
            again = once_more(box, some, clients) if twice else []
            second = watch.follow(again, log, sizes, at_once=SIDE_BY_SIDE, idle=teller(say))
            for number, row in enumerate(some):
                boots = [first[number], *second[number : number + 1]]
                outcomes.append(judge(row, boots, facts[row.image]))
            if by and not away and have_images(outcomes):
                faults = behind_cache(box, by, [facts[row.image] for row in some])
                faults += cached.lived(*by, box, "cached2") + keepers.faults(by[1], LISTED)
                outcomes = [replace(one, faults=[*one.faults, *faults]) for one in outcomes]
    if by:
        outcomes[-1].faults.extend(keepers.remains(by[1], LISTED))
    if ALONE in lans:
        next(one for one in outcomes if one.row.network == ALONE).faults.extend(
            givers.faults(box, lans[ALONE])
        )
    return outcomes


def once_more(box: Server, rows: Iterable[Row], clients: Iterable[Client]) -> list[Client]:
    """Arm machines anew; what is switched on then."""
    for row in rows:
        arm(box, row)
    return [Client(client.machine, client.lan, again=True) for client in clients]


def have_images(outcomes: Sequence[Outcome]) -> bool:
    """Whether machines had any: of those that only boot their disks a cache keeps nothing."""
    return any(one.bytes_http for one in outcomes)


def behind_cache(box: Server, by: Cached, facts: Sequence[Facts]) -> list[str]:
    """What the server's own logs say of machines that have a cache: it sent each byte of their images once, at most."""
    lines = run(*server.ssh(box, "cat", "/var/log/netboot/caches.log")).splitlines()
    whole = {one.iso: one.iso_bytes + one.boot_bytes for one in facts}
    sent = sum(int(found[1]) for line in lines for found in [re.search(r'" 20[06] (\d+) ', line)] if found)
    most = sum(whole.values()) + verdict.ALLOWANCE
    faults = [] if 0 < sent <= most else [f"the cache fetched {sent:,} bytes of images instead of {most:,}"]
    others = [line for line in lines if line.split()[2] != by[1].lan_address]
    faults += [f"not the cache's: {line}" for line in others[:1]]
    told = run(*server.ssh(box, "cat", watch.ACCESS_LOG)).splitlines()
    theirs = [line for line in told if IPv4Address(line.split()[2]) in by[0].subnet]
    return faults + [f"not by the cache: {line}" for line in theirs if " /images/" in line][:1]


def keep_what_is_changed(box: Server) -> None:
    """Put off the timer that would mend it. It must not be stopped: netboot.target would stop with it."""
    drop_in = "/run/systemd/system/netboot-expire.service.d"
    never = f"mkdir -p {drop_in}; printf '[Unit]\\nConditionPathExists=/never\\n' >{drop_in}/never.conf"
    run(*server.ssh(box, f"{never}; systemctl daemon-reload"))


def teller(say: Callable[[str], None]) -> Callable[[list[watch.Boot]], None]:
    """Says of each machine once how its boot has ended."""
    told: set[str] = set()

    def tell(boots: list[watch.Boot]) -> None:
        for boot in boots:
            name = boot.client.machine.name
            if boot.result and name not in told:
                told.add(name)
                say(f"  {name}: {boot.result} after {boot.seconds:.1f} s")

    return tell


def prepare(box: Server, row: Row, facts: dict[str, Facts]) -> None:
    """Change on the server what is to be otherwise for one machine."""
    if row.strip:
        strip(box, row)
    if row.pick:
        pick(box, row)
    if row.shut:
        server.shut(box, row.mac, row.shut)
    if row.tamper:
        tamper(box, row, facts[row.image].iso)
    if row.kernel_of:
        rename(box, row, *(kernel(facts[name].iso) for name in (row.image, row.kernel_of)))


def machine_of(row: Row) -> Machine:
    """What is switched on for a row."""
    return Machine(
        row.name,
        row.mac,
        row.firmware,
        blank=IMAGES[row.image].full,
        other_mac=row.other_mac,
        other_cable=row.other_cable,
        router=row.router,
    )


def judge(row: Row, boots: list[watch.Boot], facts: Facts) -> Outcome:
    """What a row's boots came to; seconds and bytes are those of the last."""
    faults = []
    for boot in boots:
        # what is started from a menu is not what the lab's initrd waits for
        faults += [boot.result] if boot.result.startswith("failed") and not row.pick else []
        faults += row.check(boot.story, replace(facts, arch=row.firmware.arch))
        if row.network == ALONE:
            faults += verdict.from_the_server(boot.story, *GIVEN)
        else:
            faults += verdict.beside_the_router(boot.story, boot.client.address)
    story = boots[-1].story
    figures = (boots[-1].seconds, story.bytes_tftp, story.bytes_http, facts.iso_bytes)
    return Outcome(row, *figures, faults, story.secure_boot, accel.of(row.firmware.arch))


def arm(box: Server, row: Row) -> None:
    """Have a row's machine installed once more: its first boot has ended that."""
    told = json.loads(run(*server.ssh(box, "netboot", "status", "--json")))
    name = next(entry["machine"] for entry in told if entry["mac"] == row.mac)
    run(*server.ssh(box, "netboot", "arm", name))


def strip(box: Server, row: Row) -> None:
    """Take an argument off the kernel line of one machine, on the server; LabError when it is not there."""
    path = f"{watch.TFTP_ROOT}/pxelinux.cfg/01-{row.mac.replace(':', '-')}"
    before = run(*server.ssh(box, "cat", path))
    after = re.sub(r"\s" + re.escape(row.strip) + r"(?=\s)", "", before)
    if after == before:
        raise LabError(f"{row.name}: {row.strip} is not in {path}, so nothing can be shown by its absence")
    run(*server.ssh(box, f"cat >{shlex.quote(path)}"), stdin=after)


def pick(box: Server, row: Row) -> None:
    """Make another entry of one machine's menu the first one, for all loaders, on the server."""
    script = f"""
        set -eu
        sed -i 's/^DEFAULT .*/DEFAULT {row.pick}/' {watch.TFTP_ROOT}/pxelinux.cfg/01-{row.mac.replace(":", "-")}
        sed -i 's/^set default=.*/set default={row.pick}/' {watch.TFTP_ROOT}/grub/machines/{row.mac}.cfg
        grep -q '^LABEL {row.pick}$' {watch.TFTP_ROOT}/pxelinux.cfg/01-{row.mac.replace(":", "-")}
    """
    run(*server.ssh(box, "bash", "-s"), stdin=script)


def tamper(box: Server, row: Row, iso_path: str) -> None:
    """Give one machine a kernel of its own, on the server, with one byte in its middle changed."""
    old, new = kernel(iso_path), "images/tampered/vmlinuz"
    place = f"{watch.TFTP_ROOT}/{new}"
    script = f"""
        set -eu
        mkdir -p {place.rpartition("/")[0]}
        cp {watch.TFTP_ROOT}/{old} {place}
        middle=$(($(stat -c %s {place}) / 2))
        byte=$(od -An -tu1 -j$middle -N1 {place})
        printf "\\$(printf %o $((byte ^ 255)))" | dd of={place} bs=1 seek=$middle conv=notrunc status=none
        ! cmp -s {watch.TFTP_ROOT}/{old} {place}
    """
    run(*server.ssh(box, "bash", "-s"), stdin=script)
    rename(box, row, old, new)


def kernel(iso_path: str) -> str:
    """Where the kernel of an image is, below the server's roots."""
    return f"{iso_path.rpartition('/')[0].lstrip('/')}/vmlinuz"


def rename(box: Server, row: Row, old: str, new: str) -> None:
    """Have GRUB start another kernel on one machine, on the server."""
    entry = f"{watch.TFTP_ROOT}/grub/machines/{row.mac}.cfg"
    run(*server.ssh(box, "bash", "-s"), stdin=f"grep -q {old} {entry} && sed -i s,{old},{new}, {entry}")
