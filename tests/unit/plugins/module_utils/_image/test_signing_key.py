# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed, by the real gpgv and keys of the lab's own."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import mirror, signing_key, ubuntu_key
from ansible_collections.homelab.netboot.plugins.module_utils._image.mirror import Asked
from ansible_collections.homelab.netboot.tests.unit import ubuntu_list
from ansible_collections.homelab.netboot.tests.unit.pgp import Key

LIST = b"0" * 64 + b" *ubuntu-24.04.3-live-server-amd64.iso\n"


# Not for the whole module: ansible-test ends each test's process without the end of such fixtures.
@pytest.fixture
def key() -> Iterator[Key]:
    with Key("Lab CD Image Key <lab@example.org>") as made:
        yield made


@pytest.fixture
def other() -> Iterator[Key]:
    with Key("Somebody Else") as made:
        yield made


def test_who_signed_is_told_by_fingerprint_and_name(key: Key) -> None:
    signer = signing_key.verify(LIST, key.sign(LIST), key.public().decode())
    assert str(signer) == f"{key.fingerprint} Lab CD Image Key <lab@example.org>"


@pytest.mark.parametrize("armor", [True, False])
def test_a_key_may_lie_in_a_file_as_gpg_writes_it(key: Key, tmp_path: Path, armor: bool) -> None:
    place = tmp_path / "key"
    place.write_bytes(key.public(armor=armor))
    assert signing_key.verify(LIST, key.sign(LIST), str(place)).fingerprint == key.fingerprint
    if not armor:  # as the distribution's keyring is
        assert signing_key.verify(LIST, key.sign(LIST), "", str(place)).fingerprint == key.fingerprint


def refused(text: bytes, signature: bytes, key: bytes) -> str:
    with pytest.raises(signing_key.BadSignatureError) as caught:
        signing_key.verify(text, signature, key.decode())
    return str(caught.value)


def test_a_changed_list_is_refused(key: Key) -> None:
    told = refused(LIST.replace(b"24.04.3", b"24.04.4"), key.sign(LIST), key.public())
    assert told.startswith("the signature is not of this list: the list or the signature was changed")


def test_another_key_is_refused_and_named(key: Key, other: Key) -> None:
    told = refused(LIST, other.sign(LIST), key.public())
    assert told == f"it is signed by another key ({other.fingerprint[-16:]})"


@pytest.mark.parametrize("signature", [b"", b"no signature", b"\x89" * 40, b"<html>Sign in</html>"])
def test_what_is_no_signature_is_refused(key: Key, signature: bytes) -> None:
    assert refused(LIST, signature, key.public()) == "that is no signature"


def both(first: bytes, second: bytes) -> bytes:
    """Two signatures in one file, as Ubuntu's older lists have them."""
    plain = [
        subprocess.run(["gpg", "--dearmor"], input=one, check=True, capture_output=True).stdout
        for one in (first, second)
    ]
    return b"".join(plain)


@pytest.mark.parametrize("turn", [False, True])
def test_a_second_signature_by_a_key_that_nobody_has_does_no_harm(key: Key, other: Key, turn: bool) -> None:
    signatures = [key.sign(LIST), other.sign(LIST)]
    signed = both(*(reversed(signatures) if turn else signatures))
    assert signing_key.verify(LIST, signed, key.public().decode()).fingerprint == key.fingerprint


def test_only_a_signature_that_gpgv_calls_good_counts() -> None:
    valid = f"[GNUPG:] NEWSIG\n[GNUPG:] VALIDSIG {'A' * 40} 2026-01-01 0 0 4 0 1 10 00 {'B' * 40}\n"
    with pytest.raises(signing_key.BadSignatureError):
        signing_key.understood(valid)
    signer = signing_key.understood(valid.replace("VALIDSIG", "GOODSIG AAAA Lab\n[GNUPG:] VALIDSIG"))
    assert signer == signing_key.Signer("B" * 40, "Lab"), "a subkey is told by its primary key"
    other = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG AAAA Lab\n" + valid
    with pytest.raises(signing_key.BadSignatureError):
        signing_key.understood(other)


def test_one_good_signature_does_not_make_up_for_a_bad_one(key: Key) -> None:
    signed = both(key.sign(LIST), key.sign(b"something else"))
    assert "was changed" in refused(LIST, signed, key.public())


def test_a_signature_that_has_ended_is_refused(key: Key) -> None:
    old = ["--faked-system-time", "20260101T000000", "--default-sig-expire", "1d"]
    with Key("Old", *old[:2]) as made:
        assert "out of date" in refused(LIST, made.sign(LIST, *old), made.public())


def test_a_key_that_was_revoked_is_refused() -> None:
    with Key("Revoked") as made:
        signature = made.sign(LIST)
        assert signing_key.verify(LIST, signature, made.public().decode()).name == "Revoked"
        made.revoke()
        assert refused(LIST, signature, made.public()).startswith("the key was revoked")


@pytest.mark.parametrize("key", ["-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP", "words", "/nope"])
def test_a_key_that_is_none_is_told(key: str) -> None:
    with pytest.raises(UserError, match=r"signed_by: .*gpg --export --armor"):
        signing_key.verify(LIST, b"", key)


def test_without_a_keyring_of_the_distribution_ubuntus_key_of_2012_counts(tmp_path: Path) -> None:
    plain = signing_key.keys("", str(tmp_path / "nope.gpg"))
    assert plain == ubuntu_key.KEY
    assert ubuntu_key.FINGERPRINT == "843938DF228D22F7B3742BC0D94AA3F0EFE21092"  # as Ubuntu publishes it
    assert (
        plain[0] == 0x99
    )  # a public key with a length of two bytes, over which a fingerprint goes (RFC 9580, 5.5.4)
    body = plain[: 3 + int.from_bytes(plain[1:3], "big")]
    assert hashlib.sha1(body).hexdigest().upper() == ubuntu_key.FINGERPRINT  # noqa: S324 - that is what a version 4 one is


def test_a_list_of_ubuntus_own_is_verified_by_the_key_that_we_carry(tmp_path: Path) -> None:
    signer = signing_key.verify(ubuntu_list.SUMS, ubuntu_list.SIGNATURE, "", str(tmp_path / "nope.gpg"))
    assert str(signer) == (
        f"{ubuntu_key.FINGERPRINT} Ubuntu CD Image Automatic Signing Key (2012) <cdimage@ubuntu.com>"
    )
    with pytest.raises(signing_key.BadSignatureError):
        signing_key.verify(ubuntu_list.SUMS[1:], ubuntu_list.SIGNATURE, "", str(tmp_path / "nope.gpg"))
    found = mirror.newest(
        mirror.listed(ubuntu_list.SUMS.decode(), "amd64"), Asked("26.04", "resolute", "amd64")
    )
    assert found is not None
    assert found.file == "ubuntu-26.04.1-live-server-amd64.iso"


def test_without_gpgv_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nope")
    with pytest.raises(UserError, match="apt install gpgv"):
        signing_key.verify(LIST, b"", "")
