# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and copying files in whole, shortened and damaged images. No root, nothing faked but where said."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._image import iso as iso_module
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import (
    MAX_READ,
    Image,
    IsoError,
    MissingError,
    copy,
)
from ansible_collections.homelab.netboot.tests.unit import hostile
from ansible_collections.homelab.netboot.tests.unit.costs import NET, cost
from ansible_collections.homelab.netboot.tests.unit.extracts import (
    INITRD,
    KERNEL,
    KINDS,
    extract,
    untouched,
)
from ansible_collections.homelab.netboot.tests.unit.isos import INFO, make_iso, ubuntu_files
from hypothesis import given, settings
from hypothesis import strategies as st


def content(iso: Path, path: str) -> bytes:
    data = bytearray()
    with iso.open("rb") as file:
        copy(file, iso.name, Image(file, iso.name).find(path), data.extend)
    return bytes(data)


# ---- looking up


@pytest.mark.parametrize("kind", KINDS)
def test_every_namespace(isos: dict[str, Path], kind: str) -> None:
    assert content(isos[kind], "casper/vmlinuz") == KERNEL
    assert content(isos[kind], "casper/initrd") == INITRD
    assert content(isos[kind], "casper/hwe-vmlinuz") == b"hwe " * 10
    assert content(isos[kind], "empty") == b""
    with isos[kind].open("rb") as file:
        assert Image(file, "x").release() == INFO


@pytest.mark.parametrize("keyword", ["rr_path", "joliet_path", "udf_path", "iso_path"])
def test_each_tree_of_an_image_that_has_all(isos: dict[str, Path], keyword: str) -> None:
    data = bytearray()
    with isos["all"].open("rb") as file:
        image = Image(file, "x")
        image._trees = [tree for tree in image._trees if tree.keyword == keyword]
        copy(file, "x", image.find("casper/vmlinuz"), data.extend)
    assert data == KERNEL


@pytest.mark.parametrize("kind", KINDS)
def test_missing_file_names_what_is_there(isos: dict[str, Path], kind: str) -> None:
    with pytest.raises(
        MissingError, match=r"(?i)casper/vmlinux is not in .*: casper has .*initrd.*vmlinuz"
    ) as error:
        content(isos[kind], "casper/vmlinux")
    assert "hwe-vmlinuz" in str(error.value) or kind.startswith("plain")


def test_missing_folder_names_the_top(isos: dict[str, Path]) -> None:
    with pytest.raises(MissingError, match=r"the top folder has \.disk, casper"):
        content(isos["all"], "install/vmlinuz")


def test_long_list_is_cut(tmp_path: Path) -> None:
    iso = make_iso(tmp_path / "x.iso", {f"many/file{number:02}": b"" for number in range(30)})
    with pytest.raises(MissingError, match="file19 and 10 more"):
        content(iso, "many/x")


@pytest.mark.parametrize("kind", KINDS)
def test_folder_is_no_file(isos: dict[str, Path], kind: str) -> None:
    with pytest.raises(IsoError, match=r"casper in .* is a folder, not a file. It has "):
        content(isos[kind], "casper")


@pytest.mark.parametrize("kind", KINDS)
def test_file_is_no_folder(isos: dict[str, Path], kind: str) -> None:
    with pytest.raises(MissingError, match="vmlinuz is a file there"):
        content(isos[kind], "casper/vmlinuz/x")


def test_links(tmp_path: Path) -> None:
    links = {
        "kernel": "casper/vmlinuz",
        "casper/same": "./vmlinuz",
        "twice": "casper/../kernel",
        "folder": "casper",
        "out": "casper/../../etc/passwd",
        "absolute": "/etc/passwd",
        "circle": "circle",
        "dead": "casper/gone",
    }
    iso = make_iso(tmp_path / "x.iso", ubuntu_files(KERNEL, INITRD), links=links)
    for path in ("kernel", "casper/same", "twice", "folder/vmlinuz"):
        assert content(iso, path) == KERNEL
    for path in ("out", "absolute", "circle"):
        with pytest.raises(IsoError, match=f"{path} .*link.*: name the file itself"):
            content(iso, path)
    with pytest.raises(MissingError):
        content(iso, "dead")
    with pytest.raises(IsoError, match="is a folder"):
        content(iso, "folder")


@pytest.mark.parametrize(
    ("info", "release"), [(None, None), (b"", None), (b" \n", None), (b"A \nB\n", "A"), (b"\xff", "\ufffd")]
)
def test_release(tmp_path: Path, info: bytes | None, release: str | None) -> None:
    iso = make_iso(tmp_path / "x.iso", {"a": b"a"} if info is None else {".disk/info": info})
    with iso.open("rb") as file:
        assert Image(file, "x").release() == release


# ---- patterns


def matching(iso: Path, pattern: str) -> list[str]:
    with iso.open("rb") as file:
        return Image(file, iso.name).matching(pattern)


@pytest.mark.parametrize("kind", ["rock_ridge", "joliet", "udf", "all"])
def test_pattern(tmp_path: Path, kind: str) -> None:
    names = [
        "pool/main/s/shim/shim_1_amd64.deb",
        "pool/shim_2_amd64.deb",
        "pool/main/s/shim_x.txt",
        "shim_3.deb",
    ]
    iso = make_iso(
        tmp_path / "x.iso", {**dict.fromkeys(names, b"deb"), "pool/shim_4.deb/x": b""}, **KINDS[kind]
    )
    assert matching(iso, "pool/**/shim_*.deb") == names[:2]
    assert matching(iso, "pool/shim_*.deb") == names[1:2]
    assert matching(iso, "*.deb") == names[3:]
    assert matching(iso, "**/shim_[13]*.deb") == [names[0], names[3]]
    assert matching(iso, "p*/*/s/*") == [names[2]]
    assert matching(iso, "pool") == []
    assert matching(iso, "none/**/*") == []


def test_pattern_and_links(tmp_path: Path) -> None:
    iso = make_iso(tmp_path / "x.iso", {"a/b.deb": b""}, links={"c.deb": "a/b.deb", "d": "a"})
    assert matching(iso, "**/*.deb") == ["a/b.deb"]


def test_plain_names_match_nothing(isos: dict[str, Path]) -> None:
    assert matching(isos["plain"], "**/*") == []


# ---- images that are none, or damaged


@pytest.mark.parametrize("data", [b"", b"x", bytes(100_000), b"CD001" * 20_000])
def test_no_iso(tmp_path: Path, dest: Path, data: bytes) -> None:
    (tmp_path / "x.iso").write_bytes(data)
    with pytest.raises(IsoError, match=r"x\.iso is no ISO image"):
        extract(tmp_path / "x.iso", dest)
    assert untouched(dest)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_anywhere(isos: dict[str, Path], tmp_path: Path, dest: Path, kind: str) -> None:
    data = isos[kind].read_bytes()
    for size in [*range(0, len(data), max(2048, len(data) // 60)), len(data) - 1]:
        (tmp_path / "x.iso").write_bytes(data[:size])
        with pytest.raises(IsoError, match=r"x\.iso is (truncated|no ISO image).* [Dd]ownload it again"):
            extract(tmp_path / "x.iso", dest)
    assert untouched(dest)


def test_truncated_image_that_declares_less(isos: dict[str, Path], tmp_path: Path, dest: Path) -> None:
    """pycdlib would shorten the file without a word."""
    with isos["plain"].open("rb") as file:
        end = Image(file, "x").find("casper/initrd")
    data = bytearray(isos["plain"].read_bytes()[: end.offset + end.size - 1])
    data[16 * 2048 + 80 : 16 * 2048 + 88] = (20).to_bytes(4, "little") + (20).to_bytes(4, "big")
    (tmp_path / "x.iso").write_bytes(data)
    with pytest.raises(IsoError, match=r"x\.iso is truncated.*casper/initrd ends at"):
        content(tmp_path / "x.iso", "casper/initrd")
    with pytest.raises(IsoError, match=r"x\.iso is truncated"):
        extract(tmp_path / "x.iso", dest)
    assert untouched(dest)


@pytest.mark.parametrize("kind", ["rock_ridge", "plain", "joliet"])
def test_length_that_disagrees_with_itself(
    isos: dict[str, Path], tmp_path: Path, dest: Path, kind: str
) -> None:
    """pycdlib reads only the little-endian one and would copy too few bytes."""
    data = isos[kind].read_bytes()
    both = len(KERNEL).to_bytes(4, "little") + len(KERNEL).to_bytes(4, "big")
    bad = (len(KERNEL) - 1).to_bytes(4, "little") + len(KERNEL).to_bytes(4, "big")
    assert both in data
    (tmp_path / "x.iso").write_bytes(data.replace(both, bad))
    with pytest.raises(IsoError, match=r"x\.iso is damaged .*7040"):
        extract(tmp_path / "x.iso", dest)
    assert untouched(dest)


def test_circle_of_folders_ends(isos: dict[str, Path], tmp_path: Path) -> None:
    data = isos["plain"].read_bytes()
    at = data.index(b"\x06CASPER") - 32  # the record of the folder: it becomes the top folder itself
    top = data[16 * 2048 + 156 + 2 : 16 * 2048 + 156 + 18]  # location and length; ECMA-119, 8.4.18 and 9.1
    (tmp_path / "x.iso").write_bytes(data[: at + 2] + top + data[at + 18 :])
    start = time.monotonic()
    with pytest.raises(IsoError):
        content(tmp_path / "x.iso", "casper/vmlinuz")
    with pytest.raises(IsoError):
        matching(tmp_path / "x.iso", "**/*")
    assert time.monotonic() - start < 30


def test_circle_of_folders_that_pycdlib_missed(
    isos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be faked on disk that it does not find: a folder in itself, and too many folders."""
    with isos["all"].open("rb") as file:
        image = Image(file, "x.iso")
        folder = image._children(image._trees[0], [])["casper"]
        monkeypatch.setattr(image, "_children", lambda tree, place: {"a": folder, "b": folder})
        with pytest.raises(IsoError, match=r"x\.iso is damaged .*has no end"):
            image.matching("**/*")
        wide = dict.fromkeys(map(str, range(30)), folder)
        monkeypatch.setattr(image, "_children", lambda tree, place: wide if len(place) < 3 else {})
        with pytest.raises(IsoError, match=r"x\.iso is damaged .*has no end"):
            image.matching("**/*")


# ---- images that are made to cost much


def read_all(iso: Path) -> None:
    """Everything that is asked of an image; it may be refused."""
    with contextlib.suppress(IsoError), iso.open("rb") as file:
        image = Image(file, iso.name)
        image.release()
        image.matching("**/*")
        image.find("casper/vmlinuz")


@pytest.fixture(name="net")
def _net(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso_module, "MAX_CPU", NET)


def test_what_computes_without_an_end_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def compute() -> None:
        while True:
            pass

    monkeypatch.setattr(iso_module, "MAX_CPU", 0.2)
    with pytest.raises(iso_module._DamagedError, match="has no end"), iso_module._limited_computing():
        compute()


def files_named(numbers: Iterable[int], sector: int = 40) -> list[bytes]:
    return [hostile.record(b"F%06d" % number, sector) for number in numbers]


@pytest.mark.parametrize(
    "folders",
    [
        [files_named(range(11_000))] * 30,  # 330,000 records
        [files_named(range(10_000, 0, -1))],  # in an order in which keeping them sorted costs most
        [files_named(range(10_000), 1 << 31)]
        * 2,  # all at one place beyond the end, which pycdlib mends one by one
        [[hostile.record(b"AGAIN%d" % number, 30, 2048, hostile.FOLDER) for number in range(50)]] * 9,
    ],
    ids=["many records", "wrong order", "beyond the end", "circles"],
)
@pytest.mark.usefixtures("net")
def test_directories_that_cost_much(tmp_path: Path, folders: list[list[bytes]]) -> None:
    iso = hostile.image(tmp_path / "x.iso", folders)
    spent = cost(lambda: read_all(iso))
    assert spent.fair, spent


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize("size", [MAX_READ, 4 << 20, 64 << 20])
def test_tables_that_cost_much(tmp_path: Path, size: int) -> None:
    iso = hostile.with_long_tables(tmp_path / "x.iso", size)
    spent = cost(lambda: read_all(iso))
    assert spent.fair, spent


def test_the_image_of_such_a_test_is_read_when_it_is_small(tmp_path: Path) -> None:
    iso = hostile.image(tmp_path / "x.iso", [files_named(range(9)), []])
    with pytest.raises(MissingError, match=r"D000000 has F000000, F000001, .*F000008"):
        content(iso, "d000000/x")


def test_an_image_larger_than_ubuntus_is_read(tmp_path: Path) -> None:
    names = [
        f"pool/main/{number % 26}/package{number // 3}/package-{number}_1.2-3_all.deb"
        for number in range(900)
    ]
    iso = make_iso(tmp_path / "x.iso", dict.fromkeys(names, b""), joliet=True)
    assert matching(iso, "pool/**/*.deb") == sorted(names)


def test_the_limit_of_computing_leaves_no_clock_behind(isos: dict[str, Path]) -> None:
    content(isos["all"], "casper/vmlinuz")
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    with ThreadPoolExecutor(1) as pool:  # where no signal can be caught
        assert pool.submit(content, isos["all"], "casper/vmlinuz").result() == KERNEL


# ---- names and files that are not usual


def pieces(tmp_path: Path, records: list[bytes]) -> Path:
    """An image whose folder D000000 has these records, and letters in its last sectors, from LETTERS on."""
    iso = hostile.image(tmp_path / "x.iso", [records])
    data = bytearray(iso.read_bytes())
    data += bytes(LETTERS * 2048 - len(data)) + b"".join(bytes([at]) * 2048 for at in b"abcd")
    data[16 * 2048 + 80 : 16 * 2048 + 88] = hostile.both(len(data) // 2048)
    iso.write_bytes(data)
    return iso


LETTERS = 40
MORE, ASSOCIATED = 0x80, 0x04


def test_a_file_in_pieces_is_whole(tmp_path: Path) -> None:
    records = [
        hostile.record(b"BIG.;1", LETTERS, 2048, MORE),
        hostile.record(b"BIG.;1", LETTERS + 1, 2048, MORE),
        hostile.record(b"BIG.;1", LETTERS + 2, 10),
    ]
    assert content(pieces(tmp_path, records), "d000000/big") == b"a" * 2048 + b"b" * 2048 + b"c" * 10


@pytest.mark.parametrize(
    "second", [(LETTERS + 2, 10, 0), (LETTERS, 10, 0), (LETTERS + 2, 10, MORE)], ids=["gap", "same", "no end"]
)
def test_pieces_that_do_not_follow_each_other_are_refused(
    tmp_path: Path, second: tuple[int, int, int]
) -> None:
    records = [hostile.record(b"BIG.;1", LETTERS, 2048, MORE), hostile.record(b"BIG.;1", *second)]
    with pytest.raises(IsoError, match=r"x\.iso stores BIG in pieces that do not follow each other"):
        content(pieces(tmp_path, records), "d000000/big")


def test_a_file_without_its_last_piece_is_refused(tmp_path: Path) -> None:
    records = [hostile.record(b"BIG.;1", LETTERS, 2048, MORE), hostile.record(b"C.;1", LETTERS + 1, 10)]
    with pytest.raises(IsoError, match=r"x\.iso is damaged"):
        content(pieces(tmp_path, records), "d000000/big")


@pytest.mark.parametrize("at", [1, 26, 27], ids=["attributes before it", "units", "gaps"])
def test_interleaved_files_are_refused(tmp_path: Path, at: int) -> None:
    one = bytearray(hostile.record(b"A.;1", LETTERS, 2048))
    one[at] = 1
    with pytest.raises(IsoError, match=r"x\.iso stores A in pieces"):
        content(pieces(tmp_path, [bytes(one)]), "d000000/a")


def test_an_associated_file_is_not_taken_for_the_file(tmp_path: Path) -> None:
    records = [
        hostile.record(b"A.;1", LETTERS, 5, ASSOCIATED),
        hostile.record(b"A.;1", LETTERS + 1, 5),
    ]
    assert content(pieces(tmp_path, records), "d000000/a") == b"bbbbb"


def test_compressed_files_are_named_for_what_they_are(isos: dict[str, Path], tmp_path: Path) -> None:
    iso = tmp_path / "x.iso"
    times, packed = rb"TF\x1a\x01.{22}", b"ZF\x10\x01pz" + bytes(10) + b"PD\n\1" + bytes(6)
    iso.write_bytes(re.sub(times, packed, isos["rock_ridge"].read_bytes(), flags=re.DOTALL))
    with pytest.raises(IsoError, match=r"x\.iso has files in compressed form \(zisofs\)"):
        content(iso, "casper/vmlinuz")
    for magic in ("37e45396c9dbd607", "ef2255a1bc1b95a0"):
        packed = bytes.fromhex(magic) + bytes(5000)
        make_iso(iso, {"casper/vmlinuz": packed}, rock_ridge=False, joliet=True)
        with pytest.raises(IsoError, match=r"x\.iso has casper/vmlinuz in compressed form \(zisofs\)"):
            content(iso, "casper/vmlinuz")


@pytest.mark.parametrize(
    ("kind", "bad", "shown"),
    [
        ("rock_ridge", b"hwe-vm\xff\x1bnuz", r"hwe-vm\xff\x1bnuz"),
        ("rock_ridge", b"hwe-vm\n\x9bnuz", r"hwe-vm\n\x9bnuz"),
        ("joliet", "hwe-vm\ud800\u202enuz".encode("utf-16-be", "surrogatepass"), r"hwe-vm\ud800\u202enuz"),
    ],
)
def test_names_that_no_terminal_should_see_are_escaped(
    isos: dict[str, Path], tmp_path: Path, kind: str, bad: bytes, shown: str
) -> None:
    good = "hwe-vmlinuz".encode("utf-16-be" if kind == "joliet" else "ascii")
    assert len(good) == len(bad)
    data = isos[kind].read_bytes()
    assert good in data
    iso = tmp_path / "x.iso"
    iso.write_bytes(data.replace(good, bad))
    with pytest.raises(IsoError) as error:
        content(iso, "casper/none")
    assert shown in str(error.value)
    assert str(error.value).isprintable()
    assert content(iso, "casper/vmlinuz") == KERNEL


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="session")
def used(isos: dict[str, Path]) -> dict[str, list[int]]:
    """For each image, where its bytes lie that mean something, but for the content of the two files.

    That content is left alone because an ISO has no checksum of it.
    """
    result = {}
    for kind, iso in isos.items():
        data = iso.read_bytes()
        for part in (KERNEL, INITRD):
            data = data.replace(part, bytes(len(part)))
        result[kind] = [at for at, byte in enumerate(data) if byte]
    return result


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    flips=st.lists(st.tuples(st.integers(0, 99_999), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes(
    isos: dict[str, Path],
    used: dict[str, list[int]],
    scratch: Path,
    kind: str,
    flips: list[tuple[int, int]],
) -> None:
    """Either the right content or one clear error, soon, and then nothing is changed."""
    damaged = bytearray(isos[kind].read_bytes())
    for where, mask in flips:
        damaged[used[kind][where % len(used[kind])]] ^= mask
    iso, folder = scratch / "x.iso", scratch / "dest"
    iso.write_bytes(damaged)
    shutil.rmtree(folder, ignore_errors=True)
    problem = None
    start = time.monotonic()
    try:
        extract(iso, folder)
    except IsoError as error:
        problem = str(error)
    assert time.monotonic() - start < 30
    if problem:
        assert "x.iso" in problem
        assert not folder.exists()
    else:
        assert (folder / "vmlinuz").read_bytes() == KERNEL
        assert (folder / "initrd").read_bytes() == INITRD
