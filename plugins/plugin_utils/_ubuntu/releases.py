# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Ubuntu's releases: in what they differ for a network installation. A new release is one row of L(RELEASES).

Sources: (a) the live-server ISOs' own C(casper/) and C(boot/grub/grub.cfg), as public projects that unpack them show
them; (b) casper's scripts of 20.04, 22.04 and 24.04; (c) cloud-init 20.1 to 26.2, measured against a logging web
server; (d) Subiquity's release notes (23.10.1: guided ZFS; 24.04.1: the same on servers, encrypted too) and its pull
request 1671 (the boot order of UEFI). None of the four was installed from its real ISO by the tests of this
collection; what is less sure than that is said in the row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One release. The defaults are what all have in common."""

    version: str
    """As C(.disk/info) writes it, without the point release: V(24.04)."""
    codename: str
    """In lower case: V(noble)."""
    kernel: str = "casper/vmlinuz"
    """Path in the ISO (a)."""
    initrd: str = "casper/initrd"
    """Path in the ISO (a)."""
    hwe_kernel: str = "casper/hwe-vmlinuz"
    """Path in the ISO of the newer kernel (a). The first ISOs of a release may not have it."""
    hwe_initrd: str = "casper/hwe-initrd"
    """Path in the ISO of the initrd that belongs to the newer kernel (a)."""
    datasource: str = "nocloud-net"
    """What C(ds=) is to say. V(nocloud-net) works in all; V(nocloud) without a warning from cloud-init 24.1 on (c)."""
    seed: tuple[str, ...] = ("meta-data", "user-data", "vendor-data")
    """What cloud-init asks for (c). All four are served in any case: one that is missing costs ten seconds."""
    reorder_uefi: bool | None = None
    """What C(storage: grub: reorder_uefi) must say, else the network becomes first in the boot order and the machine
    installs itself for ever; None: the installer does right by itself (d)."""
    ramdisk: bool = False
    """Whether the initramfs may be kept on a C(root=/dev/ram0), which needs less memory than a tmpfs."""
    kernel_args: tuple[str, ...] = ()
    """What its kernel must be told besides; for one image C(netboot_images) and for one machine
    C(netboot_kernel_args) add to it."""
    layouts: tuple[str, ...] = ("direct", "lvm")
    """Names that C(storage: layout) may have; Subiquity takes any other silently for V(direct)."""


RELEASES: tuple[Release, ...] = (
    Release(
        "20.04",
        "focal",
        seed=(
            "meta-data",
            "user-data",
        ),  # cloud-init 20.1 of the first ISOs; later ones ask for vendor-data too
        reorder_uefi=False,
        ramdisk=True,
    ),
    Release("22.04", "jammy", reorder_uefi=False, ramdisk=True),
    Release(
        "24.04",
        "noble",
        # Its ISOs have cloud-init 24.1 and later. Whether it takes root=/dev/ram0 is disputed: not tested.
        datasource="nocloud",
        layouts=("direct", "lvm", "zfs"),
    ),
    Release(
        "26.04",
        "resolute",
        # Installed systems use dracut; that its ISO still takes casper's arguments is not tested.
        datasource="nocloud",
        seed=("network-config", "meta-data", "user-data", "vendor-data"),
        layouts=("direct", "lvm", "zfs"),
    ),
)

#: What holds for every release: for an ISO that was not read yet, and for a release that has no row.
ANY = Release(
    "",
    "",
    seed=("network-config", "meta-data", "user-data", "vendor-data"),
    reorder_uefi=False,  # newer ones do so by themselves
    layouts=("direct", "lvm", "zfs"),  # what some release knows is not refused
)


def find(release: str | None) -> Release:
    """Return the row of a release, else L(ANY).

    :param release: V(24.04), V(24.04.3), or V(none) for an ISO that was not read yet.
    """
    match = re.match(r"\d+\.\d+", str(release or ""))
    return next((row for row in RELEASES if match and row.version == match.group()), ANY)
