# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The scripts that iPXE fetches by HTTP, for UEFI without Secure Boot (ipxe.org/scripting, ipxe.org/cmd)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.entries import (
    DISK_LOADERS,
    LOCAL,
    MENU_SECONDS,
    Entry,
    Loader,
    managed,
)

_FIRST = ("#!ipxe",)
#: The script that every iPXE is sent to, below the server's HTTP root.
SCRIPT = "ipxe/boot.ipxe"

# Drive 0 is every disk. An iPXE that does not find local disks so (that of Debian 12) says "No such device" and goes on
# to the last line, which gives back to the firmware: an error lets it try its next boot entry.
_LOCAL = [
    *(
        f"sanboot --no-describe --drive 0 --filename {loader.replace('/', chr(92))} ||"
        for loader in DISK_LOADERS
    ),
    "exit 1",
]


def write(who: str, entries: Sequence[Entry], base_url: str) -> str:
    """Return the text of a script; see L(Loader)."""
    lines = []
    if len(entries) > 1:
        lines = ["menu homelab.netboot", *(f"item {entry.kind} {entry.title}" for entry in entries)]
        milliseconds = MENU_SECONDS * 1000
        lines += [
            f"choose --default {entries[0].kind} --timeout {milliseconds} entry || goto {LOCAL}",
            "goto ${entry}",
        ]
    for entry in sorted(
        entries, key=lambda entry: entry.kind == LOCAL
    ):  # which all others go on to, so it is last
        lines += [f":{entry.kind}", *_entry(entry, base_url)]
    # an installation alone has no disk to go on to: what fails goes back to the firmware
    if LOCAL not in {entry.kind for entry in entries}:
        lines += [f":{LOCAL}", *_LOCAL]
    return managed(who, lines, _FIRST)


def _entry(entry: Entry, base_url: str) -> list[str]:
    if entry.kind == LOCAL:
        return _LOCAL
    root = f"tftp://{entry.tftp}" if entry.tftp else base_url
    orelse = f"|| goto {LOCAL}"
    arguments = " ".join(["initrd=initrd", *entry.arguments, *_bootif(entry)])
    return [
        f"kernel {root}/{entry.kernel} {arguments} {orelse}",
        f"initrd --name initrd {root}/{entry.initrd} {orelse}",
        f"boot {orelse}",
    ]


def _bootif(entry: Entry) -> list[str]:
    if not entry.mac:
        return []
    # the card that iPXE opened last, which is the one that it goes on with
    return ["BOOTIF=01-" + ("${netX/mac:hexhyp}" if entry.mac == ANY else entry.mac.replace(":", "-"))]


def _static(_networks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    # The web server answers for machines that have no script with default.ipxe. An address without a server leads to
    # the one that this script came from (ipxe.org/cmd/chain).
    chain = [
        f"chain machines/${{netX/mac:hexhyp}}.ipxe || goto {LOCAL}",
        f":{LOCAL}",
        *_LOCAL,
    ]
    return {f"http/{SCRIPT}": managed("all", chain, _FIRST)}


# With dashes: Debian 12's iPXE would ask for a colon as %3A.
LOADER = Loader(
    "http/ipxe/machines",
    lambda mac: f"{mac.replace(':', '-')}.ipxe",
    "http/ipxe/default.ipxe",
    lambda network: [f"http/ipxe/{network['address']}/default.ipxe"],
    write,
    _static,
)
