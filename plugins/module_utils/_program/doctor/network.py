# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Who answers machines that ask for an address and for something to boot. Pure."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from ..contract import BOOT_SERVER
from .finding import NOTE, SITE, Finding, Result, clean
from .pxe import Answer

PXE, OTHERS, RELAYS = "pxe", "others", "relays"
#: The kinds of firmware that are played, by architecture (IANA, "Processor Architecture Types").
ARCHS = {
    0: "BIOS",
    7: "UEFI x64",
    9: "UEFI x64 (as EBC)",
    16: "UEFI x64 HTTP Boot",
    11: "UEFI arm64",
    19: "UEFI arm64 HTTP Boot",
}


class Heard(NamedTuple):
    """What one kind of firmware heard. offers: to its broadcast; file: what this server told it to boot, or ""."""

    offers: Sequence[Answer]
    file: str


def judge_ours(heard: Mapping[int, Heard], us: str, interface: str) -> Result:
    """Whether this server answers. heard: by the architectures that its configuration names a file for."""
    found = []
    for arch, one in heard.items():
        where = f"{ARCHS[arch]} (architecture {arch})"
        if not any(offer.server == us and offer.boots for offer in one.offers):
            remedy = f"journalctl -u {BOOT_SERVER} says why; then systemctl restart {BOOT_SERVER}"
            what = f"{us} does not answer its broadcast on {interface}"
            found.append(Finding(PXE, where, what, remedy))
        elif not one.file:
            what = f"{us} answers, but names no file to boot, also not on port 4011"
            found.append(Finding(PXE, where, what, f"{SITE}, then systemctl restart {BOOT_SERVER}"))
    told = [
        f"{name}: {clean(heard[arch].file) if arch in heard else 'not served'}"
        for arch, name in ARCHS.items()
    ]
    return Result(PXE, found, ", ".join(told))


def judge_others(heard: Mapping[int, Heard], us: str, interface: str, *, gives: bool = False) -> Result:
    """Who else answers: there must be one DHCP server, and no other that tells what to boot.

    gives: whether this server gives the addresses; then it must be the one.
    """
    others: dict[str, list[Answer]] = {}
    for one in (one for each in heard.values() for one in each.offers if one.server != us):
        others.setdefault(one.server, []).append(one)
    givers = sorted(server for server, said in others.items() if any(one.address for one in said))
    found = [one for server in sorted(others) for one in _rival(server, others[server])]
    if gives:
        return Result(
            OTHERS, [*map(_beside, givers), *found], f"addresses come from {us}, which is this server"
        )
    if not givers:
        what = "no DHCP server offers an address to a machine"
        remedy = (
            "switch DHCP on in the router, and connect this server and the machines to the router's network"
        )
        found.append(Finding(OTHERS, interface, what, remedy))
    elif len(givers) > 1:
        what = f"{len(givers)} DHCP servers offer addresses: {', '.join(givers)}"
        remedy = "when that is not meant, switch one of them off: machines take the first"
        found.append(Finding(OTHERS, interface, what, remedy, NOTE))
    return Result(OTHERS, found, f"addresses come from {', '.join(givers)}" if givers else "")


def _beside(giver: str) -> Finding:
    """Another one that gives addresses where this server does."""
    what = "it gives addresses, too, where this server does: two machines may have one address, and some boot nothing"
    remedy = f"switch its DHCP off; or take dhcp out of this network in netboot_networks, and {SITE}"
    return Finding(OTHERS, giver, what, remedy)


def judge_relays(lines: Iterable[str]) -> Result:
    """Which DHCP relays ask for networks that the server was not told of. lines: of dnsmasq's journal."""
    asked = (re.search(r" via (\d+\.\d+\.\d+\.\d+)$", line) for line in lines)
    relays = dict.fromkeys(found[1] for found in asked if found)
    what = "this DHCP relay passes on questions of a network that is not named: its machines boot their disks"
    remedy = (
        f"name that network in netboot_networks (relayed) and {SITE}; or have the relay not ask this server"
    )
    return Result(RELAYS, [Finding(RELAYS, one, what, remedy, NOTE) for one in relays], "")


def _rival(server: str, said: Sequence[Answer]) -> Iterator[Finding]:
    """An answer of somebody else for PXE, or one with a file to boot."""
    files = sorted({clean(one.file) for one in said if one.file})
    if not files and not any(one.is_pxe for one in said):
        return
    after = sorted({one.after for one in said if one.after and one.after != server})
    what = f"it tells machines to boot {', '.join(files) or 'by its own PXE menu'}"
    what += f" from {', '.join(after)}" if after else ""
    if any(one.address for one in said):
        remedy = (
            "take the boot file (options 66 and 67, 'next server', 'TFTP server', 'network boot') out of this DHCP "
            "server's settings: machines may take it instead of what this server names"
        )
    else:
        remedy = "switch this second PXE server off, or take it out of the network: machines follow whoever is first"
    yield Finding(OTHERS, server, what, remedy)
