# SPDX-License-Identifier: GPL-3.0-or-later
"""A small initrd: busybox, the modules that it needs, and our /init. Everything here is pure."""

from __future__ import annotations

import gzip
import lzma
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .arch import Arch

MODULES = tuple("af_packet virtio_pci virtio_net loop isofs squashfs overlay".split())  # noqa: SIM905 - easier to read
"""What every client needs: DHCP's raw sockets, a network card, file systems in files and above one another."""

APPLETS = tuple(
    "cat chroot cp echo grep insmod ip mkdir mount poweroff sh sleep stat switch_root tr udhcpc uname wc wget".split()  # noqa: SIM905 - easier to read
)


@dataclass(frozen=True)
class Entry:
    """One file, folder, link or device of a cpio archive. mode: type and permissions, as in stat(2)."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def cpio(entries: Iterable[Entry]) -> bytes:
    """A cpio archive in the format newc (Linux: Documentation/driver-api/early-userspace/buffer-format)."""
    out = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
        name = entry.name.encode() + b"\0"
        fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, *entry.device, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4)
        out += entry.data
        out += bytes(-len(out) % 4)
    return bytes(out)


def wanted(arch: Arch) -> tuple[str, ...]:
    """The modules that a client of this processor needs, other cards' and its disks' too."""
    return MODULES + arch.drivers


def plain_module(name: str, data: bytes) -> bytes:
    """A module's ELF image: Debian 12 ships it plain, Debian 13 compressed with xz."""
    return lzma.decompress(data) if name.endswith(".xz") else data


def depends(module: bytes) -> list[str]:
    """The modules that a module says it needs, in its section .modinfo."""
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    return [name.replace("-", "_") for name in found[1].decode().split(",") if name] if found else []


def load_order(names: Iterable[str], modules: Mapping[str, bytes], builtin: Iterable[str]) -> list[str]:
    """The modules of these names and what they need, each after its needs.

    modules: name (with underscores) to ELF image. KeyError when one is neither there nor built in.
    """
    order: list[str] = []
    skip = set(builtin)

    def visit(name: str) -> None:
        if name in order or name in skip:
            return
        for need in depends(modules[name]):
            visit(need)
        order.append(name)

    for name in names:
        visit(name)
    return order


def build(
    busybox: bytes,
    modules: Mapping[str, bytes],
    builtin: Iterable[str],
    scripts: Mapping[str, bytes],
    *,
    uuid: str,
    arch: Arch,
) -> bytes:
    """The initrd, compressed. scripts: init and udhcpc. uuid: what casper compares with the ISO's."""
    order = load_order(wanted(arch), modules, builtin)
    folders = (
        "bin",
        "cdrom",
        "conf",
        "cow",
        "dev",
        "layers",
        "lib",
        "lib/modules",
        "proc",
        "root",
        "run",
        "sys",
    )
    program = stat.S_IFREG | 0o755
    entries = [Entry(name, stat.S_IFDIR | 0o755) for name in folders]
    entries += [
        Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
        Entry("bin/busybox", program, busybox),
        Entry("init", program, scripts["init"]),
        Entry("lib/udhcpc", program, scripts["udhcpc"]),
        Entry("conf/uuid.conf", stat.S_IFREG | 0o644, f"{uuid}\n".encode()),
        Entry("lib/modules/order", stat.S_IFREG | 0o644, "".join(f"{name}.ko\n" for name in order).encode()),
    ]
    entries += [Entry(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox") for name in APPLETS]
    entries += [Entry(f"lib/modules/{name}.ko", stat.S_IFREG | 0o644, modules[name]) for name in order]
    return gzip.compress(cpio(entries), compresslevel=9, mtime=0)
