# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Who signed a list of checksums. gpgv verifies (GnuPG's, which apt uses, too); what it says is understood here."""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import ubuntu_key

PROGRAM = "gpgv"
#: Packages ubuntu-keyring of Ubuntu and Debian 13 put it there, and keep it up to date.
KEYRING = "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
LIMIT = 60  # seconds that it may take

_STATUS = re.compile(r"\[GNUPG:\] (?P<word>[A-Z_]+)(?: (?P<rest>.*))?")
_ARMOUR = re.compile(r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?P<inside>.*?)-----END PGP", re.DOTALL)
# What gpgv says of a signature instead of GOODSIG. ERRSIG, that it does not know the key, is no fault as such: older
# lists of Ubuntu are signed by a key of 2004, too, which keyrings have no more.
_FAULTS = {
    "BADSIG": "the signature is not of this list: the list or the signature was changed",
    "EXPSIG": "the signature is out of date",
    "EXPKEYSIG": "the key is out of date",
    "REVKEYSIG": "the key was revoked",
}


@dataclass(frozen=True)
class Signer:
    """Who signed: the key's fingerprint, and the name that it gives."""

    fingerprint: str
    name: str

    def __str__(self) -> str:
        return f"{self.fingerprint} {self.name}".strip()


class BadSignatureError(Exception):
    """The text says what is wrong with the signature."""


def program() -> str | None:
    """Where gpgv is; None when it is not installed."""
    return shutil.which(PROGRAM)


def understood(status: str) -> Signer:
    """Understand gpgv's lines for programs (GnuPG's doc/DETAILS). Each signature has lines of its own.

    Raises BadSignatureError, unless there is a good signature, and none that is bad.
    """
    signer, unknown, name = None, [], ""
    for line in status.splitlines():
        match = _STATUS.fullmatch(line)
        word, rest = (match["word"], match["rest"] or "") if match else ("", "")
        if word in _FAULTS:
            raise BadSignatureError(f"{_FAULTS[word]} (key {rest.partition(' ')[0]})")
        if word == "NEWSIG":
            name = ""
        elif word == "GOODSIG":
            name = rest.partition(" ")[2]
        elif word == "VALIDSIG" and name and signer is None:
            # the last is the primary key's, when a subkey signed
            signer = Signer(rest.split()[-1], name)
        elif word == "ERRSIG":
            unknown.append(rest.partition(" ")[0])
    if signer:
        return signer
    keys = f"it is signed by another key ({', '.join(unknown)})" if unknown else "that is no signature"
    raise BadSignatureError(keys)


def verify(text: bytes, signature: bytes, key: str, keyring: str = KEYRING) -> Signer:
    """Return who signed `text`.

    key: the only key that counts, as text in ASCII armour or as the path of a file; empty for Ubuntu's.
    Raises BadSignatureError; UserError when the key cannot be used, or gpgv is not there.
    """
    gpgv = program()
    if not gpgv:
        raise UserError(
            f"{PROGRAM} is needed to verify who signed the list of checksums: apt install {PROGRAM}."
        )
    with tempfile.TemporaryDirectory(prefix="netboot-gpgv-") as work:
        files = {"list": text, "signature": signature, "keys": keys(key, keyring)}
        for name, content in files.items():
            with open(os.path.join(work, name), "wb") as file:
                file.write(content)
        argv = [gpgv, "--homedir", work, "--status-fd", "1", "--keyring", f"{work}/keys"]
        argv += [f"{work}/signature", f"{work}/list"]
        try:
            done = subprocess.run(
                argv, check=False, timeout=LIMIT, stdin=subprocess.DEVNULL, capture_output=True
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"{gpgv} cannot verify who signed the list of checksums ({error}).") from error
    return understood(done.stdout.decode("utf-8", "replace"))


def keys(key: str, keyring: str = KEYRING) -> bytes:
    """Return the keys that count, as gpgv reads them. Raises UserError when there are none."""
    if not key:
        try:
            with open(keyring, "rb") as file:
                return file.read()
        except OSError:
            return ubuntu_key.KEY
    what, content = "its text", key.encode()
    if key.startswith("/"):
        what = key
        try:
            with open(key, "rb") as file:
                content = file.read()
        except OSError as error:
            raise UserError(
                f"signed_by: {key} cannot be read ({error.strerror}). It is a file on the server with a public key; "
                "correct it, or give the key itself as text (gpg --export --armor)."
            ) from error
    if content[:1] and content[0] & 0x80:  # as each packet of OpenPGP begins (RFC 9580, 4.2)
        return content
    plain = _plain(content.decode("utf-8", "replace"))
    if not plain:
        raise UserError(
            f"signed_by: {what} is no public key. Give what 'gpg --export --armor KEY' prints, or a file with it."
        )
    return plain


def _plain(armoured: str) -> bytes:
    """Take the armour off (RFC 9580, 6.2): after the headers base64, and a checksum that begins with '='."""
    result = b""
    for match in _ARMOUR.finditer(armoured.replace("\r\n", "\n")):
        lines = (
            match["inside"].partition("\n\n")[2]
            if "\n\n" in match["inside"]
            else match["inside"].lstrip("\n")
        )
        data = "".join(line for line in lines.split() if not line.startswith("="))
        try:
            result += base64.b64decode(data, validate=True)
        except binascii.Error:
            return b""
    return result
