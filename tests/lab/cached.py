# SPDX-License-Identifier: GPL-3.0-or-later
"""A second network with a cache of its own: its router gives the addresses there, and leads to the first one.

The router is a network namespace with a bridge, where machines and the cache are, and a cable to the first network. The
cache is a container as servers are, of another Debian if need be, at the address .5.
"""

from __future__ import annotations

import json
import time
from ipaddress import IPv4Network

from . import server
from .common import digest, run
from .lan import CACHED, Lan, attach_cable, exists, make_bridge, start_router
from .server import Server

UPLINK = 61
"""The router's address in the first network."""
OWN = 5
"""The cache's address in the second one: its last byte."""


def name_behind(name: str) -> str:
    """The name of the network that has a cache, and of the cache. name: of the first network."""
    return f"{name}-cached"


def up(lan: Lan, owner: Server, suite: str) -> tuple[Lan, Server]:
    """Make the network and its cache, which need not be set up: that is the playbook's work. owner: the server."""
    behind = Lan(name_behind(lan.name), IPv4Network(CACHED))
    if not exists(behind.name):
        make_bridge(behind)
        space = behind.namespace
        attach_cable(lan, space, "p" + digest(behind.name), f"{lan.address(UPLINK)}/{lan.subnet.prefixlen}")
        run("ip", "-n", space, "route", "add", "default", "via", lan.address(1))
        run("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "-n", lan.namespace, "route", "replace", CACHED, "via", lan.address(UPLINK))
        start_router(behind)
    box = server.up(behind.name, suite, behind.name, f"{behind.address(OWN)}/{behind.subnet.prefixlen}")
    run(*server.ssh(box, "ip", "route", "replace", str(lan.subnet), "via", behind.address(1)))
    run(*server.ssh(owner, "ip", "route", "replace", CACHED, "via", lan.address(UPLINK)))
    return behind, box


STEPS = """
set -eu
fetch() { curl --fail --silent --show-error --max-time 20 --output /dev/null "$@"; }
fetch "$1/machines/$2/$3/user-data"
echo begun | fetch --upload-file - "$1/reports/$2.$3.begun"
for _ in $(seq 40); do if fetch "$1/machines/$2/$3/receipt" 2>/dev/null; then break; fi; sleep 0.5; done
fetch "$1/machines/$2/$3/receipt"
echo installed | fetch --upload-file - "$1/reports/$2.$3.installed"
for _ in $(seq 40); do
    if fetch --data-urlencode "pub_key_ed25519=$4" "$1/reports/$2.$3.up" 2>/dev/null; then exit; fi
    sleep 0.5
done
echo "its first start was not taken" >&2
exit 1
"""
"""What a machine tells while it is installed, and then; the arguments: its server's root, name, token, host key."""


def lived(behind: Lan, cache: Server, owner: Server, name: str) -> list[str]:
    """Arm a machine, and tell through the cache all that it would, from the address of the network's router; what is
    wrong with its state then."""
    run(*server.ssh(owner, "netboot", "arm", name))
    token = run(*server.ssh(owner, "ls", f"/srv/netboot/http/machines/{name}")).split()[-1]
    key = server.key().with_suffix(".pub").read_text(encoding="utf-8").strip()
    argv = (f"http://{cache.lan_address}", name, token, key)
    run("ip", "netns", "exec", behind.namespace, "sh", "-c", STEPS, "sh", *argv)
    for _attempt in range(40):
        told = json.loads(run(*server.ssh(owner, "netboot", "status", "--json")))
        (state,) = [one for one in told if one["machine"] == name]
        if state["state"] == "up":
            break
        time.sleep(0.5)
    wanted = ("up", behind.address(1))
    found = (state["state"], state["address"])
    return [] if found == wanted else [f"{name} is {found} instead of {wanted}"]
