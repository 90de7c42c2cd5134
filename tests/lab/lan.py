# SPDX-License-Identifier: GPL-3.0-or-later
"""A boot network: one network namespace with a bridge, on which the router gives addresses.

The host has no address on it, so that a real network with the same subnet is not disturbed. The namespace
is also the router's: its bridge has the address .1, and Debian's dnsmasq answers DHCP there, as a home
router does: addresses, a default route, nothing about booting, but itself as the next server (siaddr), as many
routers do. Its TFTP has no file: a machine that asks there instead of the server is seen in the router's log.
It also announces an IPv6 prefix (but itself as no way out): iPXE's boot ROMs wait 15 s for such an announcement
where there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from . import addresses
from .common import BUILD, PREFIX, LabError, digest, run, say, succeeds

BRIDGE = "br0"
PREFIX6 = "fd6e:6574:626f:6f74::"
"""An IPv6 prefix for the boot network, from the range for private use (RFC 4193)."""
FIRST, LAST = 100, 199
"""Of the addresses that the router keeps for machines; strangers get .2 to .49."""
NOWHERE = 254
"""An address that nobody has."""
RELAYED = "192.168.30.0/24"
"""The network behind a relay (relay.py), for which the router has addresses, too."""
SECOND = "192.168.31.0/24"
"""A server's second network, with a router of its own."""
ALONE = "192.168.32.0/24"
"""A server's third network, where nobody but the server gives addresses."""
CACHED = "192.168.33.0/24"
"""A network with a router of its own, and a cache (cached.py)."""


@dataclass(frozen=True)
class Lan:
    """A boot network that is up. behind: the network whose router gives its addresses, where a relay leads to it."""

    name: str
    subnet: IPv4Network
    behind: str = ""

    @property
    def namespace(self) -> str:
        """The network namespace's name, for `ip netns exec`."""
        return PREFIX + self.name

    def address(self, last: int) -> str:
        """The address whose last byte is given, for instance 192.168.1.50 for 50."""
        return str(self.subnet.network_address + last)


def exists(name: str) -> bool:
    """Whether there is a namespace for this network."""
    return Path("/run/netns", PREFIX + name).exists()


def find(name: str) -> Lan:
    """The network of this name; LabError when it is not up."""
    if exists(name):
        shown = json.loads(run("ip", "-j", "-4", "-n", PREFIX + name, "address", "show", "dev", BRIDGE))
        for link in shown:
            for info in link.get("addr_info", []):
                return Lan(name, IPv4Interface(f"{info['local']}/{info['prefixlen']}").network)
    raise LabError(f"the network {name} is not up: python -m tests.lab lan up {name}")


def choose_subnet() -> IPv4Network:
    """192.168.1.0/24, or another /24 when this host itself is in that network."""
    taken = addresses.networks_of(json.loads(run("ip", "-j", "-4", "address", "show") or "[]"))
    taken += addresses.nameservers(Path("/etc/resolv.conf").read_text(encoding="utf-8"))
    subnet = addresses.free_subnet(taken)
    if subnet != addresses.WANTED:
        say(f"This host is itself in {addresses.WANTED}, so the lab takes {subnet}.")
    return subnet


def up(name: str, subnet: IPv4Network | None = None, *, gives: bool = True) -> Lan:
    """Make the network unless it is there. Without a subnet: see choose_subnet. gives: whether the router gives IPv4
    addresses; without, it only announces the prefix, so that BIOS machines need not wait for that."""
    if exists(name):
        try:
            return find(name)
        except LabError:
            down(name)  # half made, by a run that was interrupted
    lan = Lan(name, subnet or choose_subnet())
    make_bridge(lan)
    run("ip", "-n", lan.namespace, "address", "add", f"{PREFIX6}1/64", "dev", BRIDGE, "nodad")
    start_router(lan, gives=gives)
    return lan


def make_bridge(lan: Lan) -> None:
    """Make the network's namespace with its bridge, which has the network's first address."""
    space = lan.namespace
    run("ip", "netns", "add", space)
    run("ip", "-n", space, "link", "set", "lo", "up")
    # one of its own: else it takes that of a machine that joins, and who knows the router by the old one loses it
    mac = ":".join(["02", *(digest(lan.name)[at : at + 2] for at in range(0, 10, 2))])
    bridge = ("link", "add", BRIDGE, "address", mac, "type", "bridge")
    run("ip", "-n", space, *bridge, "stp_state", "0", "forward_delay", "0")
    run("ip", "-n", space, "link", "set", BRIDGE, "up")
    run("ip", "-n", space, "address", "add", f"{lan.address(1)}/{lan.subnet.prefixlen}", "dev", BRIDGE)


def start_router(lan: Lan, *, gives: bool = True) -> None:
    """Start the DHCP server; it goes into the background only when it can serve, so errors show here."""
    folder = BUILD / "lans" / lan.name
    for old in ("leases", "router.log"):
        (folder / old).unlink(missing_ok=True)
    for place in (machines_of(lan), folder / "tftp"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    run(
        *("ip", "netns", "exec", lan.namespace, "dnsmasq", "--conf-file=/dev/null", "--user=root"),
        *("--port=0", f"--interface={BRIDGE}", "--bind-interfaces", "--dhcp-authoritative", "--no-ping"),
        *(given_options(lan) if gives else ()),
        f"--dhcp-hostsdir={machines_of(lan)}",
        *(f"--dhcp-boot=tag:{kind},{answer}" for kind, answer in odd_answers(lan).items()),
        *("--enable-tftp", f"--tftp-root={folder}/tftp"),
        *("--enable-ra", f"--dhcp-range={PREFIX6},ra-only,64", f"--ra-param={BRIDGE},60,0"),
        *(f"--dhcp-leasefile={folder}/leases", f"--pid-file={folder}/router.pid"),
        *(f"--log-facility={folder}/router.log", "--log-dhcp"),
    )


def given_options(lan: Lan) -> tuple[str, ...]:
    """What makes the router give addresses."""
    return (
        f"--dhcp-range={lan.address(2)},{lan.address(49)},1h",
        f"--dhcp-option=option:router,{lan.address(1)}",
        *relayed_options(),
    )


def relayed_options() -> tuple[str, ...]:
    """What makes the router give addresses behind a relay, too."""
    first = IPv4Network(RELAYED).network_address
    return (
        f"--dhcp-range=set:relayed,{first + 2},{first + 49},{IPv4Network(RELAYED).netmask},1h",
        f"--dhcp-option=tag:relayed,option:router,{first + 1}",
    )


def machines_of(lan: Lan) -> Path:
    """A folder with a file for each machine that the router knows; it reads new ones by itself."""
    return BUILD / "lans" / (lan.behind or lan.name) / "machines"


def odd_answers(lan: Lan) -> dict[str, str]:
    """What routers say of booting that they should not: by kind, the value of dnsmasq's dhcp-boot."""
    return {"next-server-nowhere": f",,{lan.address(NOWHERE)}", "boot-file": f"router.0,,{lan.address(1)}"}


def reserve(lan: Lan, mac: str, router: str = "") -> str:
    """Have the router keep an address for a machine: it offers one address to several that ask at once.

    router: what it says to this machine of booting, one of odd_answers, or nothing.
    """
    known = machines_of(lan)
    file = known / mac.replace(":", "-")
    if not file.exists():
        last = FIRST + len(list(known.iterdir()))
        if last > LAST:
            raise LabError(f"the network {lan.name} has more than {LAST - FIRST + 1} machines")
        kind = f"set:{router}," if router else ""
        file.write_text(f"{mac},{kind}{lan.address(last)}\n", encoding="utf-8")
    return file.read_text(encoding="utf-8").strip().rpartition(",")[2]


def attach(lan: Lan, pid: int, port: str, interface: IPv4Interface, device: str = "lan0") -> None:
    """Give the process's network namespace an interface on the network. port: a short, unique name."""
    near = ("ip", "-n", lan.namespace)
    run(*near, "link", "add", port, "type", "veth", "peer", "name", device, "netns", str(pid))
    run(*near, "link", "set", port, "master", BRIDGE, "up")
    far = ("nsenter", "-t", str(pid), "-n", "ip")
    run(*far, "address", "add", str(interface), "dev", device)
    run(*far, "link", "set", device, "up")


def attach_cable(lan: Lan, space: str, port: str, interface: str, device: str = "lan0") -> None:
    """Give a network namespace an interface on the network. port: a short, unique name."""
    near = ("ip", "-n", lan.namespace)
    run(*near, "link", "add", port, "type", "veth", "peer", "name", device, "netns", space)
    run(*near, "link", "set", port, "master", BRIDGE, "up")
    run("ip", "-n", space, "address", "add", interface, "dev", device)
    run("ip", "-n", space, "link", "set", device, "up")


def down(name: str) -> None:
    """End what runs in the namespace (router, QEMU) and remove it; nothing happens when there is none."""
    space = PREFIX + name
    if not exists(name):
        return
    end_processes([int(pid) for pid in run("ip", "netns", "pids", space, check=False).split()])
    run("ip", "netns", "delete", space, check=False)


def end_processes(pids: list[int]) -> None:
    """Ask the processes to end, wait up to two seconds, then insist."""
    for kind, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0)):
        for pid in pids:
            try:
                os.kill(pid, kind)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            pids = [pid for pid in pids if Path("/proc", str(pid)).exists()]
            if not pids:
                return
            time.sleep(0.05)


def names() -> list[str]:
    """All networks of the lab on this host."""
    spaces = run("ip", "netns", "list").splitlines() if succeeds("ip", "-V") else []
    found = [line.split()[0] for line in spaces if line.strip()]
    return [space[len(PREFIX) :] for space in found if space.startswith(PREFIX)]
