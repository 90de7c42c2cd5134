# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Images: where an Ubuntu live-server ISO comes from and what is taken out of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError, suggest

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
# ansible.builtin.get_url takes the digest itself or the address of a list such as SHA256SUMS.
_CHECKSUM = re.compile(r"sha(256|384|512):([0-9a-fA-F]{64,128}|https?://\S+)")
_SOURCES = ("url", "path", "src")
_DEFAULTS = {"checksum": "", "kernel": "casper/vmlinuz", "initrd": "casper/initrd"}


def normalise(images: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return every image with all its settings, checked.

    :param images: short name → C(url), C(path) or C(src), and optionally C(checksum), C(kernel), C(initrd).
    :returns: short name → C(source) (which of the three), C(from), C(checksum), C(kernel), C(initrd).
    :raises InputError: naming each image, the setting and the remedy.
    """
    faults: list[str] = []
    result: dict[str, dict[str, str]] = {}
    for name, image in images.items():
        found = list(_faults_of(name, image))
        faults += found
        if not found:
            source = next(key for key in _SOURCES if key in image)
            settings = {key: str(image.get(key, default)) for key, default in _DEFAULTS.items()}
            result[str(name)] = {"source": source, "from": str(image[source]), **settings}
    if faults:
        raise InputError("netboot_images is not usable", faults)
    return result


def _faults_of(name: Any, image: Any) -> list[str]:
    where = f"image {name}: netboot_images"
    if not _NAME.fullmatch(str(name)):
        return [
            f"{where}: the name becomes part of an address; use lower-case letters, digits, '.', '_' and '-'"
        ]
    if not isinstance(image, Mapping):
        return [f"{where}: must be a mapping with one of {', '.join(_SOURCES)}"]
    known = {*_SOURCES, *_DEFAULTS}
    faults = [
        f"{where}: unknown setting {key}; {suggest(str(key), known)}" for key in image if key not in known
    ]
    given = [key for key in _SOURCES if key in image]
    if len(given) != 1:
        faults.append(
            f"{where}: give exactly one of url (to download), path (a file on the server) "
            f"and src (a file on the controller), not {len(given)} of them"
        )
    checksum = str(image.get("checksum", ""))
    if checksum and not _CHECKSUM.fullmatch(checksum):
        faults.append(f"{where}: checksum '{checksum}' must be sha256:DIGEST or sha256:https://…/SHA256SUMS")
    if "url" in given and not checksum:
        faults.append(
            f"{where}: a download needs a checksum, since nothing unverified is served; "
            "write checksum: sha256:DIGEST, taken from the file SHA256SUMS beside the ISO"
        )
    if "url" not in given and "://" in checksum:
        faults.append(f"{where}: a list of checksums goes only with url; write checksum: sha256:DIGEST")
    return faults
