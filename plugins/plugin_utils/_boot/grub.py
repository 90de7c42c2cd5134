# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The files that GRUB reads when it was started over the network (GRUB manual: Network, and its commands)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.entries import (
    DISK_LOADERS,
    LOCAL,
    MENU_SECONDS,
    Entry,
    Loader,
    address,
    managed,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.networks import is_cached

# GRUB's own "exit" opens the firmware's setup on many machines instead of going on to the next boot entry.
# chainloader tells the loader that it came from $root, whatever device its file was named with: from another one a
# shim cannot find its GRUB.
_LOCAL = [
    f"for loader in {' '.join(DISK_LOADERS)}; do",
    "  if search --no-floppy --file --set=root $loader; then",
    "    chainloader $loader",
    "    boot",
    "  fi",
    "done",
    "exit",
]

# From where GRUB itself came, which is TFTP unless the firmware booted by HTTP: GRUB's own HTTP begins at the same TCP
# port at every start, so that a machine that is switched off and on at once finds the server still busy with its last
# connection, and gets no answer. Whoever gets none of these goes on to its disk. A menu appears at this file's end.
_OWN = ["source $prefix/machines/$net_default_mac.cfg"]
# Of several networks by TFTP; by HTTP nginx knows at which address it was asked, and answers so from the first on.
_OF_NETWORK = ['if [ -z "$named" ]; then', "  source $prefix/$net_default_server/default.cfg", "fi"]
_OF_ALL = [
    'if [ -z "$named" ]; then',
    "  source $prefix/default.cfg",
    "fi",
    'if [ -z "$menu" ]; then',
    *(f"  {line}" for line in _LOCAL),
    "fi",
]


_ATTEMPTS = "1 2 3 4 5"


def device(base_url: str) -> str:
    """Return how GRUB names an HTTP server: C((http,192.168.1.50))."""
    return f"(http,{address(base_url)})"


def write(who: str, entries: Sequence[Entry], base_url: str) -> str:
    """Return the text of a configuration file; see L(Loader)."""
    # said first: a named machine whose kernel does not start must not take what is meant for others
    lines = ["set named=yes"]
    if len(entries) == 1:
        return managed(who, [*lines, *_entry(entries[0], base_url)])
    fallback = [entry.kind for entry in entries].index(LOCAL)
    lines += ["set menu=yes", "set default=0", f"set timeout={MENU_SECONDS}", f"set fallback={fallback}"]
    for entry in entries:
        body = (f"  {line}" for line in _entry(entry, base_url))
        lines += [f"menuentry {_quoted(entry.title)} --id {entry.kind} {{", *body, "}"]
    return managed(who, lines)


def _entry(entry: Entry, base_url: str) -> list[str]:
    if entry.kind == LOCAL:
        return _LOCAL
    root = f"(tftp,{entry.tftp})" if entry.tftp else device(base_url)
    # In GRUB a bare ';' ends the statement, so every argument is quoted.
    arguments = " ".join(_quoted(word) for word in [*entry.arguments, *_bootif(entry)])
    # GRUB's TCP ports are the same after each start, and the server may still wait for the end of a connection that
    # a reset cut off: GRUB gives up after 20 s, and would boot without an initrd. Each attempt takes the next port.
    initrd = [f"for attempt in {_ATTEMPTS}; do", f"  if initrd {root}/{entry.initrd}; then boot; fi", "done"]
    return [f"linux {root}/{entry.kernel} {arguments}", *initrd]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _bootif(entry: Entry) -> list[str]:
    """Return what PXELINUX adds by itself: the card to go on with, where it is known."""
    return [] if entry.mac in ("", ANY) else ["BOOTIF=01-" + entry.mac.replace(":", "-")]


def _static(networks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    lines = [line for one in networks for line in _of_cached(one)]
    lines += _OF_NETWORK if len(networks) > 1 else []
    return {"http/grub/grub.cfg": managed("all", [*_OWN, *lines, *_OF_ALL])}


def _of_cached(network: Mapping[str, Any]) -> list[str]:
    """Return what finds the file of a network with a cache: GRUB comes from the server, and knows its own address."""
    if not is_cached(network):
        return []
    pattern = addresses(ipaddress.IPv4Network(str(network["network"])))
    return [
        'if [ -z "$named" ]; then',
        f"  if regexp '^{pattern}$' \"$net_default_ip\"; then",
        f"    source $prefix/{network['address']}/default.cfg",
        "  fi",
        "fi",
    ]


def addresses(network: ipaddress.IPv4Network) -> str:
    """Return a pattern of the addresses of a network, in the words of POSIX (regex(7), extended).

    >>> addresses(ipaddress.IPv4Network("192.168.30.0/24"))
    '192[.]168[.]30[.][0-9]+'
    >>> addresses(ipaddress.IPv4Network("10.0.0.8/29"))
    '10[.]0[.]0[.](8|9|10|11|12|13|14|15)'
    """
    first, last = network.network_address.packed, network.broadcast_address.packed
    return "[.]".join(_digits(low, high) for low, high in zip(first, last))


def _digits(low: int, high: int) -> str:
    if (low, high) == (0, 255):
        return "[0-9]+"
    numbers = "|".join(str(number) for number in range(low, high + 1))
    return numbers if low == high else f"({numbers})"


LOADER = Loader(
    "http/grub/machines",
    lambda mac: f"{mac}.cfg",
    "http/grub/default.cfg",
    lambda network: [f"http/grub/{network['address']}/default.cfg"],
    write,
    _static,
)
