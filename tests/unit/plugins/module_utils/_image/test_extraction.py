# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying files out of images: what is to be written, and writing it. Nothing faked but where said."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from concurrent.futures import Executor, Future
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable
from unittest import mock

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import taking
from ansible_collections.homelab.netboot.plugins.module_utils._image.extraction import (
    MANIFEST,
    Step,
    act,
    decide,
    targets,
)
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import IsoError
from ansible_collections.homelab.netboot.tests.unit.extracts import (
    FILES,
    INITRD,
    KERNEL,
    extract,
    untouched,
)
from ansible_collections.homelab.netboot.tests.unit.isos import INFO, make_iso, ubuntu_files
from hypothesis import example, given
from hypothesis import strategies as st

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
    with pytest.raises(UserError, match=r"^files: "):
        targets(files)


@given(st.dictionaries(st.text("ab./", max_size=6), st.text("ab./", max_size=6), max_size=3))
@example({"a": "b", "b": "b/./"})
def test_targets_stay_inside(files: dict[str, str]) -> None:
    try:
        wanted = targets(files)
    except UserError:
        return
    places = [os.path.normpath(os.path.join("/dest", name)) for _path, name in wanted]
    assert all(place.startswith("/dest/") for place in places)
    assert len(set(places)) == len(files)


# ---- the manifest


def test_second_run_does_not_open_the_image(
    isos: dict[str, Path], dest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = extract(isos["all"], dest)
    monkeypatch.setattr(taking, "Image", None)
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
    monkeypatch.setattr(taking, "Image", None)
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
    monkeypatch.setattr(taking, "ThreadPoolExecutor", lambda workers: LateExecutor())
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

    def fail(step: Step, path: str) -> None:
        assert (tmp_path / "a/b/c").is_dir()
        raise OSError(1, "Operation not permitted", path)

    with pytest.raises(UserError, match="Operation not permitted"):
        act(plan, fail)
    assert list(tmp_path.iterdir()) == []


def test_file_size_limit(isos: dict[str, Path], dest: Path) -> None:
    """EFBIG for real: the kernel fits, the initrd does not."""
    plan = decide(str(isos["all"]), str(dest), FILES)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, old[1]))  # Python ignores SIGXFSZ
    try:
        with pytest.raises(
            UserError, match=r"Cannot copy files from .*all\.iso to .*File too large.*Make space"
        ):
            act(plan, lambda step, path: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert untouched(dest)


FULL_DISK = """
import json, os, subprocess, sys
from ansible_collections.homelab.netboot.plugins.module_utils._image.extraction import act, decide
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
iso, dest = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", dest], check=True)
result = []
def attempt(size, prepare):
    with open(dest + "/vmlinuz", "wb") as file:
        file.write(b"x" * size)
    try:
        act(decide(iso, dest, {"casper/vmlinuz": "vmlinuz", "casper/initrd": "initrd"}), prepare)
        result.append(["done", os.listdir(dest)])
    except UserError as error:
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


# ---- what is not loaded and not read

_LOADED = """
import json, runpy, sys
try:
    runpy.run_module("ansible_collections.homelab.netboot.plugins.modules.iso_boot_files", run_name="__main__")
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def test_a_run_that_changes_nothing_loads_only_what_it_needs(isos: dict[str, Path], tmp_path: Path) -> None:
    """Most of what such a run takes is loading Python's code, which comes packed, and is compiled each time."""
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"src": str(isos["all"]), "dest": str(tmp_path / "dest")}})
    loaded: list[set[str]] = []
    for changed in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", _LOADED],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            input=arguments,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout)["changed"] == changed
        loaded.append(set(json.loads(done.stderr)))
    here = "ansible_collections.homelab.netboot.plugins.module_utils"
    needless = {"pycdlib", "concurrent.futures", *(f"{here}.{name}" for name in NEEDLESS)}
    assert needless <= loaded[0]
    assert not needless & loaded[1]


NEEDLESS = ("_image.iso", "_image.taking", "_program.files")


def bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="only Linux counts them")
@pytest.mark.parametrize("before", [None, "shorter", "another"])
def test_the_image_is_read_once(tmp_path: Path, dest: Path, before: str | None) -> None:
    kernel = bytes(range(256)) * (8 << 12)
    iso = make_iso(tmp_path / "x.iso", ubuntu_files(kernel, INITRD))
    if before:
        (dest / "vmlinuz").write_bytes(b"x" + kernel[1:] if before == "another" else b"x")
    start = bytes_read()
    assert extract(iso, dest, {"casper/vmlinuz": "vmlinuz"}).steps[0].changed
    assert bytes_read() - start < 1.2 * len(kernel)
    assert (dest / "vmlinuz").read_bytes() == kernel


@pytest.mark.parametrize("at", [0, 300_000, -1])
def test_a_file_of_the_same_size_that_differs_somewhere_is_replaced(
    tmp_path: Path, dest: Path, at: int
) -> None:
    kernel = bytearray(bytes(range(256)) * 4000)
    iso = make_iso(tmp_path / "x.iso", ubuntu_files(bytes(kernel), INITRD))
    other = bytearray(kernel)
    other[at] ^= 1
    (dest / "vmlinuz").write_bytes(other)
    step = extract(iso, dest, {"casper/vmlinuz": "vmlinuz"}).steps[0]
    assert (step.changed, step.checksum) == (True, sha256(kernel).hexdigest())
    assert (dest / "vmlinuz").read_bytes() == kernel


def test_a_file_that_is_the_same_stays(isos: dict[str, Path], dest: Path) -> None:
    extract(isos["all"], dest)
    (dest / MANIFEST).unlink()
    inodes = [(dest / name).stat().st_ino for name in FILES.values()]
    steps = extract(isos["all"], dest).steps
    assert [(step.changed, step.checksum) for step in steps] == [
        (False, sha256(data).hexdigest()) for data in (KERNEL, INITRD)
    ]
    assert inodes == [(dest / name).stat().st_ino for name in FILES.values()]
