# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What keeps a machine from going on while it asks, and is told its loader. Rows as in `causes`. Pure."""

from __future__ import annotations

from ..contract import BOOT_SERVER, WEB_SERVER
from . import case as c
from . import signs
from .cause import LATE, SITE, Cause

NETWORK: tuple[Cause, ...] = (
    # nothing was heard
    Cause(
        "boot-server-down",
        ("asked", "offered", "loader"),
        signs.down(BOOT_SERVER),
        f"{BOOT_SERVER} does not run, so nobody answers machines that ask for the network.",
        f"systemctl status {BOOT_SERVER} on the server says why; homelab.netboot.site starts it.",
    ),
    Cause(
        "not-restarted",
        ("asked", *LATE),
        signs.not_since_armed,
        "It was armed, and has not asked for the network since: it was not restarted, or starts from its disk first.",
        "Restart it and let it boot from the network: homelab.netboot.arm -l {name} -e start=yes, or its boot menu.",
    ),
    Cause(
        "not-offered",
        ("asked",),
        signs.unanswered,
        "A machine of a kind for which this server has no loader asked for the network; it may be this one.",
        "Run homelab.netboot.site: it says which loaders there are for UEFI, and why. Or let it boot by BIOS (CSM).",
    ),
    Cause(
        "other-mac",
        ("asked",),
        signs.strangers,
        "Either it has another MAC address than the inventory says (the ones below asked), or it did not ask at all.",
        "Compare its MAC address with netboot_mac; else switch network boot (PXE) on in its firmware.",
    ),
    Cause(
        "never-asked",
        ("asked",),
        signs.always,
        "It never asked. Either it is off, or its firmware does not boot from the network, or it is in another network"
        " (VLAN, switch port), or a firewall blocks UDP 67.",
        "Switch it on with network boot (PXE, IPv4) first in its firmware, in the same network as the server. A virtual"
        " machine with UEFI (OVMF) also needs a virtio RNG device.",
    ),
    # it asks
    Cause(
        "no-loader-for-kind",
        ("offered",),
        signs.no_loader,
        "It boots by UEFI of a kind for which the server has no loader.",
        "Run homelab.netboot.site: it says which loaders there are, and why. Or let the machine boot by BIOS (CSM).",
    ),
    Cause(
        "offer-not-taken",
        ("offered",),
        signs.always,
        "It asked and did not take the offer. Either the router or another PXE server named a boot file first, or the"
        " router gave it no address, or a firewall blocks UDP 4011.",
        "See that no other DHCP server names a boot file (options 66, 67, next-server), and that UDP 4011 is open.",
    ),
    # it knows its loader
    Cause(
        "loader-denied",
        ("loader", "configuration", "kernel"),
        signs.denied,
        "dnsmasq is not allowed to read a file that it is asked for.",
        SITE,
    ),
    Cause("loader-missing", ("loader",), signs.missing(c.FIRST), "Its loader is not on the server.", SITE),
    Cause(
        "web-server-down-for-loader",
        ("loader",),
        lambda case: case.by_http and WEB_SERVER in case.facts.stopped,
        f"It boots by HTTP, and {WEB_SERVER} does not run.",
        f"systemctl status {WEB_SERVER} on the server says why; homelab.netboot.site starts it.",
    ),
    Cause(
        "http-blocked-for-loader",
        ("loader",),
        signs.http_boot,
        "It boots by HTTP and fetched nothing: a firewall blocks the web server's port, or the machine has no address"
        " in this network.",
        "Open the port (netboot_http_port) in firewalls on and before the server.",
    ),
    Cause(
        "tftp-broken",
        ("loader",),
        signs.stopped,
        "The transfer of its loader breaks off: packets are lost between it and the server, or it wants no such file.",
        "Look at cable, switch port and MTU; then try BIOS instead of UEFI, or the other way round.",
    ),
    Cause(
        "tftp-blocked",
        ("loader",),
        signs.always,
        "It knows its loader and never fetched it. Most likely a firewall blocks TFTP (UDP 69).",
        "Open UDP 69 to the server, and the server's answers from high ports.",
    ),
)
