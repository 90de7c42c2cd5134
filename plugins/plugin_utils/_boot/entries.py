# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What a machine is to boot: the same facts for every loader, which only differ in how they write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import quirks
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import system

INSTALL, LOCAL, RESCUE = "install", "local", "rescue"
#: Seconds for which a menu waits before it starts its first entry.
MENU_SECONDS = 5
#: Loaders of installed systems on the EFI system partition, best first; the last is UEFI's own default.
DISK_LOADERS = (
    "/EFI/ubuntu/shimx64.efi",
    "/EFI/debian/shimx64.efi",
    "/EFI/fedora/shimx64.efi",
    "/EFI/opensuse/shim.efi",
    "/EFI/Microsoft/Boot/bootmgfw.efi",
    "/EFI/BOOT/BOOTX64.EFI",
    "/EFI/ubuntu/shimaa64.efi",
    "/EFI/debian/shimaa64.efi",
    "/EFI/BOOT/BOOTAA64.EFI",
)


@dataclass(frozen=True)
class Entry:
    """One thing that a machine can boot.

    kind: one of the three above. kernel, initrd: below the server's HTTP and TFTP roots, which have the same layout.
    arguments: the kernel's. tftp: the address that they are to come from by TFTP; empty for HTTP.
    mac: the card to go on with; V(any) for the one that it booted from, empty for whichever the kernel finds.
    """

    kind: str
    title: str
    kernel: str = ""
    initrd: str = ""
    arguments: tuple[str, ...] = ()
    tftp: str = ""
    mac: str = ""


@dataclass(frozen=True)
class Loader:
    """How a loader is written for, and where it looks.

    folder: of the files that are named by a machine, below the server's root; name: such a file's, from a MAC address.
    default: the file of whatever is not named; shared: those that it gets instead in one of several networks, from the
    network. write: its text, from a title, entries (the first is the default) and
    the server's HTTP root. static: more files, by path below the server's root, from all networks.
    """

    folder: str
    name: Callable[[str], str]
    default: str
    shared: Callable[[Mapping[str, Any]], Sequence[str]]
    write: Callable[[str, Sequence[Entry], str], str]
    static: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, str]] = lambda _networks: {}

    def paths(
        self, mac: str, networks: Sequence[Mapping[str, Any]], *, several: bool
    ) -> list[tuple[str, Mapping[str, Any]]]:
        """Return where a machine's files lie below the server's root, each with the network that it is for.

        networks: those that the machine may boot in; several: whether the server has others.
        """
        if mac != ANY:
            return [(f"{self.folder}/{self.name(mac)}", networks[0])]
        if not several:
            return [(self.default, networks[0])]
        return [(path, one) for one in networks for path in self.shared(one)]


def image_path(machine: Mapping[str, Any], file: str) -> str:
    """Return where a file of the machine's image lies below the server's HTTP and TFTP roots.

    The folder is that of one version, so that a machine gets kernel, initrd and ISO of the same one, whatever the
    server changes to while it starts: casper refuses to start otherwise.
    """
    return f"{machine['folder']}/{file}"


def address(base_url: str) -> str:
    """Return the server's address, with the port where it is not the usual one."""
    return base_url.partition("://")[2]


def server(network: Mapping[str, Any]) -> str:
    """Return the server's address alone, for what is not fetched by HTTP: a cache has nothing else."""
    return str(network.get("server") or network["address"])


def entries(machine: Mapping[str, Any], network: Mapping[str, Any], *, armed: bool) -> list[Entry]:
    """Return what a machine is to boot: one entry, or a menu of which the first is the default.

    :param network: the one that it boots in.
    :param armed: whether it is to be installed; otherwise its disk comes first.
    """
    local = Entry(LOCAL, "The system on its disk")
    first = [_image(machine, network, INSTALL), local] if armed else [local]
    menu = [_image(machine, network, kind) for kind in machine["menu"]]
    return [*first, *menu] if menu else first[:1]


def _image(machine: Mapping[str, Any], network: Mapping[str, Any], kind: str) -> Entry:
    base_url = str(network["base_url"])
    image = machine["image"]
    install = kind == INSTALL
    iso = f"{base_url}/{image_path(machine, image + '.iso')}"
    return Entry(
        kind,
        f"Install {image}: WIPES THE DISK" if install else f"Rescue: {image} without installing anything",
        kernel=image_path(machine, "vmlinuz"),
        initrd=image_path(machine, "initrd"),
        arguments=tuple(system.kernel_arguments(machine, iso, base_url, install=install)),
        tftp=server(network) if quirks.has(machine, quirks.TFTP_ONLY) else "",
        mac="" if quirks.has(machine, quirks.NO_BOOTIF) else machine["mac"],
    )


def local_only() -> list[Entry]:
    """Return the entries of a machine that is left alone."""
    return [Entry(LOCAL, "The system on its disk")]


def managed(who: str, body: Iterable[str], first: Sequence[str] = ()) -> str:
    """Return a file's text with our mark on top, behind the lines that must come first."""
    return "\n".join([*first, f"# Managed by Ansible (homelab.netboot): {who}", *body, ""])
