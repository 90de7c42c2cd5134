# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading UEFI programs and what is in a shim, whole and damaged."""

from __future__ import annotations

import contextlib
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import pe
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.pe import PeError
from ansible_collections.homelab.netboot.tests.unit.costs import cost
from ansible_collections.homelab.netboot.tests.unit.efi import (
    SHA256,
    X509,
    Key,
    grub,
    program,
    sbat,
    shim,
    signature_list,
)
from hypothesis import given, settings
from hypothesis import strategies as st

needs_sbsign = pytest.mark.skipif(
    not shutil.which("sbsign"), reason="sbsign is not installed (package sbsigntool)"
)
CERTIFICATE = b"\x30\x82\x01\x00" + bytes(256)  # only its length is looked at


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    return Key.make(tmp_path_factory.mktemp("keys"), "Ünser Name")


def test_program() -> None:
    read = pe.read(program({".short": b"a", ".sbat": b"c", ".sbatlevel": b"b" * 600}, 0xAA64))
    assert (read.machine, read.signatures) == (0xAA64, ())
    assert read.sections == {".sbat": b"c", ".sbatlevel": b"b" * 600}  # the long name lies elsewhere


@needs_sbsign
def test_signature(key: Key) -> None:
    unsigned = grub()
    signed = key.sign(unsigned)
    assert len(pe.read(signed).signatures) == 1
    assert pe.read(signed).digest == pe.read(unsigned).digest
    assert pe.read(signed).digest in signed  # as the program that signed it computed it
    with pytest.raises(PeError, match="cut off: its signature"):
        pe.read(signed[:-1])


# ---- who signed


@needs_sbsign
def test_signers(key: Key, tmp_path: Path) -> None:
    """As firmware sees it: whose certificate the signer's is under, for each signature."""
    new = Key.make(tmp_path, "Microsoft UEFI CA 2023")
    publisher = Key.make(tmp_path, "Publisher", new, authority=False)
    twice = publisher.sign(key.sign(grub()), new)
    assert pe.signers(pe.read(grub())) == ()
    assert pe.signers(pe.read(key.sign(grub()))) == ("Ünser Name",)
    assert pe.signers(pe.read(twice)) == ("Ünser Name", "Microsoft UEFI CA 2023")
    assert pe.signers(pe.read(without_first(tmp_path, twice))) == ("Microsoft UEFI CA 2023",)


def without_first(folder: Path, data: bytes) -> bytes:
    """Take the first signature away, as sbattach does it."""
    (folder / "x.efi").write_bytes(data)
    subprocess.run(["sbattach", "--remove", str(folder / "x.efi")], check=True, capture_output=True)
    return (folder / "x.efi").read_bytes()


@needs_sbsign
def test_signatures_that_cannot_be_read(key: Key) -> None:
    signed = key.sign(grub())
    [signature] = pe.read(signed).signatures
    assert pe.signers(pe.read(signed.replace(signature, bytes(len(signature))))) == ("unknown",)
    for size in range(0, 400, 7):
        data = signed.replace(signature, signature[:size].ljust(len(signature), b"\x30"))
        assert len(pe.signers(pe.read(data))) == 1
    table = signed.index(signature) - pe.TABLE_HEADER
    with pytest.raises(PeError, match="signatures contradict themselves"):
        pe.read(signed[:table] + struct.pack("<L", 4) + signed[table + 4 :])
    other = (
        signed[: table + 6] + struct.pack("<H", 1) + signed[table + 8 :]
    )  # a kind that firmware does not read
    assert pe.read(other).signatures == ()


# ---- what is made to cost much


def test_sections_that_all_are_the_whole_file_cost_little() -> None:
    count = 60_000
    section = struct.pack("<8s4L", b".sbat", 10**9, 0, 16 << 20, 0).ljust(40, b"\0")
    data = bytearray(program())
    start = struct.unpack_from("<L", data, 60)[0]
    struct.pack_into("<H", data, start + 6, count)
    table = start + 24 + struct.unpack_from("<H", data, start + 20)[0]
    data[table:] = (section * count).ljust(16 << 20, b"\0")

    def work() -> None:
        with pytest.raises(PeError, match="60000 sections"):
            pe.read(bytes(data))
        struct.pack_into("<H", data, start + 6, 90)
        pe.sbat(pe.read(bytes(data)))

    spent = cost(work)
    assert spent.fair, spent


def test_too_many_certificates_are_refused() -> None:
    lists = signature_list(X509, [b"c" * 20] * 100)
    with pytest.raises(PeError, match="more than 64 certificates"):
        pe.trust(pe.read(shim(lists)))
    with pytest.raises(PeError, match="more than 64 certificates"):
        pe.trust(pe.read(shim(CERTIFICATE, lists)))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no UEFI program"),
        (b"\x1f\x8b\x08" * 100, "gzip"),
        (b"\x7fELF" * 100, "no UEFI program"),
        (b"MZ" + bytes(100), "no UEFI program"),
        (b"MZ", "damaged"),
        (b"MZ".ljust(60) + struct.pack("<L", 10**9), "no UEFI program"),
        (program().replace(struct.pack("<H", 0x20B), b"xx", 1), "no UEFI program"),
        (program()[:-1], "cut off"),
    ],
)
def test_no_program(data: bytes, why: str) -> None:
    with pytest.raises(PeError, match=why):
        pe.read(data)


def test_versions() -> None:
    lines = sbat("grub,5,FSF,grub,2.12~rc1-10,URL", "short,1", "odd", "x,one,X,x,1,URL")
    assert pe.sbat(pe.read(grub(lines))) == {"sbat": (1, "1"), "grub": (5, "2.12~rc1-10"), "short": (1, "")}
    assert pe.sbat(pe.read(program())) == {}
    assert pe.shim_version(pe.read(shim(CERTIFICATE))) == "16.1"
    assert pe.shim_version(pe.read(grub())) is None
    assert [pe.numbers(text) for text in ("2.12", "2.12~rc1-10", "2", "", "x2")] == [
        (2, 12),
        (2, 12),
        (2,),
        (),
        (),
    ]


@pytest.mark.parametrize("digits", ["9" * 500_000, "²", "-1", ""])
def test_numbers_that_are_none(digits: str) -> None:
    lines = sbat(f"grub,{digits},FSF,grub,{digits},URL")
    assert "grub" not in pe.sbat(pe.read(grub(lines)))
    pe.shim_version(pe.read(shim(CERTIFICATE, level=f"shim,{digits}")))
    spent = cost(lambda: pe.numbers(digits))
    assert spent.fair, spent


def test_sbat_level() -> None:
    assert pe.sbat_level(pe.read(shim(CERTIFICATE, level="shim,4\ngrub,5"))) == {"shim": 4, "grub": 5}
    assert pe.sbat_level(pe.read(shim(CERTIFICATE))) == {}
    assert pe.sbat_level(pe.read(program({".sbatlevel": struct.pack("<3L", 9, 0, 0)}))) == {}


def test_trust() -> None:
    assert pe.trust(pe.read(shim(CERTIFICATE))) == pe.Trust((CERTIFICATE,), (), frozenset())
    other = CERTIFICATE[:-1] + b"x"
    lists = (
        signature_list(X509, [CERTIFICATE, other])
        + signature_list(SHA256, [b"h" * 32])
        + signature_list(X509, [b"c"])
    )
    assert pe.trust(pe.read(shim(lists))).certificates == (CERTIFICATE, other, b"c")
    bad = signature_list(SHA256, [b"1" * 32, b"2" * 32]) + signature_list(X509, [other])
    assert pe.trust(pe.read(shim(CERTIFICATE, bad))) == pe.Trust(
        (CERTIFICATE,), (other,), frozenset([b"1" * 32, b"2" * 32])
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (grub(), "is no shim"),
        (shim(b""), "no vendor's certificate"),
        (shim(signature_list(SHA256, [b"h" * 32])), "nothing but hashes"),
        (shim(b"x"), "cut off"),
        (shim(CERTIFICATE[:-1]), "contradicts itself|cut off"),
        (shim(CERTIFICATE, X509 + struct.pack("<3L", 0, 0, 20)), "contradicts itself"),
        (shim(CERTIFICATE, X509 + struct.pack("<3L", 28, 0, 0)), "contradicts itself"),
        (shim(CERTIFICATE, X509 + struct.pack("<3L", 10**9, 0, 20)), "contradicts itself"),
        (program({".vendor_cert": struct.pack("<4L", 10**9, 0, 16, 16)}), "lie beyond its end"),
    ],
)
def test_no_trust(data: bytes, why: str) -> None:
    with pytest.raises(PeError, match=why):
        pe.trust(pe.read(data))


def test_common_name(key: Key, tmp_path: Path) -> None:
    assert pe.common_name(key.der) == "Ünser Name"
    assert pe.common_name(Key.make(tmp_path, "leaf", key).der) == "leaf"
    for data in (b"", b"0", CERTIFICATE, key.der[:200], b"\x30\x80" + key.der):
        assert pe.common_name(data) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5), st.booleans())
def test_damaged(seed: int, count: int, cut: bool) -> None:
    """Some answer, or a PeError, and no other."""
    dice = random.Random(seed)  # noqa: S311 - damage, not a secret
    revoked = signature_list(SHA256, [b"1" * 32, b"2" * 32])
    data = bytearray(shim(signature_list(X509, [CERTIFICATE]), revoked, level="grub,5"))
    used = [at for at, byte in enumerate(data) if byte]
    for _number in range(count):
        data[dice.choice(used)] ^= dice.randrange(1, 256)
    if cut:
        del data[dice.randrange(len(data)) :]
    with contextlib.suppress(PeError):
        read = pe.read(bytes(data))
        pe.sbat(read)
        pe.sbat_level(read)
        pe.shim_version(read)
        for certificate in pe.trust(read).certificates:
            pe.common_name(certificate)
