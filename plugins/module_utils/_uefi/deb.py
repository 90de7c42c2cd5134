# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Read one file out of a Debian package, without dpkg. Format: deb(5), ar as there, tar.

The names of packages in a pool are NAME_VERSION_ARCHITECTURE.deb.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import io
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from typing import Any, BinaryIO, Callable, Iterator, Sequence, cast

try:
    zstandard: Any = importlib.import_module("zstandard")
except ImportError:
    zstandard = None

MAX_PACKED = 64 << 20  # bytes of the package's data, compressed; a signed GRUB has 3 MB
MAX_UNPACKED = 512 << 20
MAX_FILE = 32 << 20
MAX_SKIPPED = 16  # parts of the package before its data; there is one, control.tar


class DebError(ValueError):
    """The package cannot be read. The text says why; the caller names the package."""


def read(read_at: Callable[[int, int], bytes], size: int, wanted: Sequence[str]) -> dict[str, bytes]:
    """Those of the files `wanted` that the package has, such as usr/lib/shim/shimx64.efi.signed.

    `read_at(offset, count)` gives bytes of the package, which has `size`. Raises DebError.
    """
    name, packed = _data(read_at, size)
    found: dict[str, bytes] = {}
    try:
        with _unpacked(name, packed) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for entry in tar:
                path = entry.name[2:] if entry.name.startswith("./") else entry.name
                if path not in wanted or not entry.isfile():
                    continue
                if entry.size > MAX_FILE:
                    raise DebError(f"{path} in it has {entry.size} bytes")
                found[path] = cast(BinaryIO, tar.extractfile(entry)).read()
                if len(found) == len(wanted):
                    break
    except DebError:
        raise
    except (
        tarfile.TarError,
        lzma.LZMAError,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        MemoryError,
    ) as error:
        raise DebError(f"it is damaged ({error})") from error
    return found


def _data(read_at: Callable[[int, int], bytes], size: int) -> tuple[str, bytes]:
    """Name and content of the part that has the files: data.tar with an ending."""
    if read_at(0, 8) != b"!<arch>\n":
        raise DebError("it is no Debian package")
    at = 8
    for _number in range(MAX_SKIPPED):
        header = read_at(at, 60) if at + 60 <= size else b""
        length = header[48:58].strip()
        if header[58:] != b"`\n" or not length.isdigit() or at + 60 + int(length) > size:
            break
        name = header[:16].decode("latin-1").strip().rstrip("/")
        if name.startswith("data.tar"):
            if int(length) > MAX_PACKED:
                raise DebError(f"its data have {int(length)} bytes")
            return name, read_at(at + 60, int(length))
        at += 60 + int(length) + int(length) % 2
    raise DebError("it is damaged (no data.tar in it)")


@contextlib.contextmanager
def _unpacked(name: str, packed: bytes) -> Iterator[BinaryIO]:
    """The tar archive, decompressed while it is read."""
    source = io.BytesIO(packed)
    if name == "data.tar":
        yield _bounded(source)
    elif name == "data.tar.xz":
        with lzma.open(source) as stream:
            yield _bounded(stream)
    elif name == "data.tar.gz":
        with gzip.open(source) as stream:
            yield _bounded(stream)
    elif name == "data.tar.zst" and zstandard is not None:
        try:
            with zstandard.ZstdDecompressor().stream_reader(source) as stream:
                yield _bounded(stream)
        except zstandard.ZstdError as error:
            raise DebError(f"it is damaged ({error})") from error
    elif name == "data.tar.zst":
        with _program("zstd", packed) as stream:
            yield _bounded(stream)
    else:
        raise DebError(f"it is compressed in an unknown way ({name})")


@contextlib.contextmanager
def _program(name: str, packed: bytes) -> Iterator[BinaryIO]:
    if not shutil.which(name):
        raise DebError(f"it is compressed with {name}, which is not installed: apt install {name}")
    with tempfile.TemporaryFile() as file:
        file.write(packed)
        file.seek(0)
        with subprocess.Popen(
            [name, "-dcq"], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield cast(BinaryIO, process.stdout)
            finally:
                process.kill()  # it may have more than anybody reads


class _Bounded(io.RawIOBase):
    """A stream that ends with an error when it is longer than any package's."""

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__()
        self._inner = inner
        self._left = MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self._left -= size
        if size < 0 or self._left < 0:
            raise DebError(f"it has more than {MAX_UNPACKED} bytes of files")
        return self._inner.read(size)


def _bounded(inner: object) -> BinaryIO:
    return cast(BinaryIO, _Bounded(cast(BinaryIO, inner)))


def newest(paths: Sequence[str]) -> str:
    """That of the packages whose version, in its name, is the highest in Debian's order."""
    return max(paths, key=lambda path: version_key(os.path.basename(path).split("_")[1]))


def version_key(version: str) -> list[tuple[list[int], int]]:
    """What orders versions as deb-version(7) does: letters before other signs, `~` before the end."""
    return [
        ([_weight(char) for char in text] + [0], int(digits or 0))
        for text, digits in re.findall(r"(\D*)(\d*)", version)
    ]


def _weight(char: str) -> int:
    return -1 if char == "~" else ord(char) if char.isalpha() else ord(char) + 256
