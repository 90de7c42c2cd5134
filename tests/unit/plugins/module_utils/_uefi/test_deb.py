# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a file out of Debian packages, whole and damaged."""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
from hashlib import sha256

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import deb
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.deb import DebError, newest, version_key
from ansible_collections.homelab.netboot.tests.unit.efi import archive_of, package
from hypothesis import given, settings
from hypothesis import strategies as st

SHIM = b"".join(sha256(b"shim %d" % number).digest() for number in range(3000))
FILES = {
    "usr/lib/shim/shimx64.efi.signed": SHIM,
    "usr/lib/shim/fbx64.efi.signed": b"fb",
    "usr/share/doc/x": b"x",
}
WANTED = ["usr/lib/shim/shimx64.efi.signed"]
needs_zstd = pytest.mark.skipif(not shutil.which("zstd"), reason="the program zstd is not installed")


def read(data: bytes, wanted: list[str] | None = None) -> dict[str, bytes]:
    return deb.read(lambda offset, count: data[offset : offset + count], len(data), wanted or WANTED)


@pytest.mark.parametrize("packing", ["xz", "gz", "", pytest.param("zst", marks=needs_zstd)])
def test_packings(packing: str) -> None:
    assert read(package(FILES, packing)) == {WANTED[0]: SHIM}


@needs_zstd
def test_zstd_without_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deb, "zstandard", None)
    data = package({**FILES, "zzz": b"more than anybody reads" * 100_000}, "zst")
    assert read(data) == {WANTED[0]: SHIM}
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DebError, match="apt install zstd"):
        read(data)


def test_several_and_none() -> None:
    data = package(FILES)
    both = ["usr/lib/shim/fbx64.efi.signed", "usr/lib/shim/shimx64.efi.signed", "none"]
    assert read(data, both) == {both[0]: b"fb", both[1]: SHIM}
    assert read(data, ["none"]) == {}


def test_links_are_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["tarfile"].TarInfo, "isfile", lambda self: False)
    assert read(package(FILES)) == {}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no Debian package"),
        (b"MZ" * 100, "no Debian package"),
        (b"!<arch>\n", "no data.tar in it"),
        (archive_of({"debian-binary": b"2.0\n"}), "no data.tar in it"),
        (archive_of({**{f"x{number}": b"" for number in range(40)}, "data.tar": b""}), "no data.tar in it"),
        (archive_of({"data.tar.lz4": b""}), "unknown way .data.tar.lz4"),
        (archive_of({"data.tar.xz": b"no xz"}), "damaged"),
        (archive_of({"data.tar.gz": b"no gz"}), "damaged"),
        (archive_of({"data.tar": b"no tar" * 1000}), "damaged"),
        (archive_of({"data.tar": b""}), "damaged"),
        pytest.param(archive_of({"data.tar.zst": b"no zstd"}), "damaged", marks=needs_zstd),
    ],
)
def test_no_package(data: bytes, why: str) -> None:
    with pytest.raises(DebError, match=why):
        read(data)


@pytest.mark.parametrize("packing", ["xz", "gz", "", pytest.param("zst", marks=needs_zstd)])
def test_cut_off(packing: str) -> None:
    data = package({"first": b"", **{name: FILES[name] for name in WANTED}}, packing)
    for size in range(0, len(data) - 20_000, 5000):
        with pytest.raises(DebError):
            read(data[:size])


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    data = package({"a": bytes(2_000_000), **FILES})
    monkeypatch.setattr(deb, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(DebError, match="more than 1000000 bytes"):
        read(data)
    monkeypatch.undo()
    monkeypatch.setattr(deb, "MAX_FILE", 1000)
    with pytest.raises(DebError, match=f"has {len(SHIM)} bytes"):
        read(data)
    monkeypatch.setattr(deb, "MAX_PACKED", 1000)
    with pytest.raises(DebError, match="its data have"):
        read(data)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["xz", "gz", ""]), st.integers(0, 2**31), st.integers(1, 5))
def test_flipped_bytes(packing: str, seed: int, count: int) -> None:
    """A file, or one clear error; whether the file is right is for its signature to say."""
    dice = random.Random(seed)  # noqa: S311 - damage, not a secret
    data = bytearray(package(FILES, packing))
    for _number in range(count):
        data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    with contextlib.suppress(DebError):
        read(bytes(data))


def test_versions() -> None:
    """Examples of deb-version(7), and of the packages that this is for."""
    ordered = [
        "1.0~~",
        "1.0~rc1",
        "1.0",
        "1.0a",
        "1.0+b",
        "1.0.1",
        "1.2+2.04",
        "1.2+2.12",
        "1.10",
        "1.51~1",
        "1.51",
    ]
    mixed = [*ordered[1::2], *ordered[::2]]
    assert sorted(mixed, key=version_key) == ordered
    same = "pool/main/s/shim-signed/shim-signed_{}_amd64.deb"
    assert newest([same.format(version) for version in ("1.9", "1.51~1", "1.58", "1.58~20")]) == same.format(
        "1.58"
    )
