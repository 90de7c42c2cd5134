# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Read files out of a Debian package, with dpkg-deb, which every server has.

The names of packages in a pool are NAME_VERSION_ARCHITECTURE.deb.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from typing import BinaryIO, Sequence, cast

MAX_PACKED = 32 << 20  # bytes of a package; a signed GRUB has 3 MB
MAX_UNPACKED = 96 << 20  # bytes of its files that are looked at; a signed GRUB has 10 MB
MAX_FILE = 16 << 20
# dpkg-deb unpacks 20 MB a second and more; a dictionary of xz -9 has 64 MB.
LIMITS = ("--cpu=5", f"--as={192 << 20}")
RECORD = 512  # bytes; POSIX.1-2017, pax, "ustar Interchange Format"
SKIPPED = 1 << 20


class DebError(ValueError):
    """The package cannot be read. The text says why; the caller names the package."""


def read(package: str, wanted: Sequence[str]) -> dict[str, bytes]:
    """Those of the files `wanted` that the package has, such as usr/lib/shim/shimx64.efi.signed.

    `package` is its path. Raises DebError.
    """
    if os.path.getsize(package) > MAX_PACKED:
        raise DebError(f"it has more than {MAX_PACKED} bytes")
    command = ["prlimit", *LIMITS, "dpkg-deb", "--fsys-tarfile", package]
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=said, env={**os.environ, "DPKG_DEB_THREADS_MAX": "1"}
            )
        except OSError as error:
            raise DebError(f"prlimit and dpkg-deb are needed to unpack it: {error.strerror}") from error
        with process:
            try:
                return _files(cast(BinaryIO, process.stdout), wanted)
            except _CutError as error:
                process.wait()
                said.seek(0)
                why = said.read(SKIPPED).decode("utf-8", "replace").replace(package, "it").splitlines()
                raise DebError(f"it cannot be unpacked ({why[-1] if why else 'it is cut off'})") from error
            finally:
                process.kill()  # it may have more than anybody reads


class _CutError(Exception):
    """The archive ends too early."""


def _files(tar: BinaryIO, wanted: Sequence[str]) -> dict[str, bytes]:
    """Read an archive as far as needed. Its names are short, so that none of its forms for long ones matters."""
    found: dict[str, bytes] = {}
    left = MAX_UNPACKED
    while len(found) < len(wanted):
        header = _exactly(tar, RECORD)
        if not any(header):
            break
        name = header[:100].partition(b"\0")[0].decode("utf-8", "replace")
        digits = header[124:136].strip(b" \0")
        if digits.strip(b"01234567"):
            raise DebError("it is damaged (no tar archive in it)")
        size = int(digits or b"0", 8)
        path = name[2:] if name.startswith("./") else name
        padded = -(-size // RECORD) * RECORD
        left -= RECORD + padded
        if left < 0:
            raise DebError(f"it has more than {MAX_UNPACKED} bytes of files")
        if path in wanted and header[156:157] in b"0\0":
            if size > MAX_FILE:
                raise DebError(f"{path} in it has {size} bytes")
            found[path] = _exactly(tar, padded)[:size]
        else:
            for start in range(0, padded, SKIPPED):
                _exactly(tar, min(SKIPPED, padded - start))
    return found


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise _CutError
    return data


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
