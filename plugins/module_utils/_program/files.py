# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Write and remove files so that whoever reads, and a power cut at any moment, finds the old content or the new."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import Iterable

_MANY = 32  # from here on one sync(2) of the whole host is cheaper than one of each file


class Writer:
    """Files below one folder, with one owner and mode; `write` puts all of them on the disk before the first is seen.

    group: number of the group that may read them besides root. mode, folder_mode: of files and new folders.
    """

    def __init__(self, top: str, mode: int, folder_mode: int, group: int = 0) -> None:
        self.top, self.mode, self.folder_mode, self.group = top, mode, folder_mode, group
        self.known: set[str] = set()

    def differing(self, wanted: dict[str, bytes]) -> dict[str, bytes]:
        """Those of the wanted files that are not there as they should be."""
        return {path: content for path, content in wanted.items() if not self._is(path, content)}

    def _is(self, path: str, content: bytes) -> bool:
        try:
            handle = os.open(os.path.join(self.top, path), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return False
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            right = (found.st_size, found.st_mode & 0o7777, found.st_uid, found.st_gid)
            return right == (len(content), self.mode, os.geteuid(), self.group) and file.read() == content

    def write(self, wanted: dict[str, bytes]) -> list[str]:
        """Write what differs; return its paths. OSError leaves every file as it was, or as it should be."""
        changes = self.differing(wanted)
        waiting: list[tuple[str, str]] = []
        try:
            for path, content in changes.items():
                place = os.path.join(self.top, path)
                self.folder(os.path.dirname(path))
                waiting.append((self._beside(place, content), place))
            sync([temporary for temporary, dummy in waiting])
            folders = {os.path.dirname(place) for dummy, place in waiting}
            while waiting:
                os.replace(*waiting[0])
                waiting.pop(0)
            sync(folders)
        finally:
            for temporary, dummy in waiting:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
        return sorted(changes)

    def _beside(self, place: str, content: bytes) -> str:
        handle, temporary = tempfile.mkstemp(prefix=".netboot-", suffix=".part", dir=os.path.dirname(place))
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchown(handle, -1, self.group)
                os.fchmod(handle, self.mode)
        except BaseException as error:
            if isinstance(error, OSError):
                error.filename = error.filename or place  # write(2) does not know it
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        return temporary

    def folder(self, path: str) -> None:
        """Make a folder below the top, and those above it, unless they are there."""
        if path in self.known:
            return
        if path:
            self.folder(os.path.dirname(path))
        place = os.path.join(self.top, path)
        if not os.path.isdir(place):
            os.makedirs(place, 0o700)
            os.chown(place, -1, self.group)
            os.chmod(place, self.folder_mode)
        self.known.add(path)

    def remove(self, paths: Iterable[str]) -> list[str]:
        """Remove files, and the folders that become empty by that; what is not there is no fault."""
        removed, folders = [], set()
        for path in paths:
            place = os.path.join(self.top, path)
            try:
                os.unlink(place)
            except (FileNotFoundError, NotADirectoryError):
                continue
            removed.append(path)
            folders.add(os.path.dirname(path))
        for folder in sorted(folders, key=len, reverse=True):
            self._remove_empty(folder)
        sync({existing(os.path.join(self.top, folder)) for folder in folders})
        return removed

    def _remove_empty(self, folder: str) -> None:
        while folder:
            try:
                os.rmdir(os.path.join(self.top, folder))
            except OSError:
                return
            self.known.discard(folder)
            folder = os.path.dirname(folder)


def existing(place: str) -> str:
    """The folder itself, or the nearest one above it that is there."""
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    return place


def sync(places: Iterable[str]) -> None:
    """Put files, or folders' entries, on the disk (fsync(2), sync(2))."""
    places = sorted(places)
    if len(places) > _MANY:
        os.sync()
        return
    for place in places:
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def leftovers(top: str) -> list[str]:
    """What a killed run left below a folder."""
    found = []
    for folder, dummy, names in os.walk(top):
        for name in names:
            if name.startswith(".netboot-") and name.endswith(".part"):
                found.append(os.path.relpath(os.path.join(folder, name), top))
    return found


def read(place: str, limit: int | None = None) -> bytes:
    """A file's content, at most `limit` bytes; no symlink is followed."""
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(-1 if limit is None else limit)
