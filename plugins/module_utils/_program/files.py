# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Read, write and remove files so that whoever reads, and a power cut at any moment, finds the old content or the new.

Each file is written beside its place, put on the disk, and renamed (POSIX rename(2)). `Batch` does that for any files
together, `FileSet` for those below one folder that have one owner and mode.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from types import TracebackType
from typing import BinaryIO, Callable, Dict, Iterable, Iterator, Union

_PREFIX, _SUFFIX = ".netboot-", ".part"
TEMPORARY = f"{_PREFIX}*{_SUFFIX}"
"""How a file is named that is being written; one that is found is what a killed run left."""

Content = Union[bytes, Callable[[BinaryIO], object]]
"""The bytes themselves, or a callable that writes them to the binary file it is given."""

Files = Dict[str, bytes]
"""Path below a folder → content."""

# From more than so many files on, sync(2) of the whole host takes the place of an fsync(2) of each. The kernel writes
# all of them in one go then, while each fsync waits for the disk once more: on ext4 with an idle disk, n fsyncs took
# 3.8, 4.6, 5.4, 6.3 and 7.3 times as long as one sync for n = 16, 32, 64, 128 and 1000 small files, and up to 16, 34
# and 80 times for the last three while others wrote. But a sync waits for what others have written, too, such as an
# ISO that is being fetched; so a single machine's files, some ten, never ask for it.
_MANY = 32


class Batch:
    """Files that appear together: every one is written beside its place first, then all are renamed.

    Use as a context manager: `add` writes temporary files, `commit` puts them in place. Whatever is not
    committed when the block ends is removed, so that a failure in `add` leaves all places as they were.
    All methods raise OSError as the system gives it, with the file's name.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str]] = []  # (temporary file, its place), in the order of `add`

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._waiting:
            _remove(self._waiting.pop()[0])

    def add(
        self,
        path: str,
        content: Content,
        prepare: Callable[[str], object] | None = None,
        *,
        inherit: bool = True,
    ) -> str:
        """Write `content` to a temporary file in the folder of `path`, which must exist; return its name.

        With `inherit` it gets owner and mode of the file at `path`, or those of any new file (umask) when there is
        none; otherwise it is for its owner alone. Then `prepare(temporary file)` may set them, before anybody can
        see the file at `path`.
        """
        path = os.path.abspath(path)
        handle, temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "wb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content)
                if inherit:
                    _inherit(file.fileno(), path)
            if prepare is not None:
                prepare(temporary)
        except BaseException as error:
            if isinstance(error, OSError):
                error.filename = error.filename or path  # write(2) does not know it
            _remove(temporary)
            raise
        self._waiting.append((temporary, path))
        return temporary

    def link(self, path: str, target: str) -> None:
        """Make a symlink, which appears at `path` with the other files. The folder must exist."""
        path = os.path.abspath(path)
        # mkstemp only for a name that is free: nobody else takes it in the instant between
        handle, temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=os.path.dirname(path))
        os.close(handle)
        os.unlink(temporary)
        os.symlink(target, temporary)
        self._waiting.append((temporary, path))

    def commit(self) -> None:
        """Put all waiting files on the disk, then rename each to its place, in the order of `add`.

        What can fail is done before the first rename: a full disk, a folder in the way. Should a rename
        fail nevertheless, the files before it are in place and the rest is removed.
        """
        for dummy, path in self._waiting:
            if os.path.isdir(path) and not os.path.islink(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        sync(temporary for temporary, dummy in self._waiting if not os.path.islink(temporary))
        folders = set()
        while self._waiting:
            temporary, path = self._waiting[0]
            os.replace(temporary, path)
            self._waiting.pop(0)
            folders.add(os.path.dirname(path))
        sync(folders)


def write_file(path: str, content: Content, prepare: Callable[[str], object] | None = None) -> None:
    """Replace one file: a `Batch` of one."""
    with Batch() as batch:
        batch.add(path, content, prepare)
        batch.commit()


def write_link(path: str, target: str) -> None:
    """Replace one symlink likewise."""
    with Batch() as batch:
        batch.link(path, target)
        batch.commit()


class FileSet:
    """Files below one folder, with one owner (whoever runs this), group and mode.

    mode, folder_mode: of files and of new folders. group: number of the group that may read them besides the owner.
    """

    def __init__(self, top: str, mode: int, folder_mode: int, group: int = 0) -> None:
        self.top, self.mode, self.folder_mode, self.group = top, mode, folder_mode, group
        self._there: set[str] = set()  # folders below the top of which that is known

    def write(self, wanted: Files) -> list[str]:
        """Write those that differ, in a batch; return their paths. OSError leaves each as it was or as it should be."""
        changes = {path: content for path, content in wanted.items() if not self._is(path, content)}
        with Batch() as batch:
            for path, content in changes.items():
                self.make_folder(os.path.dirname(path))
                batch.add(os.path.join(self.top, path), content, self._prepare, inherit=False)
            batch.commit()
        return sorted(changes)

    def _is(self, path: str, content: bytes) -> bool:
        try:
            handle = os.open(os.path.join(self.top, path), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return False
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            is_right = (found.st_size, found.st_mode, found.st_uid, found.st_gid) == (
                len(content),
                stat.S_IFREG | self.mode,
                os.geteuid(),
                self.group,
            )
            return is_right and file.read() == content

    def _prepare(self, temporary: str) -> None:
        os.chown(temporary, -1, self.group)
        os.chmod(temporary, self.mode)

    def make_folder(self, path: str) -> None:
        """Make a folder below the top, and those above it, unless they are there."""
        if path in self._there:
            return
        if path:
            self.make_folder(os.path.dirname(path))
        place = os.path.join(self.top, path)
        if not os.path.isdir(place):
            os.makedirs(place, 0o700)
            os.chown(place, -1, self.group)
            os.chmod(place, self.folder_mode)
        self._there.add(path)

    def remove(self, paths: Iterable[str]) -> list[str]:
        """Remove files, and the folders that become empty by that; return those that were there."""
        removed, folders = [], set()
        for path in paths:
            try:
                os.unlink(os.path.join(self.top, path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            removed.append(path)
            folders.add(os.path.dirname(path))
        for folder in sorted(folders, key=len, reverse=True):
            self._remove_empty(folder)
        sync({_nearest(os.path.join(self.top, folder)) for folder in folders})
        return removed

    def _remove_empty(self, folder: str) -> None:
        while folder:
            try:
                os.rmdir(os.path.join(self.top, folder))
            except OSError:
                return
            self._there.discard(folder)
            folder = os.path.dirname(folder)


def sync(places: Iterable[str]) -> None:
    """Put files, or folders' entries, on the disk, so that they survive a power cut (fsync(2), sync(2))."""
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


def read(place: str, limit: int | None = None) -> bytes:
    """A file's content, at most `limit` bytes; no symlink is followed, and no pipe waited for."""
    with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(-1 if limit is None else limit)


def read_tree(top: str) -> Files:
    """All files below a folder; empty when there is none."""
    found: Files = {}
    for path in walk(top):
        with open(os.path.join(top, path), "rb") as file:
            found[path] = file.read()
    return found


def walk(top: str, below: str = "") -> Iterator[str]:
    """The paths of all files below a folder, in order; symlinks and what is being written are left out."""
    try:
        with os.scandir(os.path.join(top, below)) as items:
            entries = sorted(items, key=lambda item: item.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for item in entries:
        path = f"{below}/{item.name}" if below else item.name
        if item.is_dir(follow_symlinks=False):
            yield from walk(top, path)
        elif item.is_file(follow_symlinks=False) and not _is_temporary(item.name):
            yield path


def remove_leftovers(folder: str, *, below: bool = False) -> None:
    """Remove what a killed run left in a folder, and with `below` in those in it; a failure is none."""
    for place, folders, names in os.walk(folder):
        for name in filter(_is_temporary, [*folders, *names]):  # a symlink to a folder counts as one
            _remove(os.path.join(place, name))
        if not below:
            break


def _is_temporary(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def _nearest(place: str) -> str:
    """The folder itself, or the nearest one above it that is there."""
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    return place


def _inherit(handle: int, path: str) -> None:
    """Give an open file the owner and mode of the regular file at `path`, or a new file's mode."""
    try:
        old = os.lstat(path)
    except FileNotFoundError:
        old = None
    if old is None or not stat.S_ISREG(old.st_mode):
        umask = os.umask(0o077)
        os.umask(umask)
        os.fchmod(handle, 0o666 & ~umask)
        return
    # Only root gives files away; anybody else's new file is their own, as with cp.
    with contextlib.suppress(PermissionError):
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):  # the error that brought us here matters more
        os.unlink(path)
