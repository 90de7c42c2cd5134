# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The files that GRUB reads when it was started over the network (GRUB manual: Network, and its commands)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._boot_entry import image_path, kernel_arguments
from ansible_collections.homelab.netboot.plugins.plugin_utils._machines import ANY

FOLDER = "http/grub"
#: Loaders of installed systems on the EFI system partition, best first; the last is UEFI's own default.
DISK_LOADERS = (
    "/EFI/ubuntu/shimx64.efi",
    "/EFI/debian/shimx64.efi",
    "/EFI/fedora/shimx64.efi",
    "/EFI/opensuse/shim.efi",
    "/EFI/Microsoft/Boot/bootmgfw.efi",
    "/EFI/BOOT/BOOTX64.EFI",
)

# GRUB's own "exit" opens the firmware's setup on many machines instead of going on to the next boot entry.
# chainloader tells the loader that it came from $root, whatever device its file was named with: from another one a
# shim cannot find its GRUB.
_LOCAL = """\
for loader in {loaders}; do
  if search --no-floppy --file --set=root $loader; then
    chainloader $loader
    boot
  fi
done
exit
"""

# From where GRUB itself came, which is TFTP unless the firmware booted by HTTP: GRUB's own HTTP begins at the same TCP
# port at every start, so that a machine that is switched off and on at once finds the server still busy with its last
# connection, and gets no answer. Whoever gets none of these goes on to its disk.
_GRUB_CFG = """\
source $prefix/machines/$net_default_mac.cfg
if [ -z "$named" ]; then
  source $prefix/default.cfg
fi
"""


def entries(machine: Mapping[str, Any], base_url: str) -> dict[str, str]:
    """Return what installs a machine: path below the served root → content.

    :param machine: one machine, as the filter P(homelab.netboot.machines#filter) returns it.
    :param base_url: the server's HTTP root, without a slash at the end.
    """
    name = "default.cfg" if machine["mac"] == ANY else f"machines/{machine['mac']}.cfg"
    return {
        f"{FOLDER}/{name}": _own(f"{machine['name']}, {machine['mac']}", _install(machine, base_url)),
    }


def local() -> dict[str, str]:
    """Return what a named machine that is not armed finds in each folder: folder → content."""
    return {f"{FOLDER}/machines": _own("a machine that is not armed", _local())}


def static() -> dict[str, str]:
    """Return what all others find: path → content.

    C(grub.cfg) sends each machine to C(machines/MAC.cfg), and those that have none to C(default.cfg).
    """
    return {
        f"{FOLDER}/grub.cfg": _file("all", _GRUB_CFG + _local()),
        f"{FOLDER}/default.cfg": _file("whatever the inventory does not name", _local()),
    }


def _local() -> str:
    return _LOCAL.format(loaders=" ".join(DISK_LOADERS))


def _own(who: str, body: str) -> str:
    # said first: a named machine whose kernel does not start must not take what is meant for others
    return _file(who, "set named=yes\n" + body)


def device(base_url: str) -> str:
    """Return how GRUB names an HTTP server: C((http,192.168.1.50))."""
    return f"(http,{base_url.partition('://')[2]})"


def _file(who: str, body: str) -> str:
    return f"# Managed by Ansible (homelab.netboot): {who}\n{body}"


def _install(machine: Mapping[str, Any], base_url: str) -> str:
    # In GRUB a bare ';' ends the statement, so every argument is quoted.
    words = [*kernel_arguments(machine, base_url), *_bootif(machine)]
    arguments = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    root = device(base_url)
    return (
        f"linux {root}/{image_path(machine, 'vmlinuz')} {arguments}\n"
        f"initrd {root}/{image_path(machine, 'initrd')}\n"
        "boot\n"
    )


def _bootif(machine: Mapping[str, Any]) -> list[str]:
    """Return what PXELINUX adds by itself: the card to go on with, where it is known."""
    return [] if machine["mac"] == ANY else ["BOOTIF=01-" + machine["mac"].replace(":", "-")]
