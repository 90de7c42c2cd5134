# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Choose a shim and a GRUB that start given kernels under Secure Boot: `decide` makes a plan, `act` writes them.

shim starts what a certificate in it has signed: GRUB, and the kernels that GRUB asks it about. sbverify(1) says
whether that is so.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import subprocess
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

MAX_LOADER = 16 << 20  # bytes; Ubuntu's GRUB has 2.5 MB
MAX_KERNEL = 96 << 20  # bytes; Ubuntu's for arm64 has some 60 MB
TIMEOUT = 60  # seconds for one run of sbverify, which takes milliseconds
#: Microsoft's authorities for shims, by common name: most firmwares know the first, new ones may know the other only.
AUTHORITIES = {"Microsoft Corporation UEFI CA 2011": "2011", "Microsoft UEFI CA 2023": "2023"}
#: What shims are signed by, from what most firmwares accept to what fewest do.
RANKS: tuple[list[str], ...] = (["2011", "2023"], ["2011"], ["2023"], [])


class _UnfitError(UserError):
    """The candidate cannot be used; the text says why."""


class NoVerifierError(Exception):
    """A signature is to be verified, and sbverify is not installed."""


@dataclass(frozen=True)
class Candidate:
    """Where a pair may come from: two files, or an image with the packages in its pool.

    `named`: the user wants it, and it is taken before one that more firmwares accept.
    """

    name: str
    shim: str | None = None
    grub: str | None = None
    iso: str | None = None
    named: bool = False


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
class Fit:
    """A pair whose two parts start each other. `refused`: kernels that it does not start, each with the reason."""

    shim: bytes
    grub: bytes
    vendor: str
    signers: tuple[str, ...]  # of the shim
    refused: dict[str, str]
    iso: tuple[str, list[int]] | None = None  # the image's path and stamp
    source: str = ""
    named: bool = False

    @property
    def order(self) -> tuple[int, bool, int]:
        """What is least for the best: most kernels, what the user named, what most firmwares accept."""
        return len(self.refused), not self.named, RANKS.index(authorities(self.signers))


def authorities(signers: Iterable[str]) -> list[str]:
    """Which of Microsoft's authorities are among them: 2011, 2023."""
    return sorted({AUTHORITIES[name] for name in signers if name in AUTHORITIES})


@dataclass
class PairChoice:
    """What is to be done: everything that check mode, diff and `act` need to know. No `fit`: nothing."""

    dest: str
    fit: Fit | None = None
    loaders: list[Loader] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Judge:
    """Decides about pairs. `sbverify` is that program's path, `folder` one for what it shall read, ours alone.

    `authority`: the year of Microsoft's that must have signed the shim; None for no matter who has.
    What can be told without sbverify is told without it; then NoVerifierError.
    """

    arch: str
    minimum: str
    kernels: Sequence[str]
    sbverify: str | None
    folder: str
    authority: str | None = None
    _known: dict[str, pe.Program] = field(default_factory=dict)
    _said: dict[tuple[bytes, bytes | None], str] = field(default_factory=dict)

    def fit(self, shim_data: bytes, grub_data: bytes) -> Fit:
        """Judge a pair. Raises _UnfitError when its parts do not fit each other, or start none of the kernels."""
        shim = self._program(shim_data, "its shim")
        grub = self._program(grub_data, "its GRUB")
        trust = _fit("its shim", pe.trust, shim)
        self._check_authority(shim)
        self._check_versions(shim, grub)
        vendor = ", ".join(
            pe.common_name(one) or "a certificate without a name" for one in trust.certificates
        )
        if self._says(shim, self._file("shim", shim_data), None) == "damaged":
            raise _UnfitError("its shim is damaged: it is not what its signer signed")
        self._check(self._file("grub", grub_data), "its GRUB", grub, trust, vendor)
        refused = {}
        for path in self.kernels:
            try:
                self._check(path, path, self._kernel(path), trust, vendor)
            except _UnfitError as error:
                refused[path] = str(error)
        if refused and len(refused) == len(self.kernels):
            raise _UnfitError("; ".join(refused.values()))
        return Fit(shim_data, grub_data, vendor, pe.signers(shim), refused)

    def _check_authority(self, shim: pe.Program) -> None:
        signers = pe.signers(shim)
        if self.authority and self.authority not in authorities(signers):
            raise _UnfitError(
                f"its shim is signed by {' and '.join(signers)}, not by Microsoft's authority of {self.authority}"
            )

    def _check_versions(self, shim: pe.Program, grub: pe.Program) -> None:
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

    def _kernel(self, path: str) -> pe.Program:
        """A kernel, read once for all pairs."""
        if path not in self._known:
            self._known[path] = self._program(_read(path, MAX_KERNEL), path)
        return self._known[path]

    def _program(self, data: bytes, what: str) -> pe.Program:
        program = _fit(what, pe.read, data)
        if program.machine != pe.MACHINES[self.arch]:
            raise _UnfitError(
                f"{what} is for another processor than {self.arch} (machine {program.machine:#x})"
            )
        if not program.signatures:
            raise _UnfitError(f"{what} is not signed")
        return program

    def _check(self, path: str, what: str, program: pe.Program, trust: pe.Trust, vendor: str) -> None:
        answers = [self._says(program, path, certificate) for certificate in trust.certificates]
        if "damaged" in answers:
            raise _UnfitError(f"{what} is damaged: it is not what its signer signed")
        if "good" not in answers:
            raise _UnfitError(f"{what} is not signed by {vendor}, the only one whom its shim trusts")
        # sbverify 0.9.4 takes a signature that brings an intermediate certificate for good, whatever it trusts.
        if self._says(program, path, None) == "good":
            raise _UnfitError(f"{what} has a signature of which sbverify cannot tell whose it is")
        revoked = program.digest in trust.revoked_digests
        if revoked or any(self._says(program, path, bad) == "good" for bad in trust.revoked):
            raise _UnfitError(f"{what} is revoked: its shim refuses it by name. Use a newer one")

    def _says(self, program: pe.Program, path: str, certificate: bytes | None) -> str:
        """What sbverify says of a file when it trusts that certificate only: good, bad, or damaged."""
        # The digest alone is none of a file: it leaves out the signatures, which may be damaged.
        asked = program.digest + b"".join(program.signatures), certificate
        if asked not in self._said:
            self._said[asked] = self._ask(path, certificate)
        return self._said[asked]

    def _ask(self, path: str, certificate: bytes | None) -> str:
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
    """Find the pair that fits best, of equal ones the first, and compare it with what is in `dest`; write nothing.

    Raises UserError for all that can be foreseen to fail when it is written.
    """
    plan = PairChoice(dest)
    for candidate in candidates:
        try:
            fit = _best(candidate, dest, judge)
        except UserError as error:
            plan.rejected.append({"name": candidate.name, "reason": str(error).rstrip(".")})
            continue
        fit.source, fit.named = candidate.name, candidate.named
        if plan.fit is None or fit.order < plan.fit.order:
            plan.fit = fit
        if not plan.fit.refused and (plan.fit.named or plan.fit.order[-1] == 0):
            break  # there can be none better
    if plan.fit:
        pair = zip(PAIRS[judge.arch], (plan.fit.shim, plan.fit.grub))
        plan.loaders = [_loader(dest, name, data) for name, data in pair]
        check_folder(dest, sum(loader.size for loader in plan.loaders if loader.changed))
    return plan


def _best(candidate: Candidate, dest: str, judge: Judge) -> Fit:
    """The best pair of a candidate. Raises UserError when none fits."""
    iso = candidate.iso
    if iso is None:
        shim, grub = (_read(path or "", MAX_LOADER) for path in (candidate.shim, candidate.grub))
        return judge.fit(shim, grub)
    try:
        now = stamp(os.stat(iso))
    except OSError as error:
        raise _UnfitError(f"cannot read {iso}: {error.strerror}") from error
    records = load(os.path.join(dest, MANIFEST))
    places = [os.path.join(dest, name) for name in PAIRS[judge.arch]]
    if all(holds(records, name, now, iso, place) for name, place in zip(PAIRS[judge.arch], places)):
        with contextlib.suppress(_UnfitError):
            shim, grub = (_read(place, MAX_LOADER) for place in places)
            fit = judge.fit(shim, grub)
            if not fit.refused:
                fit.iso = iso, now
                return fit
    shims, grub = _packages(iso, judge)
    fits, why = [], []
    for shim in shims:
        try:
            fits.append(judge.fit(shim, grub))
        except _UnfitError as error:
            why.append(str(error))
    if not fits:
        raise _UnfitError(why[0])
    fit = min(fits, key=lambda one: one.order)
    fit.iso = iso, now
    return fit


def _packages(iso: str, judge: Judge) -> tuple[list[bytes], bytes]:
    """The shims that an image has, and its GRUB."""
    arch = judge.arch
    package = DEBIAN_ARCHS[arch]
    try:
        with open(iso, "rb") as file:
            image = Image(file, iso)
            shims = [SHIM_FILES[arch] + ending for ending in SHIM_ENDINGS]
            found = _packaged(file, image, judge, f"pool/**/shim-signed_*_{package}.deb", shims)
            pattern = f"pool/**/grub-efi-{package}-signed_*_{package}.deb"
            return found, _packaged(file, image, judge, pattern, [GRUB_FILES[arch]])[0]
    except OSError as error:
        raise _UnfitError(f"cannot read {iso}: {error.strerror}") from error


def _packaged(file: BinaryIO, image: Image, judge: Judge, pattern: str, wanted: Sequence[str]) -> list[bytes]:
    """Those of the files `wanted` that are in the newest package of that name in the image, in their order."""
    found = image.matching(pattern)
    if not found:
        raise _UnfitError(f"there is no {pattern} in {image.name}")
    path = deb.newest(found)
    extent = image.find(path)
    unpack = os.path.join(judge.folder, "package.deb")
    try:
        with open(unpack, "wb") as out:
            copy(file, image.name, Extent(extent.offset, min(extent.size, deb.MAX_PACKED + 1)), out.write)
        files = deb.read(unpack, wanted)
    except deb.DebError as error:
        raise _UnfitError(f"{path} in {image.name} cannot be used: {error}") from error
    if not files:
        raise _UnfitError(f"{path} in {image.name} has no {wanted[0]}")
    return [files[name] for name in wanted if name in files]


def _loader(dest: str, name: str, content: bytes) -> Loader:
    """Compare one file with what is there now."""
    path = os.path.join(dest, name)
    check_place(path)
    loader = Loader(name, path, content, _version(content))
    if old_size(path) is not None:
        try:
            old = _read(path, MAX_KERNEL)
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


def _read(path: str, most: int) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise _UnfitError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > most:
        raise _UnfitError(f"{path} has more than {most} bytes: it is no loader and no kernel")
    return data


def kernels_for(arch: str, paths: Iterable[str]) -> list[str]:
    """Which kernels a loader for `arch` may be asked to start: all but those that are known to be for another one."""
    others = set(pe.MACHINES.values()) - {pe.MACHINES[arch]}
    return [path for path in paths if _machine(path) not in others]


def _machine(path: str) -> int | None:
    try:
        return pe.read(_read(path, MAX_KERNEL)).machine
    except (_UnfitError, pe.PeError):
        return None  # whoever judges it says why


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
    """Write down where the files came from, and who signed the shim."""
    if plan.fit is None:
        return
    manifest = os.path.join(plan.dest, MANIFEST)
    ours = {loader.name for loader in plan.loaders}
    records = {
        name: record for name, record in load(manifest).items() if name not in ours
    }  # of another processor
    with contextlib.suppress(OSError):
        for loader in plan.loaders:
            signers = list(pe.signers(pe.read(loader.content)))
            iso, stamped = plan.fit.iso or (plan.fit.source, None)
            records[loader.name] = {
                "iso": stamped,
                "source": iso,
                "file": stamp(os.lstat(loader.path)),
                "sha256": loader.checksum,
                "signers": signers,
                "authorities": authorities(signers),
                "version": loader.version,
            }
        save(manifest, records)
