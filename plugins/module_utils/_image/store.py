# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The folder of one image, with its versions side by side: what is kept, which one is in use.

    IMAGE/VERSION/{IMAGE.iso,vmlinuz,initrd,manifest.json}
    IMAGE/current -> VERSION

A version's name comes from the ISO's own SHA-256: a folder with that name never changes, and kernel, initrd and ISO
that are fetched from one folder are always of one ISO. casper refuses to start when they are not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._destination import stamp
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import fetch, manifest
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import (
    remove_leftovers,
    sync,
    write_file,
    write_link,
)

RECORD = manifest.NAME
CURRENT = "current"
DIGITS = 12  # of the digest, in a version's name
STAGING = ".new-"  # beside the images; nginx serves no name that begins with a dot


@dataclass
class Version:
    """One complete version. `files`: name → size, stamp, SHA-256, and its path in the ISO ("" for the ISO)."""

    name: str
    digest: str  # SHA-256 of the ISO; of the whole one, when the one here was made of it
    checksum: str  # as the user wrote it, when it was asked for last
    origin: str  # address or path that was asked for then
    origin_stamp: list[int] | None
    release: str
    codename: str
    arch: str
    flavour: str
    files: dict[str, dict[str, Any]]
    used: float = field(default_factory=time.time)  # when it became the one in use, in seconds since 1970
    source: str = ""  # address or path that it was fetched from
    compared: str = (
        ""  # the checksum, or the list of checksums, that it was compared with; empty when there was none
    )
    fetched: str = ""  # when, as ISO 8601 has it
    verified: str = ""  # when all its files were read last, and were what they are to be
    signed: str = ""  # who signed the list of checksums
    # size and SHA-256 of the whole ISO, when the one here is a smaller one that was made of it; else empty
    reduced_from: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, bool]:
        """What tells versions of one ISO apart: which kernel, and whether the ISO is a smaller one."""
        return self.flavour, bool(self.reduced_from)


class Store:
    """The versions of the image `name` below the folder of all images, `root`."""

    def __init__(self, root: str, name: str, check: bool = False) -> None:
        """With `check`, nothing is written by looking."""
        self.check = check
        self.root = root
        self.name = name
        self.folder = os.path.join(root, name)
        self.iso_name = f"{name}.iso"

    def path(self, version: str, file: str = "") -> str:
        """Where a version is, or a file of it."""
        return os.path.join(self.folder, version, file) if file else os.path.join(self.folder, version)

    def current(self) -> str:
        """Name of the version in use; empty when there is none."""
        try:
            return os.readlink(os.path.join(self.folder, CURRENT))
        except OSError:
            return ""

    def versions(self) -> list[Version]:
        """Return the versions that are complete and unchanged, the one that was in use last first."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        found = [version for version in map(self._load, names) if version]
        return sorted(found, key=lambda version: (version.name == self.current(), version.used), reverse=True)

    def _load(self, name: str) -> Version | None:
        version = self.recorded(name)
        try:
            return version if version and self._whole(version) else None
        except (OSError, TypeError, LookupError, AttributeError):
            return None

    def recorded(self, name: str) -> Version | None:
        """What the manifest in a folder says; None when there is none, or when it is of another version."""
        try:
            with open(self.path(name, RECORD), encoding="utf-8") as file:
                version = Version(**manifest.fields(file.read()))
            if os.path.islink(self.path(name)) or not isinstance(version.files, dict):
                return None
            return version if version.name == name and str(version.digest)[:DIGITS] == name[:DIGITS] else None
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None

    def names(self) -> set[str]:
        """Names of the files of a version, besides its manifest."""
        return {self.iso_name, "vmlinuz", "initrd"}

    def _whole(self, version: Version) -> bool:
        """Compare each file with what it was; only where its times or size are others, read it."""
        if set(version.files) != self.names():
            return False
        read = 0
        for name, known in version.files.items():
            now = stamp(os.lstat(self.path(version.name, name)))
            if now == known["stamp"]:
                continue
            digest = fetch.digests(self.path(version.name, name), ["sha256"])["sha256"]
            if now[0] != known["size"] or digest != known["sha256"]:
                return False
            known["stamp"] = now
            read += 1
        if read == len(version.files):
            version.verified = manifest.now()
        if read and not self.check:
            with contextlib.suppress(OSError):  # it saves time only
                self.write_record(version)
        return True

    def write_record(self, version: Version, folder: str | None = None) -> None:
        """Note what a version is, in its folder."""
        path = os.path.join(folder or self.path(version.name), RECORD)
        text = manifest.text(self.name, asdict(version))
        write_file(path, text.encode(), lambda temporary: os.chmod(temporary, 0o644))

    def damaged(self) -> list[str]:
        """Names of versions that are not what their record says, or have none that can be read."""
        good = {version.name for version in self.versions()}
        with os.scandir(self.folder) as entries:
            folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        return [name for name in folders if name not in good and os.path.lexists(self.path(name, RECORD))]

    def link_iso(self, version: Version, place: str) -> None:
        """Give the ISO of a version a second name; it then has other times."""
        path = self.path(version.name, self.iso_name)
        os.link(path, place)
        version.files[self.iso_name]["stamp"] = stamp(os.lstat(path))
        self.write_record(version)

    def stage(self) -> str:
        """Make the folder in which a version is put together; nobody else can read it."""
        os.makedirs(self.root, exist_ok=True)
        return tempfile.mkdtemp(prefix=f"{STAGING}{self.name}-", dir=self.root)

    def publish(self, staged: str, version: Version) -> None:
        """Give a complete folder its name. One of that name that is there is damaged, and goes."""
        os.makedirs(self.folder, exist_ok=True)
        for name in version.files:
            os.chmod(os.path.join(staged, name), 0o644)
        for name, known in version.files.items():
            known["stamp"] = stamp(os.lstat(os.path.join(staged, name)))
        self.write_record(version, staged)
        os.chmod(staged, 0o755)  # noqa: S103 - the web and TFTP servers read it
        self.remove(version.name)
        os.rename(staged, self.path(version.name))
        sync([self.folder])

    def use(self, version: Version) -> None:
        """Make a version the one in use, by one rename."""
        version.used = time.time()
        self.write_record(version)
        if self.current() == version.name:
            return
        write_link(os.path.join(self.folder, CURRENT), version.name)

    def remove(self, name: str) -> None:
        """Take a version away: its name first, so that nobody finds half of it."""
        if not os.path.lexists(self.path(name)):
            return
        grave = tempfile.mkdtemp(prefix=f"{STAGING}{self.name}-", dir=self.root)
        os.rename(self.path(name), os.path.join(grave, name))
        shutil.rmtree(grave)


@contextlib.contextmanager
def locked(root: str, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold the folder of all images; UserError when another run does. The system lets go when a run is killed.

    With LOCK_SH for those who only read: they do not mind each other, and make no folder.
    """
    if kind == fcntl.LOCK_EX:
        os.makedirs(root, exist_ok=True)
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UserError(f"another run is at work in {root}: wait for its end, then run this again") from error
    finally:
        os.close(handle)


def sweep(root: str) -> None:
    """Remove what a run that was killed has left."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(root):
            if name.startswith(STAGING):
                shutil.rmtree(os.path.join(root, name), ignore_errors=True)
            else:
                remove_leftovers(os.path.join(root, name), below=True)
