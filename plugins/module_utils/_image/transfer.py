# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Bring an ISO over the network, in as many goes as it takes: what has come is kept, and taken up again.

    ROOT/.partial/KEY        what has come of an ISO; its name is made of address and checksum, and tells neither
    ROOT/.partial/KEY.json   of which state of the file that is: its size, and what the web server calls that state

The HTTP is Ansible's own (open_url). What is asked for is decided in `Partial`: the rest of a file (Range) if it is
still the same one (If-Range), else all of it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import ssl
import time
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Iterable, Mapping

from ansible_collections.homelab.netboot.plugins.module_utils._destination import check_folder
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import fetch
from ansible_collections.homelab.netboot.plugins.module_utils._image.progress import FOLDER, Told, parts
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import write_file

FIRST_TRIES = 3  # of an address that has given nothing yet: it may be a wrong one
LONGEST = 30  # seconds between two tries
MAX_CHANGES = 3  # of the file at the address; after that, only coming further than ever is coming further
PART, BAD_RANGE = 206, 416  # statuses of HTTP, RFC 9110
# Others of 400 to 499 say that this will not be given; these that it may be later.
LATER = (408, 425, 429)
REFUSED = range(400, 500)
_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-\d+|\*)/(?P<size>\d+|\*)")


@dataclass(frozen=True)
class Loader:
    """How ISOs are brought."""

    opener: Callable[[str, Mapping[str, str]], fetch.Response]
    """Opens an address with these headers. Raises any exception; one of HTTP has its status as `code`."""
    patience: float = 300
    """How many seconds a download may come no further."""
    tell: Callable[[Told], object] = lambda told: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Job:
    """One ISO: the image's name, its address, and algorithm and digest that it is to have."""

    image: str
    url: str
    expected: tuple[str, str] | None

    @property
    def key(self) -> str:
        """Name of its partial file."""
        whole = "\n".join([self.url, *(self.expected or ())])
        return hashlib.sha256(whole.encode()).hexdigest()[:32]


class AgainError(Exception):
    """It broke off, and may go on."""


class Partial:
    """What has come of a file, on the disk, with its digests so far."""

    def __init__(self, root: str, job: Job, algorithms: Iterable[str]) -> None:
        """Open it, or make it. What an earlier run has left counts from `take_up` on."""
        self.folder = os.path.join(root, FOLDER)
        self.path = os.path.join(self.folder, job.key)
        self.algorithms = list(dict.fromkeys(algorithms))
        self.have = self.most = 0  # bytes now, and at most so far
        self.before = 0  # of those that are here: what an earlier run had brought
        self.joined = (
            False  # what is here came in parts: so the joint may be wrong, and all is worth a second try
        )
        self.changes = 0
        self.size, self.state = _read_note(self.path)
        self.whole_only = False  # the server gave no part of it
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self.file: BinaryIO = os.fdopen(handle, "r+b", buffering=0)
        self.sums = {name: hashlib.new(name) for name in self.algorithms}

    def take_up(self) -> None:
        """Read what an earlier run has left, for the digests."""
        for block in iter(lambda: self.file.read(fetch.BLOCK), b""):
            self._count(block)
        self.before = self.most = self.have
        self.joined = bool(self.have)

    def headers(self) -> dict[str, str]:
        """Ask for what is missing."""
        asked = {"Accept-Encoding": "identity"}
        if self.have:
            asked["Range"] = f"bytes={self.have}-"
            if self.state:
                asked["If-Range"] = self.state
        return asked

    def agree(self, status: int, headers: Any) -> None:
        """Get ready for what the server begins to send. AgainError when that does not fit what is here."""
        if self.have and status == PART:
            found = _RANGE.match(str(headers.get("Content-Range") or ""))
            size = int(found["size"]) if found and found["size"].isdigit() else self.size
            if not found or found["start"] != str(self.have) or (self.size and size != self.size):
                self.clear()
                raise AgainError("the web server sent another part than the one asked for")
            self.size, self.joined = size, True
            return
        length = str(headers.get("Content-Length") or "")
        size, state = int(length) if length.isdigit() else 0, _state(headers)
        self.whole_only = bool(self.have) and (size, state) == (self.size, self.state)
        self.clear(again=self.whole_only)
        self.size, self.state = size, state
        write_file(self.path + ".json", json.dumps({"size": size, "state": state}).encode(), _only_owner)

    def is_all(self, headers: Any) -> bool:
        """Whether all is here already, when the server says that there is nothing behind it; else begin anew."""
        found = _RANGE.match(str(headers.get("Content-Range") or ""))
        if found and found["size"] == str(self.have):
            return True
        self.clear()
        return False

    def add(self, block: bytes) -> bool:
        """Keep what came; tell whether that is further than ever. UserError when the disk does not take it."""
        try:
            left = memoryview(block)
            while left:
                left = left[self.file.write(left) :]
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                self.forget()  # a full disk keeps the server from noting what machines do
            raise UserError(f"{self.path}: {error.strerror}. Make room, or correct its mode.") from error
        self._count(block)
        further = self.have > self.most
        self.most = max(self.most, self.have)
        return further

    def _count(self, block: bytes) -> None:
        self.have += len(block)
        for one in self.sums.values():
            one.update(block)

    def clear(self, again: bool = False) -> None:
        """Begin anew, with the same file (`again`) or with another."""
        self.file.seek(0)
        self.file.truncate()
        self.sums = {name: hashlib.new(name) for name in self.algorithms}
        self.have = self.before = 0
        self.joined = False
        if not again:
            self.size, self.state = 0, ""
            self.changes += bool(self.most)
            self.most = 0 if self.changes <= MAX_CHANGES else self.most

    def keep(self) -> None:
        """Put it on the disk: a power cut must not leave a verified name on half a file."""
        os.fsync(self.file.fileno())

    def forget(self) -> None:
        """Remove it, if it is still there."""
        for path in (self.path, self.path + ".json"):
            with contextlib.suppress(OSError):
                os.unlink(path)


def load(loader: Loader, root: str, job: Job, place: str, algorithms: Iterable[str]) -> dict[str, str]:
    """Bring the ISO to the new file `place`, on the disk of `root`; return its digests in hex, by algorithm.

    Raises UserError, the text beginning with the address. What has come by then is kept for the next run, unless the
    disk is full. Of a file that came in parts and has the wrong digest, all is fetched once more.
    """
    partial = Partial(root, job, algorithms)
    try:
        transfer = _Transfer(loader, root, job, partial)
        sums = transfer.run()
        wrong = job.expected and sums[job.expected[0]] != job.expected[1]
        if wrong and partial.joined:
            partial.clear()
            sums = transfer.run()
        os.rename(partial.path, place)
        partial.forget()
        return sums
    finally:
        partial.file.close()
        if not partial.have:
            partial.forget()
        with contextlib.suppress(OSError):  # others are in it
            os.rmdir(partial.folder)


class _Transfer:
    """One file that comes: goes, pauses, and when it is given up."""

    def __init__(self, loader: Loader, root: str, job: Job, partial: Partial) -> None:
        self.loader, self.root, self.job, self.partial = loader, root, job, partial
        self.source = fetch.shown(job.url)
        self.begun = self.further = loader.clock()
        self.came = False  # anything, in this run
        self.tries = 0  # without coming further
        partial.take_up()

    def run(self) -> dict[str, str]:
        """Go until all is here; return the digests."""
        self.further = self.loader.clock()
        while True:
            try:
                self._go()
            except AgainError as error:
                self._pause(str(error))
            else:
                self.partial.keep()
                return {name: one.hexdigest() for name, one in self.partial.sums.items()}

    def _pause(self, why: str) -> None:
        partial, patience = self.partial, self.loader.patience
        self.tries += 1
        seconds = min(2.0 ** (self.tries - 1), LONGEST)
        idle = self.loader.clock() - self.further
        if (not self.came and self.tries >= FIRST_TRIES) or idle + seconds > patience:
            raise UserError(self._given_up(why))
        broken = f"broken off at {parts(partial.have, partial.size)}" if partial.have else "no answer"
        self._tell(f"{broken} ({why}); next try in {seconds:.0f} s")
        self.loader.sleep(seconds)

    def _given_up(self, why: str) -> str:
        partial = self.partial
        if not partial.have:
            return f"{self.source} cannot be downloaded ({why}). {fetch.MOVED}"
        told = f"{self.source} is broken off at {parts(partial.have, partial.size)} ({why})."
        if partial.whole_only:
            return f"{told} That web server sends whole files only, so that the next run begins anew."
        return f"{told} What has come is kept: run this again, and it goes on there."

    def _go(self) -> None:
        """Ask once, and take what comes. AgainError when that was not all."""
        partial = self.partial
        try:
            response = self.loader.opener(self.job.url, partial.headers())
        except Exception as error:
            if getattr(error, "code", None) == BAD_RANGE and partial.have:
                if partial.is_all(getattr(error, "headers", {})):
                    return
                raise AgainError("the file there has changed") from error
            if _for_good(error):
                raise UserError(
                    f"{self.source} cannot be downloaded ({_why(error)}). {fetch.MOVED}"
                ) from error
            raise AgainError(_why(error)) from error
        try:
            status = getattr(response, "status", None) or getattr(response, "code", None) or 0
            partial.agree(status, response.headers)
            check_folder(partial.folder, max(partial.size - partial.have, 0))
            self._tell()
            self._pour(response)
        finally:
            with contextlib.suppress(Exception):
                response.close()

    def _pour(self, response: fetch.Response) -> None:
        partial = self.partial
        read = getattr(response, "read1", response.read)  # what is there, without waiting for a whole block
        while not partial.size or partial.have < partial.size:
            left = partial.size - partial.have if partial.size else fetch.BLOCK
            try:
                block = read(min(left, fetch.BLOCK))
            except Exception as error:
                raise AgainError(_why(error)) from error
            if not block:
                break
            if partial.add(block):
                self.came, self.tries, self.further = True, 0, self.loader.clock()
            self._tell()
        if partial.have < partial.size:
            raise AgainError("the web server ended the connection")

    def _tell(self, trouble: str = "") -> None:
        partial, seconds = self.partial, self.loader.clock() - self.begun
        now = (partial.size, partial.have, partial.before, seconds, trouble)
        self.loader.tell(Told(self.job.image, self.source, *now))


def sweep(root: str, wanted: Iterable[str]) -> None:
    """Remove what has come of ISOs that nobody asks for any more. `wanted`: keys of those that are."""
    folder = os.path.join(root, FOLDER)
    kept = {name for key in wanted for name in (key, key + ".json")}
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(folder):
            if name in kept:
                continue
            path = os.path.join(folder, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
        with contextlib.suppress(OSError):  # what is wanted is in it
            os.rmdir(folder)


def _why(error: Exception) -> str:
    return fetch.shown(str(error)) or type(error).__name__


def _read_note(path: str) -> tuple[int, str]:
    try:
        with open(path + ".json", encoding="utf-8") as file:
            note = json.load(file)
        return int(note["size"]), str(note["state"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return 0, ""


def _only_owner(path: str) -> None:
    os.chmod(path, 0o600)


def _state(headers: Any) -> str:
    """Return what If-Range may name: a strong ETag, else the time of the last change."""
    tag = str(headers.get("ETag") or "")
    return tag if tag.startswith('"') else str(headers.get("Last-Modified") or "")


def _for_good(error: Exception) -> bool:
    """Whether asking again is of no use."""
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return code in REFUSED and code not in LATER
    reason = getattr(error, "reason", None)
    return isinstance(error, ValueError) or isinstance(reason, ssl.SSLCertVerificationError)
