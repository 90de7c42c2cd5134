# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""How much memory a machine needs to be installed, and has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

GIB = 1 << 30
#: Memory is counted in powers of two whatever the unit is called: a module that is sold as 4 GB has 4 GiB.
_UNITS = {"M": 1 << 20, "G": GIB, "T": 1 << 40}
_FORM = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[MGT])(i?B)?", re.IGNORECASE)
EXAMPLE = "write a number and its unit, like 8GB or 4096MB"
#: An argument of the kernel that lets the initramfs lie on a RAM disk, which may fill all of the memory.
RAMDISK = "root=/dev/ram0"


def parse(text: Any) -> int:
    """Return a size of memory in bytes.

    :param text: V(8G), V(8GB), V(8 GiB), V(8192M), V(7.5GB); upper or lower case.
    :raises ValueError: with the remedy; also for a number without a unit, which could mean two things.
    """
    match = _FORM.fullmatch(str(text).strip())
    if not match or not float(match["number"]):
        raise ValueError(f"'{text}' is no size of memory; {EXAMPLE}")
    return int(float(match["number"]) * _UNITS[match["unit"].upper()])


def needed(sizes: Mapping[str, int], arguments: Iterable[str] = ()) -> int | None:
    """Return the bytes that the installer needs, from the sizes of C(iso) and C(initrd); None while they are unknown.

    casper keeps the ISO in the initramfs, beside the unpacked initrd. That is a tmpfs, which the kernel lets grow to
    half of the memory (kernel documentation, C(ramfs-rootfs-initramfs)); 1 GB is left for the installer. On a RAM disk,
    when C(root=/dev/ram0) is among the arguments, it is ISO, initrd and 1.5 GB (an estimate).
    """
    if "iso" not in sizes:
        return None
    held = sizes["iso"] + sizes.get("initrd", 0)
    return held + 3 * GIB // 2 if RAMDISK in arguments else 2 * held + GIB


def gigabytes(size: int) -> str:
    """Write a size for people, rounded up to a tenth: V(7.4 GB)."""
    return f"{ceil(size * 10 / GIB) / 10:g} GB"
