# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Choose a shim and a GRUB that start given kernels under Secure Boot: `decide` makes a plan, `act` writes them.

shim starts what a certificate in it has signed: GRUB, and the kernels that GRUB asks it about. sbverify(1) says
whether that is so.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import os
import subprocess
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO, Callable, Iterable, Sequence, TypeVar

from ansible_collections.homelab.netboot.plugins.module_utils._destination import (
    check_folder,
    check_place,
    holds,
    load,
    make_folders,
    making_folders,
    old_size,
    save,
    stamp,
)
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import Extent, Image, copy
from ansible_collections.homelab.netboot.plugins.module_utils._program.files import Batch
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import deb, pe
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import (
    DEBIAN_ARCHS,
    GRUB_FILES,
    MANIFEST,
    PAIRS,
    SHIM_ENDINGS,
    SHIM_FILES,
)

In = TypeVar("In")
Out = TypeVar("Out")

MAX_FILE = 256 << 20  # bytes of a loader or kernel
GZIP = b"\x1f\x8b"  # how such a file begins (RFC 1952)
TIMEOUT = 60  # seconds for one run of sbverify, which takes milliseconds


class _UnfitError(Exception):
    """The candidate cannot be used; the text says why."""


class NoVerifierError(Exception):
    """A signature is to be verified, and sbverify is not installed."""


@dataclass(frozen=True)
class Candidate:
    """Where a pair may come from: two files, or an image with the packages in its pool."""

    name: str
    shim: str | None = None
    grub: str | None = None
    iso: str | None = None


@dataclass
class Loader:
    """One of the two files. `before` is what is there now: size in bytes, SHA-256, version; None when nothing is."""

    name: str
    path: str
    content: bytes
    version: str | None
    changed: bool = True
    before: tuple[int, str, str | None] | None = None

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class PairChoice:
    """What is to be done: everything that check mode, diff and `act` need to know. No `source`: nothing."""

    dest: str
    source: str | None = None
    iso: tuple[str, list[int]] | None = None  # the image's path and stamp
    vendor: str | None = None
    loaders: list[Loader] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Judge:
    """Decides about pairs. `sbverify` is that program's path, `folder` one for what it shall read, ours alone.

    What can be told without sbverify is told without it; then NoVerifierError.
    """

    arch: str
    minimum: str
    kernels: Sequence[str]
    sbverify: str | None
    folder: str

    def vendor(self, shim_data: bytes, grub_data: bytes) -> str:
        """Whom the shim trusts, when that is who signed GRUB and all kernels. Raises _UnfitError."""
        shim = self._program(shim_data, "its shim")
        grub = self._program(grub_data, "its GRUB")
        trust = _fit("its shim", pe.trust, shim)
        version = pe.sbat(grub).get("grub", (0, ""))[1]
        if not pe.numbers(version):
            raise _UnfitError(f"its GRUB does not say its version (no SBAT): {self.minimum} is needed")
        if pe.numbers(version) < pe.numbers(self.minimum):
            raise _UnfitError(
                f"its GRUB is {version}, and {self.minimum} is needed: "
                "an older one takes no server from the offer of a proxy DHCP server"
            )
        for name, least in pe.sbat_level(shim).items():
            if pe.sbat(grub).get(name, (least, ""))[0] < least:
                raise _UnfitError(
                    f"its shim refuses its GRUB as too old ({name} below SBAT generation {least})"
                )
        vendor = ", ".join(
            pe.common_name(one) or "a certificate without a name" for one in trust.certificates
        )
        if self._says(self._file("shim", shim_data), None) == "damaged":
            raise _UnfitError("its shim is damaged: it is not what its signer signed")
        self._check(self._file("grub", grub_data), "its GRUB", grub, trust, vendor)
        for path in self.kernels:
            data = _kernel(path)
            kernel = self._program(data, path)
            self._check(self._file("kernel", data), path, kernel, trust, vendor)
        return vendor

    def _program(self, data: bytes, what: str) -> pe.Program:
        program = _fit(what, pe.read, data)
        if program.machine != pe.MACHINES[self.arch]:
            raise _UnfitError(
                f"{what} is for another processor than {self.arch} (machine {program.machine:#x})"
            )
        if not program.signed:
            raise _UnfitError(f"{what} is not signed")
        return program

    def _check(self, path: str, what: str, program: pe.Program, trust: pe.Trust, vendor: str) -> None:
        answers = [self._says(path, certificate) for certificate in trust.certificates]
        if "damaged" in answers:
            raise _UnfitError(f"{what} is damaged: it is not what its signer signed")
        if "good" not in answers:
            raise _UnfitError(f"{what} is not signed by {vendor}, the only one whom its shim trusts")
        # sbverify 0.9.4 takes a signature that brings an intermediate certificate for good, whatever it trusts.
        if self._says(path, None) == "good":
            raise _UnfitError(f"{what} has a signature of which sbverify cannot tell whose it is")
        revoked = program.digest in trust.revoked_digests
        if revoked or any(self._says(path, certificate) == "good" for certificate in trust.revoked):
            raise _UnfitError(f"{what} is revoked: its shim refuses it by name. Use a newer one")

    def _says(self, path: str, certificate: bytes | None) -> str:
        """What sbverify says of a file when it trusts that certificate only: good, bad, or damaged."""
        if self.sbverify is None:
            raise NoVerifierError
        command = [self.sbverify, path]
        if certificate is not None:
            text = base64.encodebytes(certificate).decode()
            pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
            command[1:1] = ["--cert", self._file("certificate", pem.encode())]
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise _UnfitError(f"sbverify cannot judge it: {error}") from error
        if done.returncode == 0:
            return "good"
        return "damaged" if b"fails hash check" in done.stdout else "bad"

    def _file(self, name: str, data: bytes) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path


def decide(dest: str, candidates: Sequence[Candidate], judge: Judge) -> PairChoice:
    """Find the first candidate that fits, and compare it with what is in `dest`; write nothing there.

    Raises UserError for all that can be foreseen to fail when it is written.
    """
    plan = PairChoice(dest)
    for candidate in candidates:
        try:
            shim, grub, iso = _pair(candidate, dest, judge.arch)
            plan.vendor = judge.vendor(shim, grub)
        except (_UnfitError, UserError) as error:
            plan.rejected.append({"name": candidate.name, "reason": str(error).rstrip(".")})
            continue
        plan.source, plan.iso = candidate.name, iso
        plan.loaders = [_loader(dest, name, data) for name, data in zip(PAIRS[judge.arch], (shim, grub))]
        check_folder(dest, sum(loader.size for loader in plan.loaders if loader.changed))
        break
    return plan


def _pair(candidate: Candidate, dest: str, arch: str) -> tuple[bytes, bytes, tuple[str, list[int]] | None]:
    """The content of the two files, and the image that they are from."""
    if candidate.iso is None:
        return _fit_file(candidate.shim or ""), _fit_file(candidate.grub or ""), None
    iso = candidate.iso
    try:
        now = stamp(os.stat(iso))
        records = load(os.path.join(dest, MANIFEST))
        places = [os.path.join(dest, name) for name in PAIRS[arch]]
        if all(holds(records, name, now, iso, place) for name, place in zip(PAIRS[arch], places)):
            return _fit_file(places[0]), _fit_file(places[1]), (iso, now)
        with open(iso, "rb") as file:
            image = Image(file, iso)
            package = DEBIAN_ARCHS[arch]
            shims = [SHIM_FILES[arch] + ending for ending in SHIM_ENDINGS]
            shim = _packaged(file, image, f"pool/**/shim-signed_*_{package}.deb", shims)
            pattern = f"pool/**/grub-efi-{package}-signed_*_{package}.deb"
            grub = _packaged(file, image, pattern, [GRUB_FILES[arch]])
    except OSError as error:
        raise _UnfitError(f"cannot read {iso}: {error.strerror}") from error
    return shim, grub, (iso, now)


def _packaged(file: BinaryIO, image: Image, pattern: str, wanted: Sequence[str]) -> bytes:
    """The first of the files `wanted` that is in the newest package of that name in the image."""
    found = image.matching(pattern)
    if not found:
        raise _UnfitError(f"there is no {pattern} in {image.name}")
    path = deb.newest(found)
    extent = image.find(path)

    def read_at(offset: int, count: int) -> bytes:
        data = bytearray()
        part = Extent(extent.offset + offset, min(count, max(extent.size - offset, 0)))
        copy(file, image.name, part, data.extend)
        return bytes(data)

    try:
        files = deb.read(read_at, extent.size, wanted)
    except deb.DebError as error:
        raise _UnfitError(f"{path} in {image.name} cannot be used: {error}") from error
    for name in wanted:
        if name in files:
            return files[name]
    raise _UnfitError(f"{path} in {image.name} has no {wanted[0]}")


def _loader(dest: str, name: str, content: bytes) -> Loader:
    """Compare one file with what is there now."""
    path = os.path.join(dest, name)
    check_place(path)
    loader = Loader(name, path, content, _version(content))
    if old_size(path) is not None:
        try:
            old = _fit_file(path)
        except _UnfitError as error:
            raise UserError(str(error)) from error
        loader.changed = old != content
        loader.before = (len(old), hashlib.sha256(old).hexdigest(), _version(old))
    return loader


def _version(content: bytes) -> str | None:
    """The version of a shim or GRUB; None when it says none, or is neither."""
    try:
        program = pe.read(content)
    except pe.PeError:
        return None
    return pe.shim_version(program) or pe.sbat(program).get("grub", (0, ""))[1] or None


def _fit(what: str, function: Callable[[In], Out], data: In) -> Out:
    """Say of what it was when something is no such file."""
    try:
        return function(data)
    except pe.PeError as error:
        raise _UnfitError(f"{what} {error}") from error


def _fit_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise _UnfitError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise _UnfitError(f"{path} has more than {MAX_FILE} bytes: it is no loader and no kernel")
    return data


def kernels_for(arch: str, paths: Iterable[str]) -> list[str]:
    """Which kernels a loader for `arch` may be asked to start: all but those that are known to be for another one."""
    others = set(pe.MACHINES.values()) - {pe.MACHINES[arch]}
    return [path for path in paths if _machine(path) not in others]


def _machine(path: str) -> int | None:
    try:
        return pe.read(_kernel(path)).machine
    except (_UnfitError, pe.PeError):
        return None  # whoever judges it says why


def _kernel(path: str) -> bytes:
    """A kernel; those for arm64 are compressed, and GRUB verifies what is inside."""
    data = _fit_file(path)
    if data[:2] != GZIP:
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _UnfitError(f"{path} cannot be decompressed: {error}") from error
    if len(data) > MAX_FILE:
        raise _UnfitError(f"{path} has more than {MAX_FILE} bytes inside: it is no kernel")
    return data


def act(plan: PairChoice, prepare: Callable[[Loader, str], object]) -> None:
    """Write the files that the plan says are to change, all or none.

    `prepare` sets owner and mode of each temporary file before the first file is put in its place.
    """
    todo = [loader for loader in plan.loaders if loader.changed]
    if not todo:
        return
    with making_folders(f"Cannot write shim and GRUB to {plan.dest}") as made, Batch() as batch:
        make_folders(os.path.abspath(plan.dest), made)
        for loader in todo:
            prepare(loader, batch.add(loader.path, loader.content))
        batch.commit()


def remember(plan: PairChoice) -> None:
    """Write down which image the files came from; forget it when they came from none."""
    manifest = os.path.join(plan.dest, MANIFEST)
    ours = {loader.name for loader in plan.loaders}
    records = {
        name: record for name, record in load(manifest).items() if name not in ours
    }  # of another processor
    with contextlib.suppress(OSError):
        if plan.iso:
            for loader in plan.loaders:
                records[loader.name] = {
                    "iso": plan.iso[1],
                    "source": plan.iso[0],
                    "file": stamp(os.lstat(loader.path)),
                    "sha256": loader.checksum,
                }
        if plan.source and (records or os.path.exists(manifest)):
            save(manifest, records)
