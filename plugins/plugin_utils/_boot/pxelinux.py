# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The files that PXELINUX looks for (syslinux, doc/pxelinux.txt, doc/syslinux.txt and doc/menu.txt)."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.entries import (
    LOCAL,
    MENU_SECONDS,
    Entry,
    Loader,
    managed,
)


def write(who: str, entries: Sequence[Entry], base_url: str) -> str:
    """Return the text of a configuration file; see L(Loader)."""
    lines = [f"DEFAULT {entries[0].kind}"]
    if len(entries) > 1:
        # the menu's program, and what it is made of, lie beside the loader; its time-out counts in tenths of seconds
        lines = ["UI menu.c32", "MENU TITLE homelab.netboot", f"TIMEOUT {MENU_SECONDS * 10}", *lines]
    for entry in entries:
        lines.append(f"LABEL {entry.kind}")
        if len(entries) > 1:
            lines.append(f"  MENU LABEL {entry.title}")
        lines += [f"  {line}" for line in _entry(entry, base_url)]
    return managed(who, lines)


def _entry(entry: Entry, base_url: str) -> list[str]:
    if entry.kind == LOCAL:
        # -1 hands over to the firmware's next boot device; 0 does so on fewer machines
        return ["LOCALBOOT -1"]
    # Plain pxelinux.0 knows only TFTP, whose root has the same layout.
    root = "" if entry.tftp else f"{base_url}/"
    lines = [
        f"KERNEL {root}{entry.kernel}",
        f"INITRD {root}{entry.initrd}",
        f"APPEND {' '.join(entry.arguments)}",
    ]
    # adds BOOTIF=, so that a machine with several cards goes on with the one that it booted from
    return [*lines, "IPAPPEND 2"] if entry.mac else lines


def _of_network(network: Mapping[str, Any]) -> list[str]:
    """Return where PXELINUX looks before C(default): at its IPv4 address in hexadecimal, then at less and less of it.

    A digit is four bits, so a network whose length is no multiple of four is up to eight files. Machines behind a relay
    have addresses of their own network.
    """
    wholes = [ipaddress.IPv4Network(text) for text in (network["network"], *network.get("relayed", []))]
    return [f"{_FOLDER}/{prefix}" for whole in wholes for prefix in _prefixes(whole)]


def _prefixes(whole: ipaddress.IPv4Network) -> list[str]:
    digits = math.ceil(whole.prefixlen / 4)
    return [f"{int(part.network_address):08X}"[:digits] for part in whole.subnets(new_prefix=digits * 4)]


_FOLDER = "tftp/pxelinux.cfg"
#: A machine has its own file even when it is left alone: it must not fall through to C(default), which may install.
LOADER = Loader(_FOLDER, _mac.pxelinux_name, f"{_FOLDER}/default", _of_network, write)
