# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What keeps a machine from going on while its loader runs, and fetches kernel and initrd. Rows as in `causes`."""

from __future__ import annotations

import re

from ..contract import WEB_SERVER
from . import case as c
from . import signs
from .cause import QUIRK, SITE, Cause

LOADER: tuple[Cause, ...] = (
    # it has its loader
    Cause(
        "shim-refused",
        ("configuration",),
        signs.shim_refused,
        "The firmware fetched shim and did not start it: Secure Boot does not know who signed it (UEFI CA 2011 or"
        " 2023), or the file is damaged.",
        'Look at its screen for "Security Violation"; update the firmware\'s keys, or switch Secure Boot off.',
    ),
    Cause(
        "grub-missing",
        ("configuration",),
        signs.missing(c.GRUB),
        "shim runs, and GRUB is not on the server.",
        SITE,
    ),
    Cause(
        "grub-refused",
        ("configuration",),
        signs.grub_refused,
        "shim fetched GRUB and did not start it: its signature does not fit, or it is revoked (SBAT).",
        "Run homelab.netboot.site, which takes a pair that fits; look at the machine's screen for what shim says.",
    ),
    Cause(
        "second-part-missing",
        ("configuration",),
        signs.missing(re.compile(r"\.c32$")),
        "Its loader runs, and the loader's second part is not on the server.",
        SITE,
    ),
    Cause(
        "web-server-down",
        ("configuration", "kernel", "initrd", "linux", "iso", "seeds", "installer"),
        signs.down(WEB_SERVER),
        f"{WEB_SERVER} does not run.",
        f"systemctl status {WEB_SERVER} on the server says why; homelab.netboot.site starts it.",
    ),
    Cause(
        "entry-missing",
        ("configuration",),
        signs.no_entry,
        "There is no boot entry for it, and none for all.",
        SITE,
    ),
    Cause(
        "loader-hangs",
        ("configuration",),
        signs.own,
        "Its loader was fetched and does nothing. Either the firmware does not start it, or its network driver hangs.",
        "Update its firmware; then try netboot_quirks: [tftp-only].",
    ),
    Cause(
        "ipxe-stops",
        ("configuration",),
        signs.ipxe,
        "iPXE was fetched and asks for nothing. Either Secure Boot refuses it (it is not signed), or its network driver"
        " does not work, or a firewall blocks the web server's port.",
        "Switch Secure Boot off for this machine, or take the quirk ipxe away; then look at its screen.",
    ),
    Cause(
        "loader-stops",
        ("configuration",),
        signs.always,
        "Its loader stopped before it asked for its configuration. Either it was switched off, or it lost its network.",
        "Look at its screen, and switch it on again.",
    ),
    # it has its configuration
    Cause(
        "kernel-missing",
        ("kernel",),
        signs.missing(c.KERNEL),
        "The kernel that its entry names is not on the server.",
        SITE,
    ),
    Cause(
        "kernel-forbidden",
        ("kernel", "initrd", "iso"),
        signs.refused(re.compile(r"images/"), 403),
        "The web server refuses it: its address is in no network that is allowed, or the files are not readable.",
        "See netboot_result.networks and pxe_http_networks; run homelab.netboot.site.",
    ),
    Cause(
        "kernel-cut",
        ("kernel",),
        signs.cut(c.KERNEL),
        "The kernel's transfer broke off: its loader cannot do HTTP well, or packets are lost.",
        QUIRK,
    ),
    Cause(
        "other-entry",
        ("kernel",),
        lambda case: bool(case.find(c.CONFIGURATION)) and not signs.named(case),
        "It was given the entry for machines that nobody knows, though it is armed: its own entry was not there.",
        SITE,
    ),
    Cause(
        "menu-disk",
        ("kernel",),
        signs.offers_menu,
        "Either somebody chose another entry of its menu, or a firewall blocks HTTP, or its loader cannot do HTTP.",
        "Choose the installation in its menu; open the web server's port (netboot_http_port). " + QUIRK,
    ),
    Cause(
        "http-blocked",
        ("kernel",),
        signs.always,
        "It knows what to start and fetched no kernel. Either a firewall blocks the web server's port, or its loader"
        " cannot do HTTP, or it boots in another network than its entry is for.",
        "Open the port (netboot_http_port) in firewalls on and before the server; of several networks, see that"
        " netboot_network_name is the one that it boots in. " + QUIRK,
    ),
    # it has the kernel
    Cause(
        "initrd-missing",
        ("initrd",),
        signs.missing(c.INITRD),
        "The initrd that its entry names is not on the server.",
        SITE,
    ),
    Cause(
        "initrd-cut",
        ("initrd",),
        signs.cut(c.INITRD),
        "The initrd's transfer broke off: too little memory in the machine, or packets are lost.",
        "Give it more memory; " + QUIRK,
    ),
    Cause(
        "image-changed",
        ("initrd", "linux", "iso", "seeds"),
        signs.changed,
        "A file of its image is not what it was when it was verified.",
        "Remove that version's folder below images/ on the server, and run homelab.netboot.site.",
    ),
    Cause(
        "kernel-refused",
        ("initrd",),
        signs.kernel_refused,
        "GRUB has the kernel and did not go on to the initrd: most likely Secure Boot refuses the kernel's signature.",
        'Look at its screen for "bad shim signature"; take a newer image, or switch Secure Boot off.',
    ),
    Cause(
        "stops-after-kernel",
        ("initrd",),
        signs.always,
        "It stopped after the kernel. Either it was switched off, or it has too little memory, or its loader hangs.",
        "Look at its screen, and switch it on again. " + QUIRK,
    ),
    # it has kernel and initrd
    Cause(
        "iso-missing",
        ("linux", "iso"),
        signs.missing(c.ISO),
        "The ISO that its entry names is not on the server.",
        SITE,
    ),
    Cause(
        "iso-cut",
        ("iso",),
        signs.cut(c.ISO),
        "The ISO's transfer broke off: most likely the machine has too little memory for it, or packets are lost.",
        "Give it more memory (see docs/images.md); look at cable and switch port.",
    ),
    Cause(
        "versions-differ",
        ("linux", "iso", "seeds"),
        signs.versions_differ,
        "Kernel, initrd and ISO are of different versions; Ubuntu refuses to start then.",
        SITE,
    ),
    Cause(
        "linux-stops-secure",
        ("linux", "iso"),
        lambda case: case.is_uefi,
        "The live system did not come up. Either Secure Boot refuses the kernel, or Linux has too little memory, no"
        " driver for the network card or no address, or a firewall blocks the web server's port.",
        "Look at its screen; then try more memory, and hwe: true for a newer kernel.",
    ),
    Cause(
        "linux-stops",
        ("linux", "iso"),
        signs.always,
        "The live system did not come up. Either Linux has too little memory, no driver for the network card or no"
        " address, or a firewall blocks the web server's port, or it was switched off.",
        "Look at its screen; then try more memory, and hwe: true for a newer kernel.",
    ),
)
