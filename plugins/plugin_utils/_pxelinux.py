# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The files that PXELINUX looks for (syslinux, doc/pxelinux.txt and doc/syslinux.txt)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot_entry import image_path, kernel_arguments
from ansible_collections.homelab.netboot.plugins.plugin_utils._machines import ANY

FOLDER = "tftp/pxelinux.cfg"
DEFAULT = "default"

# LOCALBOOT -1 hands over to the firmware's next boot device; 0 does so on fewer machines.
_LOCAL = """\
DEFAULT local
LABEL local
  LOCALBOOT -1
"""


def entries(machine: Mapping[str, Any], base_url: str) -> dict[str, str]:
    """Return what installs a machine: path below the served root → content.

    :param machine: one machine, as the filter P(homelab.netboot.machines#filter) returns it.
    :param base_url: the server's HTTP root, without a slash at the end.
    """
    name = DEFAULT if machine["mac"] == ANY else _mac.pxelinux_name(machine["mac"])
    return {f"{FOLDER}/{name}": _file(f"{machine['name']}, {machine['mac']}", _install(machine, base_url))}


def local() -> dict[str, str]:
    """Return what a named machine that is not armed finds in each folder: folder → content.

    It has a file too: it must not fall through to C(default), which may install.
    """
    return {FOLDER: _file("a machine that is not armed", _LOCAL)}


def static() -> dict[str, str]:
    """Return what all others find: path → content."""
    return {f"{FOLDER}/{DEFAULT}": _file("whatever the inventory does not name", _LOCAL)}


def _file(who: str, body: str) -> str:
    return f"# Managed by Ansible (homelab.netboot): {who}\n{body}"


def _install(machine: Mapping[str, Any], base_url: str) -> str:
    # Plain pxelinux.0 knows only TFTP, whose root has the same layout.
    root = f"{base_url}/" if machine["loader"] == "lpxelinux" else ""
    return (
        "DEFAULT install\n"
        "LABEL install\n"
        f"  KERNEL {root}{image_path(machine, 'vmlinuz')}\n"
        f"  INITRD {root}{image_path(machine, 'initrd')}\n"
        f"  APPEND {' '.join(kernel_arguments(machine, base_url))}\n"
        # adds BOOTIF=, so that a machine with several cards goes on with the one that it booted from
        "  IPAPPEND 2\n"
    )
