# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Looks at the server and asks it. Reads, changes nothing; what is so bad is judged elsewhere."""

from __future__ import annotations

import contextlib
import grp
import http.client
import json
import os
import pwd
import re
import socket
import struct
import subprocess
from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from ..contract import FETCHED, HTTP, INCOMING, REPORTS, TFTP
from ..files import read
from ..settings import Settings
from . import disks, network, pxe, services
from .targets import SERVICES, SILENCE, Target

DNSMASQ, NGINX, LOGS = "/etc/netboot/dnsmasq.conf", "/etc/netboot/nginx.conf", "/var/log/netboot"
#: Whom dnsmasq runs as; nginx's user is named as its group (Settings).
BOOT_USER = "dnsmasq"
#: How long answers are waited for: to a broadcast (a router may try its address first), to a single question.
LISTEN, PATIENCE = 4.0, 5.0
CONF_BYTES, ENTRY_BYTES, NOTE_BYTES = 1 << 20, 1 << 16, 1 << 20
JOURNAL_LINES = 5
_READ_REQUEST, _DATA, _ERROR = 1, 3, 5  # RFC 1350, section 5


class Place(NamedTuple):
    """Where the services are, as their own configuration says. dnsmasq: the text of dnsmasq's."""

    interface: str
    address: str
    port: int
    dnsmasq: str

    @property
    def hosts(self) -> Mapping[str, str]:
        """By way, how entries name this server."""
        return {
            "http": self.address if self.port == http.client.HTTP_PORT else f"{self.address}:{self.port}",
            "tftp": self.address,
        }


def place() -> Place | None:
    """None where the configuration is not there."""
    dnsmasq, nginx = text_of(DNSMASQ), text_of(NGINX)
    interface = re.search(r"(?m)^interface=(\S+)$", dnsmasq)
    listen = re.search(r"(?m)^\s*listen ([0-9.]+):(\d+);", nginx)
    if interface is None or listen is None:
        return None
    return Place(interface[1], listen[1], int(listen[2]), dnsmasq)


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


def _said(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


# --- the network


def heard(at: Place, archs: Iterable[int], seconds: float = LISTEN) -> dict[int, network.Heard]:
    """Play each kind of firmware, all at once, and ask this server on port 4011 where its offer names no file."""
    mac = pxe.hardware(at.interface)
    numbers = {arch: os.urandom(4) for arch in archs}
    offers: dict[int, list[pxe.Answer]] = {arch: [] for arch in numbers}
    questions = {number: pxe.discover(mac, number, arch) for arch, number in numbers.items()}
    for number, offer in pxe.broadcast(at.interface, questions, seconds):
        for arch, one in numbers.items():
            if one == number and offer not in offers[arch]:
                offers[arch].append(offer)
    return {arch: network.Heard(tuple(offers[arch]), _file(at, mac, arch, offers[arch])) for arch in numbers}


def _file(at: Place, mac: bytes, arch: int, offers: Sequence[pxe.Answer]) -> str:
    ours = [one for one in offers if one.server == at.address and one.is_pxe]
    if not ours or ours[0].file:
        return ours[0].file if ours else ""
    number = os.urandom(4)
    question = pxe.request(mac, number, arch, at.address, ours[0].item)
    answer = pxe.ask_boot_server(at.address, question, number)
    return answer.file if answer else ""


def entries(settings: Settings) -> Iterator[tuple[str, str]]:
    """The boot entries that are handed out: path below the root, and text."""
    for top in (f"{TFTP}/pxelinux.cfg", f"{HTTP}/grub", f"{HTTP}/ipxe"):
        for folder, _folders, names in os.walk(os.path.join(settings.root, top)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                yield os.path.relpath(path, settings.root), text_of(path, ENTRY_BYTES)


def fetch(at: Place, wanted: Iterable[Target], stopped: Sequence[str]) -> dict[Target, str]:
    """Ask for the head or the first block of each file on this server: empty when it comes, else what is wrong.

    A service that does not answer at all is not asked for more.
    """
    answers: dict[Target, str] = {}
    silent = {way for way, service in SERVICES.items() if service in stopped}
    for target in wanted:
        if target.host == at.hosts[target.way] and target.way not in silent:
            answers[target] = (_head if target.way == "http" else _first_block)(at, target.path)
            if answers[target].startswith(SILENCE):
                silent.add(target.way)
    return answers


def _head(at: Place, path: str) -> str:
    web = http.client.HTTPConnection(at.address, at.port, timeout=PATIENCE)
    with contextlib.closing(web):
        try:
            web.request("HEAD", "/" + path)
            answer = web.getresponse()
        except (OSError, http.client.HTTPException) as error:
            return f"{SILENCE} ({error})"
    return "" if answer.status == http.client.OK else f"nginx answers {answer.status} {answer.reason}"


def _first_block(at: Place, path: str) -> str:
    question = struct.pack("!H", _READ_REQUEST) + path.encode() + b"\0octet\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.settimeout(PATIENCE)
        try:
            mouth.bind((at.address, 0))
            mouth.sendto(question, (at.address, 69))
            answer, sender = mouth.recvfrom(2048)
            kind = struct.unpack("!H", answer[:2])[0]
            if kind == _DATA:  # one block is enough
                mouth.sendto(struct.pack("!HH", _ERROR, 0) + b"enough\0", sender)
        except (OSError, struct.error) as error:
            return f"{SILENCE} ({error})"
    if kind == _DATA:
        return ""
    return f"dnsmasq answers {answer[4:].rstrip(bytes(1)).decode('utf-8', 'replace')}"


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
        note = json.loads(read(os.path.join(folder, ".image.json"), NOTE_BYTES))
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
