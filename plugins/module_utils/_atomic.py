# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Write files so that a reader sees the old content or the new, never a part of it (POSIX rename(2))."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from types import TracebackType
from typing import BinaryIO, Callable, Union

Content = Union[bytes, Callable[[BinaryIO], object]]
"""The bytes themselves, or a callable that writes them to the binary file it is given."""

_MANY = 64  # from here on one sync of the whole host is cheaper than one of each file


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

    def add(self, path: str, content: Content, prepare: Callable[[str], object] | None = None) -> str:
        """Write `content` to a temporary file in the folder of `path`; return its name.

        It gets owner and mode of the file at `path`, or those of any new file (umask) when there is none;
        then `prepare(temporary file)` may set them, before anybody can see the file at `path`.
        The folder must exist.
        """
        path = os.path.abspath(path)
        handle, temporary = tempfile.mkstemp(prefix=".netboot-", suffix=".part", dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "wb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content)
                _inherit(file.fileno(), path)
            if prepare is not None:
                prepare(temporary)
        except BaseException:
            _remove(temporary)
            raise
        self._waiting.append((temporary, path))
        return temporary

    def link(self, path: str, target: str) -> None:
        """Make a symlink, which appears at `path` with the other files. The folder must exist."""
        path = os.path.abspath(path)
        # mkstemp only for a name that is free: nobody else takes it in the instant between
        handle, temporary = tempfile.mkstemp(prefix=".netboot-", suffix=".part", dir=os.path.dirname(path))
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
        _sync([temporary for temporary, dummy in self._waiting if not os.path.islink(temporary)])
        folders = set()
        while self._waiting:
            temporary, path = self._waiting[0]
            os.replace(temporary, path)
            self._waiting.pop(0)
            folders.add(os.path.dirname(path))
        _sync(sorted(folders))


def write_file(path: str, content: Content, prepare: Callable[[str], object] | None = None) -> None:
    """Replace one file: a `Batch` of one."""
    with Batch() as batch:
        batch.add(path, content, prepare)
        batch.commit()


def _sync(paths: list[str]) -> None:
    """Put files, or folders' entries, on the disk, so that they survive a power cut (fsync(2), sync(2))."""
    if len(paths) > _MANY:
        os.sync()  # Linux waits until it is done; for 4000 small files 0.2 s instead of 6 s on a busy disk
        return
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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
