# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""How much memory Ubuntu's installer needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.homelab.netboot.plugins.plugin_utils._memory import GIB

#: An argument of the kernel that lets the initramfs lie on a RAM disk, which may fill all of the memory.
RAMDISK = "root=/dev/ram0"


def memory_needed(sizes: Mapping[str, int], arguments: Iterable[str] = ()) -> int | None:
    """Return the bytes that the installer needs, from the sizes of C(iso) and C(initrd); None while they are unknown.

    casper keeps the ISO in the initramfs, beside the unpacked initrd. That is a tmpfs, which the kernel lets grow to
    half of the memory (kernel documentation, C(ramfs-rootfs-initramfs)); 1 GB is left for the installer. On a RAM disk,
    when C(root=/dev/ram0) is among the arguments, it is ISO, initrd and 1.5 GB (an estimate).
    """
    if "iso" not in sizes:
        return None
    held = sizes["iso"] + sizes.get("initrd", 0)
    return held + 3 * GIB // 2 if RAMDISK in arguments else 2 * held + GIB
