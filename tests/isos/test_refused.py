# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not happen: compressed bytes in the place of a file, and a path out of the image or of `dest`."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import Image, IsoError
from ansible_collections.homelab.netboot.tests.unit.extracts import extract

from tests.isos.made import GENISOIMAGE, XORRISO, pack, paths

FILTER = ("-set_filter_r", "--zisofs", "/", "--", "-commit")
#: How an image with compressed files is made: of files that mkzftree packed, or by xorriso itself.
ZISOFS = {
    "mkzftree, genisoimage": (*GENISOIMAGE, "-z", "-R", "-o", "ISO", "PACKED"),
    "mkzftree, genisoimage, Joliet": (*GENISOIMAGE, "-J", "-o", "ISO", "PACKED"),
    "mkzftree, xorriso": (*XORRISO, "-z", "-R", "-o", "ISO", "PACKED"),
    "xorriso": ("xorriso", "-outdev", "ISO", "-map", "FILES", "/", "-zisofs", "level=9", *FILTER),
    "xorriso, second version": (
        *("xorriso", "-outdev", "ISO", "-map", "FILES", "/"),
        *("-zisofs", "level=9:version_2=on", *FILTER),
    ),
    "xorriso, second version, its own record": (
        *("xorriso", "-outdev", "ISO", "-map", "FILES", "/"),
        *("-zisofs", "level=9:version_2=on:susp_z2=on", *FILTER),
    ),
}


@pytest.fixture(scope="module", name="kernel")
def _kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose files can be compressed, and the same by mkzftree beside it."""
    top = tmp_path_factory.mktemp("zisofs")
    (top / "FILES/casper").mkdir(parents=True)
    words = random.Random(1).choices((b"kernel", b"initrd", b"Ubuntu"), k=60_000)  # noqa: S311 - no secret
    (top / "FILES/casper/vmlinuz").write_bytes(b" ".join(words))
    (top / "FILES/casper/initrd").write_bytes(b"initrd " * 90_000)
    pack(["mkzftree", str(top / "FILES"), str(top / "PACKED")])
    return top


@pytest.mark.parametrize("how", ZISOFS)
def test_compressed_files_are_refused(kernel: Path, tmp_path: Path, how: str) -> None:
    iso = tmp_path / "x.iso"
    places = {"ISO": str(iso), "FILES": str(kernel / "FILES"), "PACKED": str(kernel / "PACKED")}
    pack([places.get(word, word) for word in ZISOFS[how]])
    assert iso.stat().st_size < 1 << 20
    with pytest.raises(IsoError, match=r"x\.iso has .* in compressed form \(zisofs\)"):
        extract(iso, tmp_path / "dest")
    assert not (tmp_path / "dest").exists()


#: Names of files of the same length, and what they become in the image.
HOSTILE = {
    b"file-a-name-here": b"../../../outside",
    b"file-b-name-here": b"/tmp/../outside/",
    b"zz": b"..",
    b"z": b".",
    b"file-c-name": b"\0../outside",
}


@pytest.fixture(scope="module", name="hostile")
def _hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with names that lead out of it, in Rock Ridge, and links that do."""
    top = tmp_path_factory.mktemp("hostile")
    source = top / "in"
    source.mkdir()
    for good in HOSTILE:
        (source / good.decode()).mkdir()
        (source / good.decode() / "vmlinuz").write_bytes(b"hostile\n")
        (source / f"also-{good.decode()}").write_bytes(b"hostile\n")
    (source / "casper").mkdir()
    (source / "casper/vmlinuz").write_bytes(b"good\n")
    for name, target in {
        "up": "..",
        "ups": "../../../../../../..",
        "root": "/",
        "out": "../outside",
        "passwd": "/etc/passwd",
        "circle": "circle",
        "round": "casper/../round",
        "through": "casper/vmlinuz/../../..",
    }.items():
        (source / name).symlink_to(target)
    iso = top / "x.iso"
    pack([*XORRISO, "-R", "-o", str(iso), str(source)])
    data = iso.read_bytes()
    for good, bad in HOSTILE.items():
        record = b"NM" + bytes([5 + len(good), 1, 0])  # Rock Ridge's record of a name
        assert record + good in data
        data = data.replace(record + good, record + bad)
        data = data.replace(b"also-" + good, b"../" + bad.ljust(len(good) + 2)[: len(good) + 2])
    iso.write_bytes(data)
    return iso


SOURCES = (
    *("../outside", "..", ".", "/", "up", "ups", "root", "out", "passwd", "circle", "round", "through"),
    *("up/vmlinuz", "up/outside", "ups/etc/passwd", "root/etc/passwd", "out/vmlinuz", "through/etc/passwd"),
    *(
        "../vmlinuz",
        "./vmlinuz",
        "../../../outside/vmlinuz",
        "tmp/../outside/vmlinuz",
        "\0../outside/vmlinuz",
    ),
)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["vmlinuz", "../outside", "/tmp/outside", "a/../../outside", "a/b"])
def test_nothing_leaves_dest(hostile: Path, tmp_path: Path, source: str, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine\n")
    dest = tmp_path / "dest"
    try:
        extract(hostile, dest, {source: name})
    except UserError as error:
        assert str(error).isprintable()
    assert [path for path in paths(tmp_path) if not path.startswith("dest/")] == ["outside"]
    assert outside.read_bytes() == b"mine\n"
    written = [path for path in dest.rglob("*") if path.is_file() and not path.name.startswith(".iso_boot")]
    assert {path.read_bytes() for path in written} <= {b"hostile\n", b"good\n"}
    assert not Path("/tmp/outside").exists()


def test_what_is_not_hostile_there_is_taken_out(hostile: Path, tmp_path: Path) -> None:
    extract(hostile, tmp_path / "dest", {"casper/vmlinuz": "vmlinuz"})
    assert (tmp_path / "dest/vmlinuz").read_bytes() == b"good\n"


@pytest.mark.parametrize("pattern", ["**/*", "**/vmlinuz", "*", "../*", "*/*"])
def test_a_pattern_finds_no_way_out(hostile: Path, pattern: str) -> None:
    """It is refused, or what it names is in the image."""
    with hostile.open("rb") as file, contextlib.suppress(IsoError):
        image = Image(file, hostile.name)
        for path in image.matching(pattern):
            assert image.find(path).size in (len(b"hostile\n"), len(b"good\n"))
