# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of more than 4 GiB, which no record of ISO 9660 can hold: whole, or refused, never cut.

The file and the images have holes, so that they cost no disk.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pycdlib
import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import Image, IsoError

from tests.isos.others import SEVEN

SIZE = (4 << 30) + 12_345
RECORD = (4 << 30) - 2048  # what a record holds at the most, in whole sectors
MAKERS = {
    "xorriso": ("xorriso", "-as", "mkisofs", "-quiet", "-iso-level", "3", "-R", "-J"),
    "genisoimage": ("genisoimage", "-quiet", "-iso-level", "3", "-allow-limited-size", "-R", "-J"),
}


class _Sparse(io.FileIO):
    """Writes holes where zeros are to be written, for pycdlib."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if data.count(0) < len(data):
            return super().write(data)
        self.seek(len(data), os.SEEK_CUR)
        return len(data)


@pytest.fixture(scope="session", name="large")
def _large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "in/casper/large"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(SIZE)
        for place in (0, 1 << 30, RECORD - 2000, (4 << 30) - 2000, SIZE - 4000):
            file.seek(place)
            file.write(os.urandom(4000))
    (path.parents[1] / "small").write_bytes(b"small\n")
    (path.parents[1] / "link").symlink_to("casper/large")
    return path


@pytest.fixture(scope="session", name="images")
def _images(large: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each maker, two at a time."""
    top = tmp_path_factory.mktemp("images")
    made = {name: top / f"{name}.iso" for name in (*MAKERS, "pycdlib")}
    command = '"$@" -o - "$IN" | dd conv=sparse bs=1M iflag=fullblock of="$OUT" status=none'
    running = [
        subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", command, "sh", *program],
            env={**os.environ, "IN": str(large.parents[1]), "OUT": str(made[name])},
            stderr=subprocess.DEVNULL,
        )
        for name, program in MAKERS.items()
    ]
    _by_pycdlib(large, made["pycdlib"])
    assert [process.wait() for process in running] == [0, 0]
    return made


def _by_pycdlib(large: Path, path: Path) -> None:
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09", joliet=3)
    iso.add_directory("/CASPER", rr_name="casper", joliet_path="/casper")
    iso.add_file(str(large), "/CASPER/LARGE.;1", rr_name="large", joliet_path="/casper/large")
    iso.add_symlink("/LINK.;1", rr_symlink_name="link", rr_path="casper/large")
    with _Sparse(path, "w") as file:
        iso.write_fp(file, blocksize=1 << 20)
        file.truncate(-(-file.tell() // 2048) * 2048)


def _data(path: Path, begin: int, end: int) -> dict[int, bytes]:
    """What is no hole between two places of a file, by the place from the first on, without zeros at the ends."""
    found = {}
    with path.open("rb") as file:
        place = begin
        while place < end:
            try:
                first = os.lseek(file.fileno(), place, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            place = min(os.lseek(file.fileno(), first, os.SEEK_HOLE), end)
            if first < place:
                file.seek(first)
                for at, part in _without_zeros(file.read(place - first)):
                    found[first - begin + at] = part
    return found


def _without_zeros(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The runs of bytes between long runs of zeros, which may be holes or not."""
    for part in re.finditer(rb"[^\0](?:\0{0,99}[^\0])*", data):
        yield part.start(), part[0]


@pytest.mark.parametrize("maker", [*MAKERS, "pycdlib"])
def test_it_is_taken_out_whole(images: dict[str, Path], large: Path, maker: str) -> None:
    iso = images[maker]
    with iso.open("rb") as file:
        image = Image(file, iso.name)
        extent = image.find("casper/large")
        assert image.find("link") == extent
        every = image._trees
        for tree in [] if maker == "genisoimage" else every:  # it cuts the file in all but UDF
            image._trees = [tree]
            assert image.find("casper/large") == extent
    assert extent.size == SIZE
    assert _data(iso, extent.offset, extent.offset + SIZE) == _data(
        large, 0, SIZE
    )  # byte for byte, but for holes
    assert iso.stat().st_blocks * 512 < 64 << 20


def test_7z_takes_out_the_same(images: dict[str, Path], large: Path) -> None:
    """From UDF, since all other names are of the file that is cut."""
    arguments: list[str | Path] = [SEVEN, images["genisoimage"], large]
    command = '"$1" e -so -tudf "$2" casper/large | cmp - "$3"'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, "sh", *arguments], capture_output=True, check=False
    )
    assert done.returncode == 0, done


def test_pieces_that_do_not_follow_each_other_are_refused(images: dict[str, Path]) -> None:
    """No maker writes such: the second piece's place is moved on by one sector, in each tree."""
    iso = images["xorriso"]
    with iso.open("rb") as file:
        second = (Image(file, "x").find("casper/large").offset + RECORD) // 2048
    head = iso.open("rb").read(1 << 20)
    place = second.to_bytes(4, "little") + second.to_bytes(4, "big")
    moved = (second + 1).to_bytes(4, "little") + (second + 1).to_bytes(4, "big")
    assert place in head
    try:
        with iso.open("r+b") as file:
            file.write(head.replace(place, moved))
        with iso.open("rb") as file, pytest.raises(IsoError, match="pieces that do not follow"):
            Image(file, "x").find("casper/large")
    finally:
        with iso.open("r+b") as file:
            file.write(head)
