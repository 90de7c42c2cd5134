# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""From an image's name to the address and the checksum of its ISO, by lists of checksums that somebody has signed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.error import URLError

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import fetch, mirror, signing_key

DAY = 24 * 3600  # seconds for which an answer holds
NOT_THERE = (404, 410)
REACH = (
    "See whether the server reaches that address; or name a mirror that it reaches (mirror: https://… or file:///…), "
    "or give the ISO by path or src."
)


@dataclass(frozen=True)
class Found:
    """Where the ISO is, its SHA-256 in hex, and who signed the list that says so."""

    origin: str
    digest: str
    signed: str


class UnreachableError(Exception):
    """Nobody answers, or not as a mirror would; the text says who and why."""


def find(asked: mirror.Asked, opener: fetch.Open, key: str = "", keyring: str = signing_key.KEYRING) -> Found:
    """Find the ISO: in the first signed list that has it.

    A list that is not signed, or not by a key that counts, ends the search: whoever changed it must not be able to
    have an older one taken instead.
    Raises UserError, and UnreachableError at the first address that does not answer.
    """
    there: list[str] = []
    for folder in mirror.folders(asked):
        text = _get(opener, f"{folder}/{mirror.LIST}")
        if text is None:
            continue
        signer = _signer(opener, folder, text, key, keyring)
        isos = mirror.listed(text.decode("utf-8", "replace"), asked.arch)
        iso = mirror.newest(isos, asked)
        if iso:
            return Found(f"{folder}/{iso.file}", iso.digest, str(signer))
        there += [one.version for one in isos if one.version not in there]
    shown = ", ".join(fetch.shown(one) for one in asked.mirrors) or "releases and old-releases of ubuntu.com"
    raise UserError(
        f"no signed list on {shown} has {asked.file}; there: {', '.join(there) or 'no image of that release'}. "
        "Name a release that is out (release), correct mirror, or give url and checksum."
    )


def _signer(opener: fetch.Open, folder: str, text: bytes, key: str, keyring: str) -> signing_key.Signer:
    address = fetch.shown(f"{folder}/{mirror.LIST}")
    signature = _get(opener, f"{folder}/{mirror.SIGNATURE}")
    if signature is None:
        raise UserError(
            f"{address} is not signed: there is no {mirror.SIGNATURE} beside it. "
            "Name another mirror (mirror), or give url and a checksum that you trust."
        )
    try:
        return signing_key.verify(text, signature, key, keyring)
    except signing_key.BadSignatureError as error:
        whose = "the key in signed_by" if key else "Ubuntu's key for CD images"
        raise UserError(
            f"{address} is not signed by {whose}: {error}. Nothing of it is used. Run this again later, name another "
            "mirror (mirror), or, where the mirror signs with a key of its own, give that key (signed_by)."
        ) from error


def _get(opener: fetch.Open, address: str) -> bytes | None:
    """Return a small file; None when there is no such file."""
    try:
        response = opener(address)
        try:
            return response.read(fetch.MAX_LIST)
        finally:
            response.close()
    except Exception as error:
        if _is_absent(error):
            return None
        why = fetch.shown(str(error)) or type(error).__name__
        raise UnreachableError(f"{fetch.shown(address)} cannot be asked ({why}).") from error


def _is_absent(error: Exception) -> bool:
    if getattr(error, "code", None) in NOT_THERE:
        return True
    return isinstance(error, URLError) and isinstance(error.reason, FileNotFoundError)
