# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Images, space, folders and the clock. Pure."""

from __future__ import annotations

import time
from typing import Iterator, Mapping, NamedTuple, Sequence

from .finding import SITE, Finding, Result, clean

IMAGES, SPACE, FOLDERS, CLOCK = "images", "space", "folders", "clock"
#: Bytes and files that must be free for states, seeds, reports and logs.
LEAST_BYTES, LEAST_FILES = 100 << 20, 1000
#: The year that this was written in, and how far in the future a file of ours may be, in seconds.
YEAR, AHEAD = 2026, 24 * 3600

Stamp = Sequence[int]


class Version(NamedTuple):
    """One version of an image. noted: file → size and time of its last change, as verified; None when unreadable.

    there: the same, as it is now; None for a file that is missing.
    """

    folder: str
    noted: Mapping[str, Stamp] | None
    there: Mapping[str, Stamp | None]


class Disk(NamedTuple):
    """Where a folder is. files: how many more there can be; None where there is no limit."""

    place: str
    free: int
    files: int | None


class Folder(NamedTuple):
    """A folder that a service uses. who: its user; bits: needed of rwx (4, 2, 1); has: what the user has."""

    path: str
    who: str
    bits: int
    has: int


def bits_of(mode: int, owner: int, group: int, *, user: int, groups: Sequence[int]) -> int:
    """What a user may do, of rwx: of the owner's, the group's or the others' three bits (path_resolution(7))."""
    shift = 6 if owner == user else 3 if group in groups else 0
    return mode >> shift & 7


def judge_images(versions: Sequence[Version], unset: Sequence[str]) -> Result:
    """unset: images of which no version is in use."""
    found = [one for version in versions for one in _image(version)]
    for name in unset:
        found.append(Finding(IMAGES, name, "no version of it is in use", SITE))
    return Result(IMAGES, found, f"{len(versions)} versions are as they were verified")


def _image(version: Version) -> Iterator[Finding]:
    remedy = f"{SITE}, which verifies the image by its checksum and makes it again where it must"
    if version.noted is None:
        yield Finding(IMAGES, version.folder, "the note of what was verified cannot be read", remedy)
        return
    for name, noted in sorted(version.noted.items()):
        now = version.there.get(name)
        where = f"{version.folder}/{name}"
        if now is None:
            yield Finding(IMAGES, where, "it is missing", remedy)
        elif now[0] != noted[0]:
            yield Finding(IMAGES, where, f"it has {now[0]} bytes; {noted[0]} were verified", remedy)
        elif now[1] != noted[1]:
            yield Finding(IMAGES, where, "it was written to after it was verified", remedy)


def judge_space(disks: Sequence[Disk]) -> Result:
    """Whether there is room for what comes."""
    found = []
    for disk in disks:
        if disk.free < LEAST_BYTES:
            what = f"only {disk.free >> 20} MiB are free; less than {LEAST_BYTES >> 20} is too little"
            found.append(Finding(SPACE, disk.place, what, "make room on that disk, or use a larger one"))
        if disk.files is not None and disk.files < LEAST_FILES:
            what = f"only {disk.files} more files can be made there (inodes)"
            found.append(
                Finding(SPACE, disk.place, what, "remove small files from that disk, or use another one")
            )
    least = min((disk.free for disk in disks), default=0)
    return Result(SPACE, found, f"{least >> 20} MiB are free at least")


def judge_folders(folders: Sequence[Folder]) -> Result:
    """Whether the services may do in their folders what they must."""
    found = []
    for one in folders:
        if one.bits & ~one.has:
            need = "put files there" if one.bits & 2 else "go through it"
            remedy = f"{SITE}, which sets its own folders right" + (
                "" if one.bits & 2 else f"; else chmod o+x {one.path}"
            )
            found.append(Finding(FOLDERS, one.path, f"the user {one.who} may not {need}", remedy))
    return Result(FOLDERS, found, "the services may use theirs")


def judge_clock(now: float, newest: float, path: str) -> Result:
    """now, newest: in seconds since 1970; newest: when the newest of our files was written, and path: which it is."""
    remedy = "set it (timedatectl set-time), and let it be kept (systemd-timesyncd or chrony)"
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    found = []
    if time.gmtime(now).tm_year < YEAR:
        found.append(Finding(CLOCK, shown, "the clock is years behind", remedy))
    elif newest > now + AHEAD:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(newest))
        found.append(Finding(CLOCK, shown, f"the clock is behind: {clean(path)} is of {when}", remedy))
    return Result(CLOCK, found, shown)
