# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Serve a kernel as it is when it runs: one that is a gzip file is unpacked.

Ubuntu's arm64 kernels are signed and then compressed (Launchpad 2098111). What shim is asked about differs: Debian's
GRUB has it judge the compressed file, in which nobody's signature is, Ubuntu's the kernel in it (its patch "Move
verifiers after decompressors"). A kernel that is served unpacked is the same bytes to both, and to `efi_loaders`.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import BinaryIO, Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import AGAIN, BLOCK, Extent
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import write_file
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import pe

GZIP = b"\x1f\x8b"  # how such a file begins (RFC 1952)
WITH_HEADER = 31  # wbits of zlib for it
MAX_UNPACKED = 256 << 20  # bytes; Ubuntu's for arm64 have some 60 MB
MAX_READ = 96 << 20  # bytes of a kernel that is held in memory, to find who signed it


def size(file: BinaryIO, extent: Extent, name: str) -> int:
    """Size in bytes of the kernel at that place of a file when it is served."""
    if not _is_packed(file, extent):
        return extent.size
    return sum(len(block) for block in _unpacked(file, extent, name))


def unpack(path: str, name: str) -> dict[str, object]:
    """Unpack the kernel in a file, if it is packed; return what then changes of its record: its size and SHA-256."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        whole = Extent(0, os.fstat(file.fileno()).st_size)
        if not _is_packed(file, whole):
            return {}

        def fill(out: BinaryIO) -> None:
            for block in _unpacked(file, whole, name):
                digest.update(block)
                out.write(block)

        write_file(path, fill)
    return {"size": os.stat(path).st_size, "sha256": digest.hexdigest()}


def signers(path: str) -> list[str]:
    """The authorities of a kernel's signatures, by common name, one a signature; read, not verified."""
    if os.stat(path).st_size > MAX_READ:
        return []
    with open(path, "rb") as file:
        try:
            return list(pe.signers(pe.read(file.read())))
        except pe.PeError:
            return []


def _is_packed(file: BinaryIO, extent: Extent) -> bool:
    file.seek(extent.offset)
    return file.read(min(len(GZIP), extent.size)) == GZIP


def _unpacked(file: BinaryIO, extent: Extent, name: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj(WITH_HEADER)
    total = 0
    try:
        for packed in _blocks(file, extent):
            rest = packed
            while rest and not inflate.eof:
                block = inflate.decompress(rest, BLOCK)
                rest = inflate.unconsumed_tail
                total += len(block)
                if total > MAX_UNPACKED:
                    raise UserError(f"{name} has more than {MAX_UNPACKED} bytes, unpacked: it is no kernel.")
                yield block
    except zlib.error as error:
        raise UserError(f"{name} cannot be unpacked ({error}). {AGAIN}") from error
    if not inflate.eof:
        raise UserError(f"{name} cannot be unpacked: its end is missing. {AGAIN}")


def _blocks(file: BinaryIO, extent: Extent) -> Iterator[bytes]:
    file.seek(extent.offset)
    left = extent.size
    while left and (block := file.read(min(BLOCK, left))):
        left -= len(block)
        yield block
