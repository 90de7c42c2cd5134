# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Find files in an ISO image and read them.

Finding is pycdlib's work (1.12 and later). The data are then read straight from the image, because pycdlib
shortens a file that lies beyond the end of a truncated image without a word.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import io
import os
import signal
import struct
import threading
import traceback
from collections import deque
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._image.iso_error import (
    IsoError,
    MissingError,
    reading,
)

try:
    import pycdlib
except ImportError:
    PYCDLIB_ERROR: str | None = traceback.format_exc()
else:
    PYCDLIB_ERROR = None

__all__ = ("IsoError", "MissingError", "reading")  # as if they were defined here

SECTOR = 2048  # bytes; ECMA-119, 6.1.2
FIRST_DESCRIPTOR = 16  # sector of the first volume descriptor; ECMA-119, 6.2.1
BLOCK = 256 << 10  # bytes that are copied at once: they are still in the processor's cache when hashed
BUFFERS = 4  # blocks in memory
MORE, ASSOCIATED = 0x80, 0x04  # flags of a record: the file goes on in the next; it is another file's
MAX_READ = 512 << 10  # bytes of one folder or table; Ubuntu's largest has some 30 kB
MAX_TOTAL = 32 << 20  # bytes of all folders and tables; Ubuntu's have some 4 MB
MAX_RECORDS = 30_000  # in all folders and trees, and twice as many reads; Ubuntu's have some 7,000
#: Seconds of computing before the directory is known: a net behind the limits above. Ubuntu's takes half a second, and
#: ten times that on a small server.
MAX_CPU = 30
MAX_LINKS = 16  # symbolic links on the way to one file
MAX_DEPTH = 16  # folders in folders
MAX_FOLDERS = 20_000  # that a pattern may lead through; Ubuntu's pool has some 300
MAX_NAMES = 20  # names that an error message lists
#: How a file that is compressed inside the image begins, and in a Rock Ridge directory the records of such files.
ZISOFS = (b"\x37\xe4\x53\x96\xc9\xdb\xd6\x07", b"\xef\x22\x55\xa1\xbc\x1b\x95\xa0")
ZISOFS_ENTRIES = (b"ZF\x10\x01pz", b"ZF\x10\x02PZ", b"Z2\x10\x02PZ")
RELEASE = ".disk/info"
ENDLESS = "its list of files has no end"
AGAIN = "Download it again and compare its checksum."


class _DamagedError(Exception):
    """Something in the image contradicts itself; becomes an IsoError that names the image."""


@dataclass(frozen=True)
class Extent:
    """Where the data of one file lie: `size` bytes from byte `offset` of the image on."""

    offset: int
    size: int


@dataclass(frozen=True)
class _Tree:
    """One of the directory trees that an image may have, and how its names are read."""

    keyword: str  # pycdlib's name for a path in it
    name: Callable[[Any], str]
    spellings: Callable[[str], list[str]]  # of a name that is looked for, best first


class Image:
    """An ISO image in an open file. Its `name` is for messages. Raises IsoError when it is none."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        if PYCDLIB_ERROR:
            raise IsoError(f"{name} cannot be read, since the Python library pycdlib cannot: {PYCDLIB_ERROR}")
        self.name = name
        self._file = file
        self._iso = pycdlib.PyCdlib()
        with self._translated():
            self._size = os.fstat(file.fileno()).st_size
            self._check_size()
            self._open()
            self._block = int(self._iso.logical_block_size)
            self._trees = self._list_trees()

    def _open(self) -> None:
        guard = _Guard(self._file)
        try:
            with _limited_computing():
                self._iso.open_fp(guard)
        except Exception as error:
            if any(entry in guard.last for entry in ZISOFS_ENTRIES):  # pycdlib knows no such records
                raise self._compressed("files") from error
            raise

    def find(self, path: str) -> Extent:
        """Look a file up, in whichever tree has it: Rock Ridge, Joliet, UDF, plain ISO 9660.

        Symbolic links (Rock Ridge) are followed inside the image.
        Raises MissingError with the names that are there, IsoError for a folder or a damaged image.
        """
        missing = None
        for tree in self._trees:
            try:
                with self._translated():
                    extent = self._whole(*self._find_in(tree, path))
                    if extent.offset + extent.size > self._size:
                        raise self._truncated(f"{path} ends at byte {extent.offset + extent.size}")
                    if self._read(extent.offset, min(extent.size, len(ZISOFS[0]))) in ZISOFS:
                        raise self._compressed(path)
                    return extent
            except MissingError as error:
                missing = missing or error  # the first tree has the fullest names
        raise missing or self._damaged("it has no list of files")

    def matching(self, pattern: str) -> list[str]:
        """Paths of the files that a pattern such as `pool/**/shim-signed_*.deb` names, sorted.

        `*` stands for any part of a name, `**` (not at the end) for any number of folders. Links are not
        followed. The first tree that has such files answers, but for plain ISO 9660: its names are shortened.
        """
        for tree in self._trees:
            found: set[str] = set()
            if tree.keyword != "iso_path":
                with self._translated():
                    self._match(tree, [], pattern.split("/"), found, [0])
            if found:
                return sorted(found)
        return []

    def release(self) -> str | None:
        """What the image says of itself in `.disk/info`: one line; None when there is no such file."""
        try:
            extent = self.find(RELEASE)
        except MissingError:
            return None
        data = bytearray()
        copy(self._file, self.name, Extent(extent.offset, min(extent.size, SECTOR)), data.extend)
        lines = data.decode("utf-8", "replace").strip().splitlines()
        return lines[0].strip() if lines else None

    def _check_size(self) -> None:
        """Compare the size that the image declares with the file's (ECMA-119, 8.4: primary descriptor)."""
        for sector in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + 64):
            data = self._read(sector * SECTOR, SECTOR)
            if data[1:6] != b"CD001":
                break
            if len(data) == SECTOR and data[0] == 1:
                blocks, size = struct.unpack_from("<L", data, 80)[0], struct.unpack_from("<H", data, 128)[0]
                if blocks * size > self._size:
                    raise self._truncated(f"it says that it has {blocks * size}")
                return
        raise IsoError(
            f"{self.name} is no ISO image (no ISO 9660 volume descriptor found in its {self._size} bytes). "
            "Give the path of an Ubuntu live-server ISO; if this should be one, download it again."
        )

    def _list_trees(self) -> list[_Tree]:
        trees = []
        if self._iso.has_rock_ridge():
            trees.append(_Tree("rr_path", _rock_ridge_name, _exact))
        if self._iso.has_joliet():
            trees.append(_Tree("joliet_path", _joliet_name, _exact))
        if self._iso.has_udf():
            trees.append(_Tree("udf_path", _udf_name, _exact))
        return [*trees, _Tree("iso_path", _plain_name, _plain_spellings)]

    def _target(self, tree: _Tree, record: Any, path: str, links: int) -> list[str]:
        """The parts of what a link leads to."""
        # UDF's own links are a rarity that pycdlib does not read.
        target: str = "/" if tree.keyword == "udf_path" else record.rock_ridge.symlink_path().decode()
        if target.startswith("/") or links > MAX_LINKS:
            raise IsoError(
                f"{path} in {self.name} is a link that cannot be followed inside the image "
                f"(to {target}): name the file itself."
            )
        return target.split("/")

    def _find_in(self, tree: _Tree, path: str) -> tuple[Extent, str]:
        """Where the file lies, and its path without links."""
        place: list[str] = []  # the folders on the way, as the tree spells them
        parts = deque(path.split("/"))
        record = None
        links = 0
        while parts:
            part = parts.popleft()
            if part in ("", "."):
                continue
            if part == "..":  # only out of a link: options have none
                if not place:
                    raise IsoError(f"{path} is a link that leads out of {self.name}: name the file itself.")
                place.pop()
                record = None
                continue
            children = self._children(tree, place)
            name = next((name for name in tree.spellings(part) if name in children), None)
            if name is None:
                where = "/".join(place) or "the top folder"
                raise MissingError(
                    f"{path} is not in {self.name}: {where} has {_listed(children)}. "
                    "Correct the path in the option files, or give another ISO."
                )
            record = children[name]
            if record.is_symlink():
                links += 1
                parts.extendleft(reversed(self._target(tree, record, path, links)))
                record = None
            elif record.is_dir():
                place.append(_spelt(tree, record, name))
            elif any(parts):
                raise MissingError(f"{path} is not in {self.name}: {part} is a file there, not a folder.")
        if record is None or record.is_dir():
            children = self._children(tree, place)
            raise IsoError(f"{path} in {self.name} is a folder, not a file. It has {_listed(children)}.")
        extent = self._udf_extent(record) if tree.keyword == "udf_path" else self._iso_extent(record)
        return extent, "/".join([*place, tree.name(record)])

    def _whole(self, extent: Extent, path: str) -> Extent:
        """The extent, or the longer one that UDF has of the same file: genisoimage cuts files of 4 GiB elsewhere."""
        for tree in self._trees:
            if tree.keyword == "udf_path":
                with contextlib.suppress(IsoError):
                    other, dummy = self._find_in(tree, path)
                    if other.offset == extent.offset and other.size > extent.size:
                        return other
        return extent

    def _match(
        self, tree: _Tree, place: list[str], parts: list[str], found: set[str], visited: list[int]
    ) -> None:
        part, rest = parts[0], parts[1:]
        visited[0] += 1
        if len(place) > MAX_DEPTH or visited[0] > MAX_FOLDERS:
            raise _DamagedError(ENDLESS)
        if part == "**":
            self._match(tree, place, rest, found, visited)
        for name, record in self._children(tree, place).items():
            if record.is_dir():
                if part == "**" or (rest and fnmatch.fnmatchcase(name, part)):
                    self._match(tree, [*place, name], parts if part == "**" else rest, found, visited)
            elif not rest and not _is_link(tree, record) and fnmatch.fnmatchcase(name, part):
                found.add("/".join([*place, name]))

    def _children(self, tree: _Tree, place: list[str]) -> dict[str, Any]:
        records = self._iso.list_children(**{tree.keyword: "/" + "/".join(place)})
        return {tree.name(record): record for record in records if record and not _is_dots(record)}

    def _iso_extent(self, record: Any) -> Extent:
        """Take location and length from the directory itself, where both stand in two byte orders.

        pycdlib compares the locations only, and changes lengths that lie beyond the end (ECMA-119, 9.1).
        """
        offset = end = None
        for location, length, flags in self._pieces(record):
            if end is not None and location * self._block != end:
                raise self._scattered(_plain_name(record))
            offset = location * self._block if offset is None else offset
            end = location * self._block + length
            if not flags & MORE:
                return Extent(offset, end - offset)
        raise _DamagedError("a file is not in its own folder, or without its end")

    def _pieces(self, record: Any) -> Iterator[tuple[int, int, int]]:
        """Location, length and flags of each piece of a file: one for every 4 GiB."""
        data = self._read(record.parent.extent_location() * self._block, record.parent.get_data_length())
        position = 0
        while position + 33 < len(data):
            if data[position] == 0:  # records do not cross blocks: the rest of this one is empty
                position = (position // self._block + 1) * self._block
                continue
            name = data[position + 33 : position + 33 + data[position + 32]]
            little = struct.unpack_from("<2x L4x L4x", data, position)
            big = struct.unpack_from(">2x 4xL 4xL", data, position)
            flags = data[position + 25]
            if name == record.file_ident and not flags & ASSOCIATED:
                if little != big:
                    raise _DamagedError(f"two lengths of one file: {little[1]} and {big[1]}")
                if data[position + 1] or data[position + 26] or data[position + 27]:
                    raise self._scattered(_plain_name(record))  # with attributes before it, or interleaved
                yield little[0], little[1], flags
            position += data[position]

    def _udf_extent(self, record: Any) -> Extent:
        """Take location and length from the UDF file entry (ECMA-167, 4/14.9), which has a checksum."""
        size = int(record.info_len)
        if not size:
            return Extent(0, 0)
        if record.inode is None:
            raise _DamagedError("a file without data")
        first = record.alloc_descs[0]
        expected = first.log_block_num
        total = 0
        for piece in record.alloc_descs:
            length = piece.extent_length & 0x3FFFFFFF  # the upper two bits are a type
            if piece.log_block_num != expected:
                raise self._scattered("a file")
            expected += -(-length // self._block)
            total += length
        if total < size:
            raise _DamagedError(f"a file of {size} bytes with {total} bytes of data")
        return Extent(record.inode.extent_location() * self._block + getattr(first, "offset", 0), size)

    def _read(self, offset: int, size: int) -> bytes:
        guard = _Guard(self._file)
        guard.seek(offset)
        return guard.read(size)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Make an IsoError of whatever pycdlib raises: on damaged input that is nearly any exception."""
        try:
            with reading(self.name):
                yield
        except IsoError:
            raise
        except Exception as error:
            raise self._damaged(str(error) or type(error).__name__) from error

    def _damaged(self, why: str) -> IsoError:
        return IsoError(f"{self.name} is damaged ({why}). {AGAIN}")

    def _compressed(self, what: str) -> IsoError:
        return IsoError(
            f"{self.name} has {what} in compressed form (zisofs): that is not supported. "
            "Give an image that is made without it, as Ubuntu's are."
        )

    def _scattered(self, what: str) -> IsoError:
        return IsoError(
            f"{self.name} stores {what} in pieces that do not follow each other: that is not supported. "
            "Give an image that is made in the usual way, as Ubuntu's are."
        )

    def _truncated(self, why: str) -> IsoError:
        return IsoError(f"{self.name} is truncated: it has {self._size} bytes, but {why}. {AGAIN}")


def copy(file: BinaryIO, name: str, extent: Extent, write: Callable[[memoryview], object]) -> None:
    """Hand the bytes of `extent` to `write`, block by block; each stays as it is for BUFFERS - 1 more calls."""
    buffers = [memoryview(bytearray(BLOCK)) for _number in range(min(BUFFERS, -(-extent.size // BLOCK)))]
    left = extent.size
    with reading(name):
        file.seek(extent.offset)
    while left:
        buffers.append(buffers.pop(0))
        with reading(name):
            count: int = file.readinto(buffers[0][:left])  # type: ignore[attr-defined]  # BinaryIO is too narrow
        if not count:
            raise IsoError(f"{name} became shorter while it was read. {AGAIN}")
        write(buffers[0][:count])
        left -= count


def checksum(name: str, extent: Extent | None = None) -> str:
    """SHA-256, in hex, of the file `name` or of a part of it."""
    digest = hashlib.sha256()
    with reading(name), open(name, "rb") as file:
        copy(file, name, extent or Extent(0, os.fstat(file.fileno()).st_size), digest.update)
    return digest.hexdigest()


class _Guard(io.RawIOBase):
    """A file as pycdlib sees it: a damaged directory makes it neither work without end nor fill the memory."""

    mode = "rb"

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._inner = file
        self._total = self._reads = self._records = 0
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        self._total += size
        self._reads += 1
        if size < 0 or size > MAX_READ or self._total > MAX_TOTAL or self._reads > 2 * MAX_RECORDS:
            raise _DamagedError(ENDLESS)
        self.last = self._inner.read(size)
        self._records += _count_records(self.last)
        if self._records > MAX_RECORDS:
            raise _DamagedError(ENDLESS)
        return self.last

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()


def _count_records(data: bytes) -> int:
    """How many records of a folder these bytes are, if they are a folder's (ECMA-119, 9.1)."""
    count = position = 0
    while position < len(data):
        if data[position]:
            position += data[position]
            count += 1
        else:  # the rest of this sector is empty
            position = (position // SECTOR + 1) * SECTOR
    return count


@contextlib.contextmanager
def _limited_computing() -> Iterator[None]:
    """Break off what computes for more than MAX_CPU seconds, however long it waits for a disk.

    pycdlib has loops that read nothing and take the square of what was read, each version others.
    """

    def stop(number: int, frame: object) -> None:
        raise _DamagedError(ENDLESS)

    if threading.current_thread() is not threading.main_thread():  # only there signals can be caught
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_CPU)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _rock_ridge_name(record: Any) -> str:
    if record.rock_ridge is None:
        return _plain_name(record)
    return str(record.rock_ridge.name().decode("utf-8", "surrogateescape"))


def _joliet_name(record: Any) -> str:
    return str(record.file_identifier().decode("utf-16-be", "surrogatepass")).partition(";")[0]


def _udf_name(record: Any) -> str:
    wide = "utf-16" in record.file_ident.encoding
    return str(record.file_ident.fi.decode(record.file_ident.encoding, "surrogatepass" if wide else "strict"))


def _plain_name(record: Any) -> str:
    """`VMLINUZ.;1` is VMLINUZ: without the version, and without the dot of an empty extension."""
    return str(record.file_identifier().decode("latin-1")).partition(";")[0].rstrip(".").upper()


def _spelt(tree: _Tree, record: Any, name: str) -> str:
    """The name by which pycdlib, which takes it for UTF-8, finds a folder again."""
    return str(record.file_identifier().decode("utf-8")) if tree.keyword == "iso_path" else name


def _is_dots(record: Any) -> bool:
    return bool(record.is_dot() or record.is_dotdot())


def _is_link(tree: _Tree, record: Any) -> bool:
    return tree.keyword != "udf_path" and bool(record.is_symlink())  # pycdlib does not read UDF's own


def _exact(name: str) -> list[str]:
    return [name]


def _plain_spellings(name: str) -> list[str]:
    """How plain ISO 9660 may spell a name: in capitals, with `_` for what it has not, cut to 8.3."""
    upper = name.upper()
    stem, dot, extension = upper.rpartition(".") if "." in upper[1:] else (upper, "", "")
    stem = "".join(char if char.isalnum() and char.isascii() else "_" for char in stem)
    extension = "".join(char if char.isalnum() and char.isascii() else "_" for char in extension)
    return [upper, stem + dot + extension, stem[:8] + dot + extension[:3]]


def _listed(names: dict[str, Any]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - MAX_NAMES} more" if len(listed) > MAX_NAMES else ""
    return (", ".join(listed[:MAX_NAMES]) + more) if listed else "no files"
