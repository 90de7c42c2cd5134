# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Bring a large file to its place and take its checksums on the way, so that it is read once."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Any, BinaryIO, Callable, Iterable, Protocol
from urllib.parse import unquote, urlsplit

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError

BLOCK = 1 << 20  # bytes read at once
MOVED = (
    "Correct url and checksum (point releases move to old-releases.ubuntu.com when they age), "
    "or see whether the server reaches that address."
)
MAX_LIST = 1 << 20  # bytes of a list of checksums; Ubuntu's have 2 kB

_USER = re.compile(r"//[^/?#\s]*@")  # to the last one: a password may have an @
# "DIGEST *name" and "DIGEST  name" of sha256sum, "SHA256 (name) = DIGEST" of the BSDs
_GNU = re.compile(r"(?P<digest>[0-9a-fA-F]{64,128})\s+\*?(?:\./)?(?P<name>\S.*)")
_BSD = re.compile(r"\w+ \((?P<name>.+)\) = (?P<digest>[0-9a-fA-F]{64,128})")


class Response(Protocol):
    """What an address answers: a file to read from, with headers."""

    headers: Any

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; none at the end."""

    def close(self) -> None:
        """End it."""


Open = Callable[[str], Response]
"""Opens an address. Raises any exception, whose text says why it cannot."""


def shown(address: str) -> str:
    """Write an address for people: without a user's name and password in it."""
    return _USER.sub("//", address)


def listed(opener: Open, address: str, url: str) -> str:
    """Look up the digest of the file that `url` names in the list of checksums at `address`.

    Raises UserError when the list cannot be fetched or does not have it.
    """
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    try:
        response = opener(address)
        try:
            text = response.read(MAX_LIST).decode("utf-8", "replace")
        finally:
            response.close()
    except Exception as error:
        raise UserError(
            f"the list of checksums {shown(address)} cannot be fetched ({_why(error)}). {MOVED}"
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        match = _GNU.fullmatch(line) or _BSD.fullmatch(line)
        if match and match["name"] == name:
            return match["digest"].lower()
    raise UserError(f"the list of checksums {shown(address)} has no line for {name}. {MOVED}")


def copy(source: str, place: str, algorithms: Iterable[str]) -> dict[str, str]:
    """Write a file of this host to the new file `place`; return its digests in hex, by algorithm."""
    try:
        with open(source, "rb") as file, open(place, "xb") as out:
            return _pour(file.read, out, algorithms)
    except OSError as error:
        raise UserError(f"{source} cannot be copied ({error.strerror}).") from error


def digests(path: str, algorithms: Iterable[str]) -> dict[str, str]:
    """Digests of a file, in hex, by algorithm."""
    try:
        with open(path, "rb") as file:
            return _pour(file.read, None, algorithms)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error


def _pour(read: Callable[[int], bytes], out: BinaryIO | None, algorithms: Iterable[str]) -> dict[str, str]:
    sums = {name: hashlib.new(name) for name in dict.fromkeys(algorithms)}
    while True:
        block = read(BLOCK)
        if not block:
            if out is not None:
                out.flush()
                os.fsync(out.fileno())  # a power cut must not leave a verified name on half a file
            return {name: one.hexdigest() for name, one in sums.items()}
        for one in sums.values():
            one.update(block)
        if out is not None:
            out.write(block)


def _why(error: Exception) -> str:
    return shown(str(error)) or type(error).__name__
