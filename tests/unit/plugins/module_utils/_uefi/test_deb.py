# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a file out of Debian packages, whole and damaged."""

from __future__ import annotations

import gzip
import lzma
import shutil
import tarfile
import zlib
from hashlib import sha256
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import deb
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.deb import DebError, newest, version_key
from ansible_collections.homelab.netboot.tests.unit.costs import cost
from ansible_collections.homelab.netboot.tests.unit.efi import archive_of, package

SHIM = b"".join(sha256(b"shim %d" % number).digest() for number in range(3000))
FILES = {
    "usr/lib/shim/shimx64.efi.signed": SHIM,
    "usr/lib/shim/fbx64.efi.signed": b"fb",
    "usr/share/doc/x": b"x",
}
WANTED = ["usr/lib/shim/shimx64.efi.signed"]
needs_zstd = pytest.mark.skipif(not shutil.which("zstd"), reason="the program zstd is not installed")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages") / "x.deb"


def read(place: Path, data: bytes, wanted: list[str] | None = None) -> dict[str, bytes]:
    place.write_bytes(data)
    return deb.read(str(place), wanted or WANTED)


@pytest.mark.parametrize("packing", ["xz", "gz", "", pytest.param("zst", marks=needs_zstd)])
def test_packings(place: Path, packing: str) -> None:
    assert read(place, package(FILES, packing)) == {WANTED[0]: SHIM}


def test_several_and_none(place: Path) -> None:
    data = package(FILES)
    both = ["usr/lib/shim/fbx64.efi.signed", "usr/lib/shim/shimx64.efi.signed", "none"]
    assert read(place, data, both) == {both[0]: b"fb", both[1]: SHIM}
    assert read(place, data, ["none"]) == {}


def test_names_of_any_length_and_links(place: Path) -> None:
    long = "/".join(["folder"] * 60)
    assert read(place, package({long: b"x", **FILES})) == {WANTED[0]: SHIM}
    link = tarfile.TarInfo(f"./{WANTED[0]}")
    link.type, link.linkname = tarfile.SYMTYPE, "elsewhere"
    assert read(place, tar_package(link.tobuf() + bytes(1024))) == {}


def entry(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    header = tarfile.TarInfo(name)
    header.size, header.type = size, kind
    return header.tobuf(tarfile.GNU_FORMAT)


def tar_package(tar: bytes) -> bytes:
    """The same at any time: these are tests' names, too, and all of pytest's workers must give them the same."""
    return archive_of(
        {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.gz": gzip.compress(tar, mtime=0)}
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "dpkg-deb: error"),
        (b"MZ" * 100, "not a Debian format archive"),
        (b"!<arch>\n", "dpkg-deb: error"),
        (archive_of({"debian-binary": b"2.0\n"}), "unexpected end of file|no data member"),
        (
            archive_of({"debian-binary": b"2.0\n", "control.tar": b"", "data.tar.lz4": b""}),
            "unknown compression",
        ),
        (
            archive_of({"debian-binary": b"2.0\n", "control.tar": b"", "data.tar.xz": b"no xz"}),
            "cannot be unpacked",
        ),
        (tar_package(b"no tar" * 1000), "no tar archive in it"),
        (
            tar_package(entry("./a", 0).replace(b"00000000000\0", b"-0000000512\0") * 9),
            "no tar archive in it",
        ),
        (tar_package(b""), "it is cut off"),
        (tar_package(b"\0" * 100), "it is cut off"),
    ],
)
def test_no_package(place: Path, data: bytes, why: str) -> None:
    with pytest.raises(DebError, match=why) as error:
        read(place, data)
    assert str(place) not in str(error.value)


@pytest.mark.parametrize("packing", ["xz", "gz", "", pytest.param("zst", marks=needs_zstd)])
def test_cut_off(place: Path, packing: str) -> None:
    data = package({"first": b"", **{name: FILES[name] for name in WANTED}}, packing)
    for size in range(0, len(data) - 20_000, 5000):
        with pytest.raises(DebError):
            read(place, data[:size])


def test_without_dpkg_deb(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DebError, match="prlimit and dpkg-deb are needed"):
        read(place, package(FILES))


def bomb(kind: str) -> bytes:
    """A small package that is large inside, or seems so."""
    size = 1500 << 20
    head = {
        "a file": entry(f"./{WANTED[0]}", size),
        "another file": entry("./a", size),
        "a long name": entry("././@LongLink", size, tarfile.GNUTYPE_LONGNAME),
        "a header of pax": entry("./x", size, tarfile.XHDTYPE),
        "long names": b"",
        "many files": b"",
    }[kind]
    repeated = {
        "long names": entry("././@LongLink", 10 << 20, tarfile.GNUTYPE_LONGNAME) + bytes(10 << 20),
        "many files": entry("./a", 0) * 10_000,
    }.get(kind, bytes(10 << 20))
    # gzip's files may follow each other
    data = gzip.compress(head, 1) + gzip.compress(repeated, 1) * 150
    return archive_of({"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.gz": data})


def greedy_package() -> bytes:
    """One that needs a dictionary of 4 GB, as it says (The .xz File Format, 3.1)."""
    data = bytearray(lzma.compress(entry("./a", 80 << 20) + bytes(80 << 20), preset=0))
    end = 12 + 4 * (data[12] + 1)
    assert data[14:16] == b"\x21\x01"  # LZMA2, and one byte for its dictionary
    data[16] = 40
    data[end - 4 : end] = zlib.crc32(data[12 : end - 4]).to_bytes(4, "little")
    return archive_of({"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": bytes(data)})


@pytest.mark.parametrize(
    "kind",
    ["a file", "another file", "a long name", "long names", "a header of pax", "many files", "a dictionary"],
)
def test_what_is_made_to_cost_much_costs_little(place: Path, kind: str) -> None:
    data = greedy_package() if kind == "a dictionary" else bomb(kind)
    assert len(data) < 10 << 20

    def work() -> None:
        with pytest.raises(DebError):
            read(place, data)

    spent = cost(work)
    assert spent.fair, spent


def test_too_large(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = package({"a": bytes(2_000_000), **FILES})
    monkeypatch.setattr(deb, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(DebError, match="more than 1000000 bytes"):
        read(place, data)
    monkeypatch.undo()
    monkeypatch.setattr(deb, "MAX_FILE", 1000)
    with pytest.raises(DebError, match=f"has {len(SHIM)} bytes"):
        read(place, data)
    monkeypatch.setattr(deb, "MAX_PACKED", 1000)
    with pytest.raises(DebError, match="it has more than 1000 bytes"):
        read(place, data)


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
