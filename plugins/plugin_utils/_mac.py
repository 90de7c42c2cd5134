# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""MAC addresses as people write them, and as PXELINUX names its files by them."""

from __future__ import annotations

import re
from typing import Any

EXAMPLE = "f4:4d:30:60:64:69"

_NOTATIONS = re.compile(
    r"""
      [0-9a-f]{2}(?P<sep>[:-])(?:[0-9a-f]{2}(?P=sep)){4}[0-9a-f]{2}   # Linux, and IEEE 802 or Windows
    | [0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}                           # Cisco
    | [0-9a-f]{12}                                                    # bare, as on many stickers
    """,
    re.VERBOSE,
)


def normalise(value: Any) -> str:
    """Return a MAC address in lower case with colons, whatever usual notation it came in.

    :param value: colons, dashes, Cisco's dots or bare hexadecimal digits, in any case.
    :raises ValueError: saying what is wrong and how to write it, when it is not the address of a network card.
    """
    if isinstance(value, int):
        # YAML 1.1 reads 52:54:00:12:34:56 as a number to the base 60, and 525400123456 as a decimal.
        raise ValueError(f"YAML read it as the number {value}; put it in quotes, like '{EXAMPLE}'")
    text = str(value).strip().lower()
    if not _NOTATIONS.fullmatch(text):
        raise ValueError(f"'{value}' is not a MAC address; write it like {EXAMPLE}")
    digits = re.sub(r"[^0-9a-f]", "", text)
    # IEEE 802: the lowest bit of the first byte marks a group address, which no card has as its own.
    if int(digits[:2], 16) & 1 or not int(digits, 16):
        raise ValueError(
            f"'{value}' is a group or null address, not a network card's; write it like {EXAMPLE}"
        )
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def pxelinux_name(mac: str) -> str:
    """Return the name of the file that PXELINUX asks for by MAC address.

    That is the ARP hardware type (01, Ethernet) and the address, in lower case with dashes.
    Source: syslinux, doc/pxelinux.txt.

    :param mac: an address as :func:`normalise` returns it.
    """
    return "01-" + mac.replace(":", "-")
