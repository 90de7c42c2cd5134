# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Looks at the server. Reads, changes nothing; what is so bad is judged elsewhere."""

from __future__ import annotations

import contextlib
import grp
import hashlib
import json
import os
import pwd
import re
import subprocess
from typing import Iterable, Iterator, Sequence

from ..contract import BOOT_SERVER, FETCHED, HTTP, INCOMING, LOADERS_NOTE, REPORTS, TFTP
from ..files import read
from ..settings import Settings
from . import disks, loaders, services
from .questions import Place

DNSMASQ, NGINX, LOGS = "/etc/netboot/dnsmasq.conf", "/etc/netboot/nginx.conf", "/var/log/netboot"
#: Whom dnsmasq runs as; nginx's user is named as its group (Settings).
BOOT_USER = "dnsmasq"
CONF_BYTES, ENTRY_BYTES, NOTE_BYTES = 1 << 20, 1 << 16, 1 << 20
LOADER_BYTES = 32 << 20
JOURNAL_LINES, RELAY_LINES = 5, 1000


def places() -> tuple[list[Place], str]:
    """Where the services are, one for each network, as their own configuration says, and dnsmasq's; none without it."""
    dnsmasq, nginx = text_of(DNSMASQ), text_of(NGINX)
    interfaces = re.findall(r"(?m)^interface=(\S+)$", dnsmasq)
    listens = re.findall(r"(?m)^\s*listen ([0-9.]+):(\d+);", nginx)
    gives = re.findall(r"(?m)^tag-if=set:gives,tag:(\S+)$", dnsmasq)
    return [
        Place(interface, address, int(port), address, interface in gives)
        for interface, (address, port) in zip(interfaces, listens)  # both are in the order of the networks
    ], dnsmasq


def text_of(path: str, most: int = CONF_BYTES) -> str:
    """A file's text; empty when it cannot be read."""
    try:
        return read(path, most).decode("utf-8", "replace")
    except OSError:
        return ""


# --- systemd


def units() -> services.Units:
    """What systemd says of our units; nothing where it does not answer."""
    argv = ["systemctl", "show", f"--property={','.join(services.PROPERTIES)}"]
    return services.read(_said([*argv, *services.RUNNING, *services.AT_TIMES]))


def journal(names: Iterable[str]) -> dict[str, list[str]]:
    """The last lines of each unit's journal."""
    argv = ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={JOURNAL_LINES}", "--unit"]
    return {name: _said([*argv, name]).splitlines() for name in names}


def unanswered() -> list[str]:
    """What dnsmasq, since it was started last, says of questions out of networks that it was not told of."""
    started = _said(["systemctl", "show", "--property=InvocationID", "--value", BOOT_SERVER]).strip()
    if not started:
        return []
    words = "--grep=no address range available for DHCP request"
    argv = ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={RELAY_LINES}", words]
    return _said([*argv, f"_SYSTEMD_INVOCATION_ID={started}"]).splitlines()


def _said(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


# --- boot entries


def entries(settings: Settings) -> Iterator[tuple[str, str]]:
    """The boot entries that are handed out: path below the root, and text."""
    for top in (f"{TFTP}/pxelinux.cfg", f"{HTTP}/grub", f"{HTTP}/ipxe"):
        for folder, _folders, names in os.walk(os.path.join(settings.root, top)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                yield os.path.relpath(path, settings.root), text_of(path, ENTRY_BYTES)


# --- what lies on the disks


def versions(settings: Settings) -> tuple[list[disks.Version], list[str]]:
    """The versions of all images, and the images of which none is in use."""
    found, unset = [], []
    top = os.path.join(settings.root, HTTP, "images")
    for image in _names(top):
        if image.startswith(".") or not os.path.isdir(os.path.join(top, image)):
            continue
        if not os.path.isdir(os.path.join(top, image, "current")):
            unset.append(image)
        for name in _names(os.path.join(top, image)):
            folder = os.path.join(top, image, name)
            if os.path.isdir(folder) and not os.path.islink(folder) and not name.startswith("."):
                found.append(_version(folder))
    return found, unset


def _version(folder: str) -> disks.Version:
    try:
        note = json.loads(read(os.path.join(folder, "manifest.json"), NOTE_BYTES))
        noted = {str(name): [int(part) for part in one["stamp"][:2]] for name, one in note["files"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return disks.Version(folder, None, {})
    return disks.Version(folder, noted, {name: _stamp(os.path.join(folder, name)) for name in noted})


def _stamp(path: str) -> list[int] | None:
    """As the note has it: size, and time of the last change in nanoseconds. Not the inode: a backup may be back."""
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return [info.st_size, info.st_mtime_ns]


def loaders_of(settings: Settings) -> list[loaders.Pair]:
    """The folders of shim and GRUB: what most machines get, and what those of one authority get."""
    found = []
    for folder, _folders, names in sorted(os.walk(os.path.join(settings.root, HTTP, "efi"))):
        if any(name.startswith("shim") for name in names) or LOADERS_NOTE in names:
            found.append(pair(folder))
    return found


def pair(folder: str) -> loaders.Pair:
    """Shim and GRUB in a folder, beside the note of who signed them."""
    try:
        note = json.loads(read(os.path.join(folder, LOADERS_NOTE), NOTE_BYTES))
        files = {
            str(name): loaders.Noted(
                str(one["sha256"]),
                [str(year) for year in one["authorities"]],
                _sum(os.path.join(folder, name)),
            )
            for name, one in note["files"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return loaders.Pair(folder, None)
    return loaders.Pair(folder, files)


def _sum(path: str) -> str | None:
    try:
        return hashlib.sha256(read(path, LOADER_BYTES)).hexdigest()
    except OSError:
        return None


def space(settings: Settings) -> list[disks.Disk]:
    """The disks of the places that grow, each once."""
    found: dict[int, disks.Disk] = {}
    for path in (settings.root, settings.state, settings.spool, LOGS):
        with contextlib.suppress(OSError):
            disk, device = os.statvfs(path), os.stat(path).st_dev
            files = disk.f_favail if disk.f_files else None
            found.setdefault(device, disks.Disk(path, disk.f_bavail * disk.f_frsize, files))
    return list(found.values())


def folders(settings: Settings) -> list[disks.Folder]:
    """What the services' users may do in the folders that they use, and in those above."""
    web = settings.group
    wanted = [(web, path, 1) for path in _above(os.path.join(settings.root, HTTP))]
    wanted += [(BOOT_USER, path, 1) for path in _above(os.path.join(settings.root, TFTP))]
    wanted += [(web, path, 1) for path in _above(settings.spool)]
    wanted += [(web, os.path.join(settings.spool, name), 3) for name in (REPORTS, FETCHED, INCOMING)]
    return [disks.Folder(path, who, bits, _has(path, who)) for who, path, bits in wanted]


def _above(path: str) -> Iterator[str]:
    while path != "/":
        yield path
        path = os.path.dirname(path)


def _has(path: str, who: str) -> int:
    try:
        user, info = pwd.getpwnam(who), os.stat(path)
    except (OSError, KeyError):
        return 0
    groups = [user.pw_gid, *(one.gr_gid for one in grp.getgrall() if who in one.gr_mem)]
    return disks.bits_of(info.st_mode, info.st_uid, info.st_gid, user=user.pw_uid, groups=groups)


def newest(settings: Settings) -> tuple[float, str]:
    """When the newest of the program's own files was written, and which it is."""
    times: list[tuple[float, str]] = [(0.0, "")]
    for folder, _folders, names in os.walk(settings.state):
        for name in names:
            with contextlib.suppress(OSError):
                path = os.path.join(folder, name)
                times.append((os.lstat(path).st_mtime, path))
    return max(times)


def _names(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(os.listdir(folder))
    return []
