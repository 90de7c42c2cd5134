# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which of a firmware's boot entries is the network's, as efibootmgr(8) lists them."""

from __future__ import annotations

import re

_ENTRY = re.compile(r"^Boot(?P<number>[0-9A-F]{4})(?P<active>\*?)\s+(?P<text>.*)$", re.M)
# Names of firmware for network boot over IPv4, and the device path's own words (UEFI specification, 10.3.4).
_NETWORK = re.compile(r"MAC\(|IPv4|\bPXE\b|network boot|\bLAN\b|\bNIC\b", re.I)
_LESS = re.compile(r"IPv6|HTTP", re.I)


def network_entry(listed: str, mac: str) -> str:
    """Return the number of the entry to boot from the network, like C(0003); empty when there is none.

    One that names the machine's own address is better than others, and PXE over IPv4 better than the rest.

    :param listed: what C(efibootmgr -v) prints.
    :param mac: the machine's address, lower case with colons.
    """
    digits = mac.replace(":", "")
    found = [entry for entry in _ENTRY.finditer(listed) if _NETWORK.search(entry["text"])]
    found.sort(
        key=lambda entry: (
            digits not in re.sub("[:-]", "", entry["text"].lower()),
            bool(_LESS.search(entry["text"])),
            not entry["active"],
        )
    )
    return found[0]["number"] if found else ""
