# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Bring one image to the version that is asked for: `decide` makes a plan and writes nothing, `act` carries it out."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, field, replace
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.homelab.netboot.plugins.module_utils._destination import check_folder, stamp
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import (
    by_name,
    disk_info,
    extraction,
    fetch,
    kernel_file,
    manifest,
    mirror,
    signing_key,
    smaller,
    transfer,
)
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import (
    PYCDLIB_ERROR,
    Image,
    MissingError,
    reading,
)
from ansible_collections.homelab.netboot.plugins.module_utils._image.store import (
    CURRENT,
    DIGITS,
    Store,
    Version,
)

INCOMING = ".incoming"  # folder beside the images: what was copied from the controller
ALL = ""  # key of `kernels` for a release that has no entry of its own
NAME = "name"  # source of an image that is only named, until its address is found


@dataclass(frozen=True)
class Wanted:
    """One image as the user asks for it; see the module's option `images`."""

    name: str
    source: str
    origin: str
    checksum: str
    version: str
    keep: int
    arch: str
    flavour: str
    kernels: Mapping[str, Any]
    kernel_args: Sequence[str] = ()
    small: bool = False
    # of an image by name
    release: str = ""
    codename: str = ""
    mirrors: Sequence[str] = ()
    signed_by: str = ""
    signed: str = ""  # who signed the list from which the checksum is

    @property
    def shown(self) -> str:
        """Where the ISO is from, for messages."""
        return fetch.shown(self.origin)

    @property
    def kind(self) -> tuple[str, bool]:
        """As that of a store.Version."""
        return self.flavour, self.small


@dataclass(frozen=True)
class Contents:
    """What an ISO is, and what is to be taken out of it: paths in it, sizes in bytes once they are unpacked."""

    info: disk_info.Info
    kernel: str
    initrd: str
    sizes: dict[str, int]


@dataclass
class ImageChange:
    """What is to be done. `found` is the version that is there already; `digest` the ISO's SHA-256, as far as known."""

    wanted: Wanted
    store: Store
    found: Version | None
    digest: str
    expected: tuple[str, str] | None  # algorithm and digest that the ISO must have
    kept: list[Version]
    current: str
    contents: Contents | None  # of a local ISO
    surplus: list[str] = field(default_factory=list)
    warning: str = ""

    @property
    def version(self) -> str:
        """Name of the version that will be in use; empty when only its file can tell."""
        if self.found:
            return self.found.name
        return version_name(self.digest, self.wanted.kind) if self.digest else ""

    @property
    def changed(self) -> bool:
        """Whether anything is to be done."""
        return self.found is None or self.current != self.found.name or bool(self.surplus)


def version_name(digest: str, kind: tuple[str, bool]) -> str:
    """Make a version's name: the same ISO with another kernel, or made smaller, is another one."""
    flavour, small = kind
    return digest[:DIGITS] + (f"-{flavour}" if flavour else "") + ("-small" if small else "")


def decide(
    root: str, wanted: Wanted, opener: fetch.Open, check: bool = False, quick: bool = False
) -> ImageChange:
    """Find out whether the version that is asked for is there.

    Asks the network only for lists of checksums, and that only when none is known for this address. With `check`,
    writes nothing at all; with `quick`, reads no whole ISO only to tell its version.
    Raises UserError for all that can be foreseen to fail.
    """
    store = Store(root, wanted.name, check)
    kept = store.versions()
    plan = ImageChange(wanted, store, None, "", None, kept, store.current(), None)
    if wanted.version:
        plan.found = _named(kept, wanted)
    else:
        if wanted.source == NAME:
            _look_up(plan, opener)
        plan.found = _same_request(kept, plan.wanted)
        if plan.found is None:
            _resolve(plan, opener, quick)
        if plan.found is None and wanted.small and not check:
            smaller.demand()
    if plan.found:
        plan.digest = plan.found.digest
    others = [one.name for one in kept if one is not plan.found]
    plan.surplus = others[wanted.keep :]
    return plan


def _named(kept: list[Version], wanted: Wanted) -> Version:
    """The kept version that the user names, by its name, its release or the beginning of its digest."""
    for one in kept:
        if wanted.version == one.name:
            return one
    for one in kept:
        same = wanted.version in (one.release, one.codename) or one.digest.startswith(wanted.version.lower())
        if same and one.kind == wanted.kind:
            return one
    there = ", ".join(f"{one.name} ({one.release})" for one in kept) or "none"
    raise UserError(
        f"version {wanted.version} is not kept on this server; there: {there}. "
        "Name one of them, or remove version and give that ISO's own url and checksum."
    )


def _look_up(plan: ImageChange, opener: fetch.Open) -> None:
    """Put an address and a checksum in the place of the name; those of what is there when nobody can be asked."""
    wanted = plan.wanted
    asked = mirror.Asked(wanted.release, wanted.codename, wanted.arch, wanted.mirrors)
    known = next((one for one in plan.kept if _is_signed_image_of(one, wanted)), None)
    if plan.store.check and not signing_key.program():  # installed by the run that is no check
        told = by_name.Found(next(mirror.folders(asked)), known.digest if known else "", "")
    else:
        try:
            told = by_name.find(asked, opener, wanted.signed_by)
        except by_name.UnreachableError as error:
            if known is None:
                raise UserError(f"{error} The server has no verified image of it. {by_name.REACH}") from error
            told = by_name.Found(known.origin, known.digest, known.signed)
            plan.warning = (
                f"{error} The image that is there, {known.release}, is used as it is; it was verified."
            )
    checksum = f"sha256:{told.digest}" if told.digest else ""
    plan.wanted = replace(wanted, source="url", origin=told.origin, checksum=checksum, signed=told.signed)


def _is_signed_image_of(one: Version, wanted: Wanted) -> bool:
    return bool(one.signed) and one.arch == wanted.arch and mirror.is_of(one.release, wanted.release)


def _same_request(kept: list[Version], wanted: Wanted) -> Version | None:
    """The version that the very same request has led to before, or that the checksum itself names."""
    algorithm, dummy, digest = wanted.checksum.partition(":")
    for one in kept:
        if one.kind != wanted.kind or one.arch != wanted.arch:
            continue
        if algorithm == "sha256" and digest.lower() == one.digest:
            return one
        same_origin = manifest.public(wanted.origin) == one.origin
        # of a list of checksums what stands behind ? is not written down, so it may be another list
        same_checksum = manifest.public(wanted.checksum) == one.checksum and "?" not in wanted.checksum
        if wanted.checksum and same_checksum and same_origin:
            return one
        same_file = not wanted.checksum and wanted.source == "path" and same_origin
        if same_file and _is_unchanged(one):
            return one
    if (
        wanted.source == "src" and not wanted.checksum
    ):  # asked by somebody who cannot see the controller's file
        return next(iter(kept), None)
    return None


def _is_unchanged(version: Version) -> bool:
    """Whether the file that a version was made from is as it was. One that was removed since is: this is its copy."""
    try:
        return stamp(os.stat(version.origin)) == version.origin_stamp
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _resolve(plan: ImageChange, opener: fetch.Open, quick: bool) -> None:
    """Learn the digest that the ISO is to have, and what a local one says of itself."""
    wanted = plan.wanted
    algorithm, dummy, digest = wanted.checksum.partition(":")
    if "://" in digest:
        digest = fetch.listed(opener, digest, wanted.origin)
    if digest:
        plan.expected = (algorithm, digest.lower())
    if wanted.source == "path":
        if not os.path.isfile(wanted.origin):
            raise UserError(
                f"no file at {wanted.shown}. 'path' is a file on the server, 'src' one on the controller: "
                "correct it, or give a url with a checksum."
            )
        if not PYCDLIB_ERROR:  # in check mode on a new server
            plan.contents = read(wanted, wanted.origin)
        if not digest and not quick:
            algorithm, digest = "sha256", fetch.digests(wanted.origin, ["sha256"])["sha256"]
    if algorithm == "sha256" and digest:
        plan.digest = digest.lower()
        names = [version_name(plan.digest, wanted.kind)]
        plan.found = next((one for one in plan.kept if one.name in names), None)


def act(plan: ImageChange, loader: transfer.Loader) -> Version:
    """Make the version complete beside the others, switch to it, remove those that are too many."""
    store = plan.store
    try:
        version = plan.found or _fetched(plan, loader)
        if store.current() != version.name:
            store.use(version)
        others = [one.name for one in store.versions() if one.name != version.name]
        for name in [*others[plan.wanted.keep :], *store.damaged()]:
            store.remove(name)
    except OSError as error:
        raise UserError(
            f"{error.filename or store.folder}: {error.strerror}. Make room, or correct its mode."
        ) from error
    return version


def remember(plan: ImageChange) -> None:
    """Note the request that a version answers now, so that the next run knows it without reading or asking."""
    wanted, version = plan.wanted, plan.found
    if version is None or wanted.version or wanted.source == "src":
        return
    with contextlib.suppress(OSError):  # it saves time only
        now = stamp(os.stat(wanted.origin)) if wanted.source == "path" else None
        asked = manifest.public(wanted.checksum), manifest.public(wanted.origin)
        request = (*asked, now, wanted.signed or version.signed)
        if request != (version.checksum, version.origin, version.origin_stamp, version.signed):
            version.checksum, version.origin, version.origin_stamp, version.signed = request
            if wanted.signed or not version.compared:  # it has the digest that is asked for now
                version.compared = version.checksum
            plan.store.write_record(version)


def _fetched(plan: ImageChange, loader: transfer.Loader) -> Version:
    wanted, store = plan.wanted, plan.store
    staged = store.stage()
    try:
        iso = os.path.join(staged, store.iso_name)
        before = stamp(os.stat(wanted.origin)) if wanted.source == "path" else None
        digest, iso_digest, whole = _provide(plan, iso, loader)
        found = read(wanted, iso)
        copied = extraction.decide(iso, staged, {found.kernel: "vmlinuz", found.initrd: "initrd"})
        extraction.act(copied, lambda step, path: None)
        files: dict[str, dict[str, Any]] = {
            step.name: {"size": step.size, "sha256": step.checksum, "source": step.source}
            for step in copied.steps
        }
        packed = f"{found.kernel} in {wanted.shown}"
        files["vmlinuz"].update(kernel_file.unpack(os.path.join(staged, "vmlinuz"), packed))
        files["vmlinuz"]["signers"] = kernel_file.signers(os.path.join(staged, "vmlinuz"))
        files[store.iso_name] = {"size": os.stat(iso).st_size, "sha256": iso_digest, "source": ""}
        name = version_name(digest, wanted.kind)
        info = found.info
        told = (info.release, info.codename, info.arch, wanted.flavour)
        version = Version(
            name, digest, wanted.checksum, wanted.origin, before, *told, files, reduced_from=whole
        )
        _note_provenance(plan, version)
        store.publish(staged, version)
        return version
    finally:
        shutil.rmtree(staged, ignore_errors=True)  # when it was published, it has another name


def _twin(plan: ImageChange) -> Version | None:
    """A version that is there already, and has the same ISO or the whole one that a smaller one can be made of."""
    same = [one for one in plan.kept if plan.digest and one.digest == plan.digest]
    alike = [one for one in same if bool(one.reduced_from) == plan.wanted.small]
    return next(iter(alike or [one for one in same if not one.reduced_from]), None)


def _note_provenance(plan: ImageChange, version: Version) -> None:
    """Say where the ISO of a new version is from, and what vouched for it; a twin's came earlier."""
    twin = _twin(plan)
    if twin is None:
        version.source, version.compared = version.origin, version.checksum
        version.fetched = version.verified = manifest.now()
    else:
        for name in ("source", "compared", "fetched", "verified", "signed"):
            setattr(version, name, getattr(twin, name))
    version.signed = plan.wanted.signed or version.signed


def _provide(plan: ImageChange, iso: str, loader: transfer.Loader) -> tuple[str, str, dict[str, Any]]:
    """Put the ISO at the new place `iso`; return the SHA-256 of the verified one, its own, and what it was made of."""
    store, wanted, twin = plan.store, plan.wanted, _twin(plan)
    if twin and bool(twin.reduced_from) == wanted.small:  # another kernel of the same ISO
        store.link_iso(twin, iso)
        return twin.digest, twin.files[store.iso_name]["sha256"], twin.reduced_from
    if not wanted.small:
        digest = _bring(plan, iso, loader)
        return digest, digest, {}
    full = store.path(twin.name, store.iso_name) if twin else f"{iso}.whole"
    digest = twin.digest if twin else _bring(plan, full, loader)
    read(wanted, full)  # so that a wrong one is refused as ever
    smaller.make(full, iso, wanted.shown)
    whole = {"size": os.stat(full).st_size, "sha256": digest}
    if not twin:
        os.unlink(full)
    return digest, fetch.digests(iso, ["sha256"])["sha256"], whole


def _bring(plan: ImageChange, iso: str, loader: transfer.Loader) -> str:
    """Put the verified ISO at the new place `iso`; return its SHA-256."""
    wanted = plan.wanted
    algorithms = ["sha256", *([plan.expected[0]] if plan.expected else [])]
    if wanted.source == "url":
        sums = transfer.load(loader, plan.store.root, job(plan), iso, algorithms)
    elif wanted.source == "src":
        os.rename(os.path.join(plan.store.root, INCOMING, plan.store.iso_name), iso)
        sums = fetch.digests(iso, algorithms)
    else:
        check_folder(os.path.dirname(iso), os.stat(wanted.origin).st_size)
        sums = fetch.copy(wanted.origin, iso, algorithms)
    if plan.expected and sums[plan.expected[0]] != plan.expected[1]:
        algorithm, digest = plan.expected
        raise UserError(
            f"{wanted.shown} has the checksum {algorithm}:{sums[algorithm]}, not {algorithm}:{digest}. "
            "Fetch the ISO again, or correct the checksum."
        )
    return sums["sha256"]


def job(plan: ImageChange) -> transfer.Job:
    """What is to be downloaded for an image that comes from an address."""
    return transfer.Job(plan.wanted.name, plan.wanted.origin, plan.expected)


def read(wanted: Wanted, iso: str) -> Contents:
    """Look into an ISO; UserError, naming where it is from, when it is not one of which machines can be installed."""
    with reading(wanted.shown), open(iso, "rb") as file:
        image = Image(file, wanted.shown)
        info = disk_info.read(image.release(), wanted.shown, wanted.arch)
        kernel, initrd = wanted.kernels.get(".".join(info.release.split(".")[:2])) or wanted.kernels[ALL]
        try:
            packed = f"{kernel} in {wanted.shown}"
            sizes = {
                "vmlinuz": kernel_file.size(file, image.find(kernel), packed),
                "initrd": image.find(initrd).size,
            }
        except MissingError as error:
            raise UserError(
                f"{wanted.shown} ({info.release}) has no {kernel} or {initrd}. {_remedy(wanted)}"
            ) from error
    return Contents(info, kernel, initrd, {"iso": os.stat(iso).st_size, **sizes})


def _remedy(wanted: Wanted) -> str:
    if wanted.flavour == "hwe":
        return "The first ISOs of a release have one kernel only: remove hwe: true, or give a newer point release."
    if wanted.flavour:
        return "Correct kernel and initrd, which are paths in the ISO, or remove both."
    return disk_info.REMEDY.format(arch=wanted.arch) + "; legacy and netboot images have no casper."


def sources(plan: ImageChange) -> Iterator[str]:
    """Yield all files and folders on which it depends whether anything is to be done for the image, and what."""
    for folder, folders, files in os.walk(plan.store.folder):
        yield folder
        yield from (os.path.join(folder, name) for name in [*folders, *files])
    if plan.wanted.source == "path":
        yield plan.wanted.origin
    if plan.wanted.release:
        key = plan.wanted.signed_by
        yield key if key.startswith("/") else signing_key.KEYRING


def facts(plan: ImageChange, version: Version | None) -> dict[str, Any]:
    """Tell what is known of the image: of the version that is there, else of the local ISO, else nothing."""
    told: dict[str, Any] = {"present": version is not None, "version": plan.version, "arch": plan.wanted.arch}
    told.update(release=None, codename=None, kernel=None, initrd=None, sizes={}, signed=plan.wanted.signed)
    if version:
        files = version.files
        told.update(version=version.name, release=version.release, codename=version.codename)
        told["signed"] = version.signed
        told.update(kernel=files["vmlinuz"]["source"], initrd=files["initrd"]["source"])
        iso = {"iso": files[plan.store.iso_name]["size"]}
        whole = {"whole_iso": version.reduced_from["size"]} if version.reduced_from else {}
        told["sizes"] = {**iso, **whole, **{name: files[name]["size"] for name in ("vmlinuz", "initrd")}}
    elif plan.contents:
        found = plan.contents
        told.update(release=found.info.release, codename=found.info.codename)
        told.update(kernel=found.kernel, initrd=found.initrd, sizes=dict(found.sizes))
        if plan.wanted.small:  # how small it will be, xorriso will tell
            told["sizes"]["whole_iso"] = told["sizes"].pop("iso")
    told["small"] = bool(version.reduced_from) if version else plan.wanted.small
    told["kernel_args"] = list(plan.wanted.kernel_args)
    told["folder"] = f"images/{plan.wanted.name}/{told['version'] or CURRENT}"
    return told
