# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Images that are only named: which Ubuntu release is meant. The server finds its newest ISO."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.system import RELEASES, Release

#: What only an image by name may have, with what it is when nothing is said.
SETTINGS = {"release": "", "mirror": [], "signed_by": ""}

_ADDRESS = re.compile(r"(https?|file)://\S+")
_POINT = re.compile(r"(?P<release>\d+\.\d+)(?P<point>\.[1-9]\d*)?")
_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----"


def wanted(name: str, image: Mapping[str, Any]) -> dict[str, Any]:
    """Return what module P(homelab.netboot.boot_images#module) needs to find the ISO.

    :returns: C(release) (V(24.04), or V(24.04.3) for that one alone), C(codename), C(mirrors) (none for Ubuntu's own)
        and C(signed_by).
    """
    word = _word(name, image)
    row = _row(word)
    if row is None:
        raise LookupError(word)  # faults() was not asked
    return {
        "release": word if _POINT.fullmatch(word) else row.version,
        "codename": row.codename,
        "mirrors": _mirrors(image),
        "signed_by": str(image.get("signed_by") or ""),
    }


def faults(name: str, image: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an image that has no address and no path."""
    word = _word(name, image)
    if _row(word) is None:
        known = [one for row in RELEASES for one in (row.version, row.codename)]
        yield (
            f"'{word}' is no Ubuntu release that is known here; {suggest(word, known)} "
            "Name the image so, or write release: NAME; or give url and checksum, path (a file on the server) "
            "or src (a file on the controller)"
        )
    if image.get("checksum"):
        yield "checksum goes with url, path or src; of a release it comes from the signed list: remove it"
    for address in _mirrors(image):
        if not _ADDRESS.fullmatch(address):
            yield f"mirror '{address}' must be an address, https://… or file:///…, or a list of them"
    key = image.get("signed_by") or ""
    if key and not (isinstance(key, str) and (key.startswith("/") or _KEY in key)):
        yield (
            "signed_by must be a public key, as gpg --export --armor prints it, "
            "or the path of a file on the server with one"
        )


def _word(name: str, image: Mapping[str, Any]) -> str:
    return str(image.get("release") or name).lower()


def _row(word: str) -> Release | None:
    match = _POINT.fullmatch(word)
    number = match["release"] if match else word
    return next((row for row in RELEASES if number in (row.version, row.codename)), None)


def _mirrors(image: Mapping[str, Any]) -> list[str]:
    given = image.get("mirror") or []
    return [str(one) for one in given] if isinstance(given, list) else [str(given)]
