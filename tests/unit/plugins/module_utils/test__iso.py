# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and copying files in whole, shortened and damaged images. No root, nothing faked but where said."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable
from unittest import mock

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils import _iso
from ansible_collections.homelab.netboot.plugins.module_utils._iso import (
    MANIFEST,
    Image,
    IsoError,
    MissingError,
    act,
    copy,
    decide,
    remember,
    targets,
)
from ansible_collections.homelab.netboot.tests.unit.isos import INFO, make_iso, ubuntu_files
from hypothesis import example, given, settings
from hypothesis import strategies as st

FILES = {"casper/vmlinuz": "vmlinuz", "casper/initrd": "initrd"}
KERNEL = b"".join(sha256(b"kernel %d" % number).digest() for number in range(220))
INITRD = b"".join(sha256(b"initrd %d" % number).digest() for number in range(660))
KINDS: dict[str, dict[str, Any]] = {
    "rock_ridge": {"rock_ridge": True},
    "joliet": {"rock_ridge": False, "joliet": True},
    "udf": {"rock_ridge": False, "udf": True},
    "plain": {"rock_ridge": False},
    "plain_8.3": {"rock_ridge": False, "level": 1},
    "all": {"rock_ridge": True, "joliet": True, "udf": True},
}


@pytest.fixture(scope="session")
def isos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("isos")
    files = ubuntu_files(KERNEL, INITRD)
    return {kind: make_iso(folder / f"{kind}.iso", files, **options) for kind, options in KINDS.items()}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A folder with a kernel of before: what must stay when anything fails."""
    folder = tmp_path / "dest"
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(b"old")
    return folder


def untouched(folder: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == {"vmlinuz": b"old"}


def content(iso: Path, path: str) -> bytes:
    data = bytearray()
    with iso.open("rb") as file:
        copy(file, iso.name, Image(file, iso.name).find(path), data.extend)
    return bytes(data)


def extract(iso: Path, folder: Path, files: dict[str, str] | None = None) -> _iso.Plan:
    plan = decide(str(iso), str(folder), files or FILES)
    act(plan, lambda step, path: None)
    remember(plan)
    return plan


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
    assert time.monotonic() - start < 30


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


# ---- the option `files`


def test_targets_normalised() -> None:
    wanted = {"/casper//vmlinuz": "a", "./casper/initrd": "./sub//b", "x": ".c"}
    assert targets(wanted) == [("casper/vmlinuz", "a"), ("casper/initrd", "sub/b"), ("x", ".c")]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"": "a"},
        {"/": "a"},
        {"a/../b": "a"},
        {"a": ""},
        {"a": None},
        {"a": 1},
        {"a": "/etc/passwd"},
        {"a": "../a"},
        {"a": "b/../../a"},
        {"a": "b/.."},
        {"a": "."},
        {"a": "b/"},
        {"a": "b\0"},
        {"a": MANIFEST},
        {"a": "x", "b": "x"},
        {"a": "x", "b": "./x"},
        {"a": "x", "b": "x/y"},
        {"a": "x/y", "b": "x"},
    ],
)
def test_targets_refused(files: dict[str, Any]) -> None:
    with pytest.raises(IsoError, match=r"^files: "):
        targets(files)


@given(st.dictionaries(st.text("ab./", max_size=6), st.text("ab./", max_size=6), max_size=3))
@example({"a": "b", "b": "b/./"})
def test_targets_stay_inside(files: dict[str, str]) -> None:
    try:
        wanted = targets(files)
    except IsoError:
        return
    places = [os.path.normpath(os.path.join("/dest", name)) for _path, name in wanted]
    assert all(place.startswith("/dest/") for place in places)
    assert len(set(places)) == len(files)


# ---- the manifest


def test_second_run_does_not_open_the_image(
    isos: dict[str, Path], dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = extract(isos["all"], dest)
    monkeypatch.setattr(_iso, "Image", None)
    second = extract(isos["all"], dest)
    assert [step.changed for step in first.steps] == [True, True]
    assert [step.changed for step in second.steps] == [False, False]
    assert [step.checksum for step in first.steps] == [step.checksum for step in second.steps]
    assert first.release == second.release == INFO


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"version": 1}', b'{"version": 1, "files": 3}']
    + [b'{"version": 1, "files": {"vmlinuz": %b}}' % value for value in (b"3", b"{}", b"null", b"[[]]")],
)
def test_damaged_manifest_is_written_anew(isos: dict[str, Path], dest: Path, text: bytes) -> None:
    extract(isos["all"], dest)
    good = (dest / MANIFEST).read_bytes()
    (dest / MANIFEST).write_bytes(text)
    plan = extract(isos["all"], dest)
    assert [step.changed for step in plan.steps] == [False, False]
    assert (dest / MANIFEST).read_bytes() == good


def test_manifest_serves_several_calls(
    isos: dict[str, Path], dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"casper/hwe-vmlinuz": "hwe"}
    extract(isos["all"], dest)
    extract(isos["joliet"], dest, other)
    monkeypatch.setattr(_iso, "Image", None)
    extract(isos["all"], dest)
    extract(isos["joliet"], dest, other)


def test_manifest_forgets_files_that_are_gone(isos: dict[str, Path], dest: Path) -> None:
    extract(isos["all"], dest)
    (dest / "initrd").unlink()
    extract(isos["all"], dest, {"casper/vmlinuz": "vmlinuz"})
    assert list(json.loads((dest / MANIFEST).read_bytes())["files"]) == ["vmlinuz"]


# ---- writing


class LateExecutor(Executor):
    """Does everything as late as it is allowed to."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = mock.Mock()
        future.result.side_effect = lambda: fn(*args, **kwargs)
        return future


def test_large_file(tmp_path: Path, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks: none is overwritten before it is hashed, however slow the other thread."""
    kernel = b"".join(sha256(b"%d" % number).digest() for number in range(40_000)) * 5 + b"end"
    iso = make_iso(tmp_path / "x.iso", ubuntu_files(kernel, INITRD))
    assert extract(iso, dest).steps[0].checksum == sha256(kernel).hexdigest()
    assert (dest / "vmlinuz").read_bytes() == kernel
    monkeypatch.setattr(_iso, "ThreadPoolExecutor", lambda workers: LateExecutor())
    assert extract(iso, dest.parent / "other").steps[0].checksum == sha256(kernel).hexdigest()


def test_image_that_changes_while_it_is_read(isos: dict[str, Path], tmp_path: Path, dest: Path) -> None:
    iso = Path(shutil.copy(isos["all"], tmp_path / "x.iso"))
    plan = decide(str(iso), str(dest), FILES)
    with pytest.raises(IsoError, match=r"x\.iso was changed while it was read"):
        act(plan, lambda step, path: iso.touch())
    assert untouched(dest)


def test_image_that_becomes_shorter(isos: dict[str, Path], tmp_path: Path, dest: Path) -> None:
    iso = Path(shutil.copy(isos["all"], tmp_path / "x.iso"))
    plan = decide(str(iso), str(dest), FILES)
    os.truncate(iso, 100_000)
    with pytest.raises(IsoError, match=r"x\.iso became shorter"):
        act(plan, lambda step, path: None)
    assert untouched(dest)


def test_folders_made_for_nothing_are_removed(isos: dict[str, Path], tmp_path: Path) -> None:
    plan = decide(str(isos["all"]), str(tmp_path / "a/b"), {"casper/vmlinuz": "c/vmlinuz"})

    def fail(step: _iso.Step, path: str) -> None:
        assert (tmp_path / "a/b/c").is_dir()
        raise OSError(1, "Operation not permitted", path)

    with pytest.raises(IsoError, match="Operation not permitted"):
        act(plan, fail)
    assert list(tmp_path.iterdir()) == []


def test_file_size_limit(isos: dict[str, Path], dest: Path) -> None:
    """EFBIG for real: the kernel fits, the initrd does not."""
    plan = decide(str(isos["all"]), str(dest), FILES)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, old[1]))  # Python ignores SIGXFSZ
    try:
        with pytest.raises(
            IsoError, match=r"Cannot copy files from .*all\.iso to .*File too large.*Make space"
        ):
            act(plan, lambda step, path: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert untouched(dest)


FULL_DISK = """
import json, os, subprocess, sys
from ansible_collections.homelab.netboot.plugins.module_utils._iso import IsoError, act, decide
iso, dest = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", dest], check=True)
result = []
def attempt(size, prepare):
    with open(dest + "/vmlinuz", "wb") as file:
        file.write(b"x" * size)
    try:
        act(decide(iso, dest, {"casper/vmlinuz": "vmlinuz", "casper/initrd": "initrd"}), prepare)
        result.append(["done", os.listdir(dest)])
    except IsoError as error:
        result.append([str(error), os.listdir(dest), os.path.getsize(dest + "/vmlinuz")])
def fill(step, path):
    with open(path, "ab") as file:
        file.write(b"x" * (os.statvfs(dest).f_bfree * os.statvfs(dest).f_frsize - 4096))
attempt(44 * 1024, lambda step, path: None)  # foreseen: 20 kB are free
attempt(1, fill)  # not foreseen: it fills up between the two files
print(json.dumps(result))
"""


def test_full_disk(isos: dict[str, Path], tmp_path: Path) -> None:
    """ENOSPC for real, on a tmpfs in a mount namespace of its own that ends with the process."""
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("needs root or user namespaces, to mount a small tmpfs")
    done = subprocess.run(
        [*command, sys.executable, "-c", FULL_DISK, str(isos["all"]), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=True,
        capture_output=True,
        text=True,
    )
    foreseen, surprise = json.loads(done.stdout)
    assert "Not enough space" in foreseen[0]
    assert "28160 bytes are needed" in foreseen[0]
    assert foreseen[1:] == [["vmlinuz"], 44 * 1024]
    assert "(No space left on device). Make space" in surprise[0]
    assert surprise[1:] == [["vmlinuz"], 1]
