# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What a version of dnsmasq can do (its CHANGELOG)."""

from __future__ import annotations

import re
from collections.abc import Collection

#: The first that has names and numbers of all UEFI architectures right: 2.77 began with it.
OLDEST = (2, 78)
#: The first with dhcp-option-pxe and dhcp-pxe-vendor, which HTTP Boot beside a router needs.
HTTP_BOOT_SINCE = (2, 91)


def numbers(version: str) -> tuple[int, ...]:
    """Return the first version number in a text, as numbers; none when there is none."""
    found = re.search(r"\d+(\.\d+)+", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def notes(version: str, uefi_loaders: Collection[str] = ()) -> dict[str, list[str]]:
    """Return C(faults), for which nothing can be done with this dnsmasq, and what there is to C(say) of it.

    :param version: dnsmasq's, or a text with it, such as C(dnsmasq --version) prints; one without any has no faults.
    :param uefi_loaders: names of the files that UEFI machines are offered.
    """
    known = numbers(version)
    faults = []
    if known and known < OLDEST:
        faults.append(
            f"the server's dnsmasq is {_text(known)}, and {_text(OLDEST)} or newer is needed, which tells "
            "all kinds of UEFI machines apart. Upgrade its package dnsmasq-base."
        )
    say = []
    if uefi_loaders and known < HTTP_BOOT_SINCE:
        say.append(
            "UEFI machines are answered when they boot by PXE. For UEFI HTTP Boot dnsmasq "
            f"{_text(HTTP_BOOT_SINCE)} or newer is needed, and this server's is {_text(known) or 'not known'}."
        )
    return {"faults": faults, "say": say}


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
