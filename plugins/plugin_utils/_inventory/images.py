# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Images: where an Ubuntu live-server ISO comes from and what is taken out of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import image_names, kernel_args
from ansible_collections.homelab.netboot.plugins.plugin_utils._memory import gigabytes
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.system import (
    ANY,
    RAMDISK,
    RELEASES,
    Release,
    find,
    memory_needed,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
# The digest itself, or the address of a list such as SHA256SUMS.
_CHECKSUM = re.compile(r"sha(256|384|512):([0-9a-fA-F]{64,128}|(https?|file)://\S+)")
_DIGITS = {"256": 64, "384": 96, "512": 128}
_VERSION = re.compile(r"[0-9A-Za-z.-]+")
_SOURCES = ("url", "path", "src")
NAME = "name"  # what takes the place of these for an image that is only named
#: Earlier versions that stay. One at least: machines that have begun with it still fetch from it.
KEEP = 1
_DEFAULTS = {
    "checksum": "",
    "version": "",
    "keep": KEEP,
    "arch": "amd64",
    "hwe": False,
    "small": False,
    "kernel": "",
    "initrd": "",
    "kernel_args": [],
}


def normalise(
    images: Mapping[str, Any], digests: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return every image as the module P(homelab.netboot.boot_images#module) takes it, checked.

    :param images: short name → C(url), C(path) or C(src), and optionally C(checksum), C(version), C(keep), C(arch),
        C(hwe), C(small), C(kernel), C(initrd), C(kernel_args). Without the first three the name is that of an Ubuntu
        release, else C(release) is, and C(mirror) and C(signed_by) may be given.
    :param digests: short name → SHA-256 in hex of a file of the controller, where no checksum is given.
    :returns: short name → C(source) (which of the three, or V(name)), C(origin), C(checksum), C(version), C(keep),
        C(arch), C(flavour) (which kernel: V(hwe), nothing for the usual one), C(small), C(kernels) (release → paths in
        the ISO) and C(kernel_args); with V(name) also what C(image_names.wanted) returns.
    :raises InputError: naming each image, the setting and the remedy.
    """
    faults: list[str] = []
    result: dict[str, dict[str, Any]] = {}
    for name, given in images.items():
        image = {} if given is None else given
        found = list(_faults_of(name, image))
        faults += found
        if not found:
            result[str(name)] = _complete(str(name), image, (digests or {}).get(name, ""))
    if faults:
        raise InputError("netboot_images is not usable", faults)
    return result


def note(name: str, facts: Mapping[str, Any]) -> str:
    """Return a line for people: what an image is, and how much memory a machine needs for it.

    :param facts: what the module P(homelab.netboot.boot_images#module) returns of it.
    """
    if not facts["release"]:
        return f"image {name}: its release and the memory that it needs are known when its ISO is there"
    row, sizes = find(facts["release"]), facts["sizes"]
    if "iso" not in sizes:
        return f"image {name}: the memory that it needs is known when its smaller ISO was made"
    needs = [f"machines need at least {gigabytes(memory_needed(sizes) or 0)} of memory"]
    if row.ramdisk:
        needs.append(
            f"{gigabytes(memory_needed(sizes, [RAMDISK]) or 0)} with {RAMDISK} in netboot_kernel_args"
        )
    if "whole_iso" in sizes:
        whole = {**sizes, "iso": sizes["whole_iso"]}
        needs.append(
            f"and {gigabytes(memory_needed(whole) or 0)} with the whole ISO, which had "
            f"{gigabytes(whole['iso'])} and now has {gigabytes(sizes['iso'])}"
        )
    unknown = "" if row.version else ", a release that this collection does not know"
    signed = f", signed by {facts['signed']}" if facts.get("signed") else ""
    return (
        f"image {name}: Ubuntu {facts['release']} for {facts['arch']}{unknown}, version {facts['version']}{signed}; "
        + ", ".join(needs)
    )


def _complete(name: str, image: Mapping[str, Any], digest: str) -> dict[str, Any]:
    source = next((key for key in _SOURCES if key in image), NAME)
    given = {**_DEFAULTS, **image}
    checksum = str(given["checksum"]) or (f"sha256:{digest}" if digest else "")
    return {
        "source": source,
        "origin": str(image.get(source, "")),
        "checksum": checksum if "://" in checksum else checksum.lower(),
        "version": str(given["version"]),
        "keep": int(given["keep"]),
        "arch": given["arch"],
        "flavour": _flavour(given),
        "small": given["small"],
        "kernel_args": list(given["kernel_args"]),
        "kernels": {row.version: _pair(given, row) for row in (ANY, *RELEASES)},
        **(image_names.wanted(name, image) if source == NAME else {}),
    }


def _pair(given: Mapping[str, Any], row: Release) -> list[str]:
    usual = (row.hwe_kernel, row.hwe_initrd) if given["hwe"] else (row.kernel, row.initrd)
    return [str(given[key] or default) for key, default in zip(("kernel", "initrd"), usual, strict=True)]


def _flavour(given: Mapping[str, Any]) -> str:
    """Return what tells versions of one ISO apart that have different kernels; nothing for the usual one."""
    own = f"{given['kernel']}\n{given['initrd']}"
    if own.strip():
        return hashlib.sha256(own.encode()).hexdigest()[:4]
    return "hwe" if given["hwe"] else ""


def _faults_of(name: Any, image: Any) -> Iterator[str]:
    where = f"image {name}: netboot_images"
    if not _NAME.fullmatch(str(name)):
        yield f"{where}: the name becomes part of an address; use lower-case letters, digits, '.', '_' and '-'"
        return
    if not isinstance(image, Mapping):
        yield f"{where}: must be a mapping with one of {', '.join(_SOURCES)}, or with release"
        return
    known = {*_SOURCES, *_DEFAULTS, *image_names.SETTINGS}
    for key in image:
        if key not in known:
            yield f"{where}: unknown setting {key}; {suggest(str(key), known)}"
    given = [key for key in _SOURCES if key in image]
    yield from (f"{where}: {fault}" for fault in _source_faults(str(name), image, given))
    yield from (f"{where}: {fault}" for fault in _checksum_faults(image, given))
    yield from (f"{where}: {fault}" for fault in _setting_faults(image))


def _source_faults(name: str, image: Mapping[str, Any], given: list[str]) -> Iterator[str]:
    if not given:
        yield from image_names.faults(name, image)
    elif len(given) > 1:
        yield (
            "give exactly one of url (to download), path (a file on the server) "
            f"and src (a file on the controller), not {len(given)} of them"
        )
    else:
        for key in image_names.SETTINGS:
            if key in image:
                yield f"give either {given[0]} or {key}, not both; {key} is for an image by its release"


def _checksum_faults(image: Mapping[str, Any], given: list[str]) -> Iterator[str]:
    checksum = str(image.get("checksum", ""))
    match = _CHECKSUM.fullmatch(checksum)
    if checksum and not (match and ("://" in checksum or len(match[2]) == _DIGITS[match[1]])):
        yield f"checksum '{checksum}' must be sha256:DIGEST or sha256:https://…/SHA256SUMS"
    if "url" in given and not checksum:
        yield (
            "a download needs a checksum, since nothing unverified is served; "
            "write checksum: sha256:DIGEST, taken from the file SHA256SUMS beside the ISO"
        )
    if given and "url" not in given and "://" in checksum:
        yield "a list of checksums goes only with url; write checksum: sha256:DIGEST"


def _setting_faults(image: Mapping[str, Any]) -> Iterator[str]:
    keep = image.get("keep", KEEP)
    if isinstance(keep, bool) or not str(keep).isdecimal() or int(keep) < 1:
        yield (
            f"keep '{keep}' must be a number from 1: how many earlier versions stay; "
            "machines that have just begun with one still fetch from it"
        )
    version = image.get("version", "")
    if version != "" and not (isinstance(version, str) and _VERSION.fullmatch(version)):
        yield f"version {version!r} must be a text in quotes, like '24.04.2' or the version's name"
    if image.get("arch", "amd64") not in ("amd64", "arm64"):
        yield f"arch '{image['arch']}' is not one of amd64, arm64"
    hwe = image.get("hwe", False)
    for key in ("hwe", "small"):
        if not isinstance(image.get(key, False), bool):
            yield f"{key} '{image[key]}' must be true or false"
    yield from (f"kernel_args: {fault}" for fault in kernel_args.faults(image.get("kernel_args", [])))
    if hwe and (image.get("kernel") or image.get("initrd")):
        yield "give either hwe or kernel and initrd, not both"
