# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it: through the real AnsibleModule, on real images and files."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import traceback
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.modules import iso_boot_files
from ansible_collections.homelab.netboot.tests.unit.isos import INFO, make_iso, ubuntu_files

KINDS: dict[str, dict[str, Any]] = {
    "rock_ridge": {"rock_ridge": True},
    "joliet": {"rock_ridge": False, "joliet": True},
    "udf": {"rock_ridge": False, "udf": True},
    "plain": {"rock_ridge": False, "level": 1},
    "all": {"rock_ridge": True, "joliet": True, "udf": True},
}
KERNEL, INITRD = b"kernel " * 1000, b"initrd " * 3000


class Runner:
    """Runs the module and returns what it printed for Ansible."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, src: Path, dest: Path, *, check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {"src": str(src), "dest": str(dest), **options}
        arguments.update(_ansible_check_mode=check, _ansible_diff=True)
        with patch_module_args(arguments), pytest.raises(SystemExit):
            iso_boot_files.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return result

    def fails(self, src: Path, dest: Path, **options: Any) -> str:
        """Run it in check mode and really; return the one message of both."""
        before = tree(dest)
        messages = []
        for check in (True, False):
            result = self(src, dest, check=check, **options)
            assert result["failed"]
            assert "exception" not in result
            messages.append(str(result["msg"]))
        assert tree(dest) == before
        assert messages[0] == messages[1]
        return messages[0]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    return make_iso(tmp_path / "x.iso", ubuntu_files(KERNEL, INITRD))


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "dest"


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]] | None:
    """Everything below a folder, with mode and time, to compare with afterwards; None when there is none."""
    if not folder.exists():
        return None
    return {
        str(path): (
            path.read_bytes() if path.is_file() else b"",
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
        )
        for path in [folder, *folder.rglob("*")]
    }


def changes(result: dict[str, Any]) -> list[bool]:
    assert "failed" not in result, result["msg"]
    assert result["changed"] == any(file["changed"] for file in result["files"])
    assert result["changed"] == bool(result["diff"])
    return [file["changed"] for file in result["files"]]


@pytest.mark.parametrize("kind", KINDS)
def test_check_run_check_run(run: Runner, tmp_path: Path, dest: Path, kind: str) -> None:
    iso = make_iso(tmp_path / "y.iso", ubuntu_files(KERNEL, INITRD), **KINDS[kind])
    foreseen = run(iso, dest, check=True)
    assert not dest.exists()
    done = run(iso, dest)
    assert changes(done) == [True, True]
    assert foreseen == done
    assert sorted(os.listdir(dest)) == [".iso_boot_files.json", "initrd", "vmlinuz"]
    assert (dest / "vmlinuz").read_bytes() == KERNEL
    assert (dest / "initrd").read_bytes() == INITRD
    assert done["release"] == INFO
    kernel = done["files"][0]
    assert kernel["path"] == str(dest / "vmlinuz")
    assert kernel["source"] == "casper/vmlinuz"
    assert kernel["size"] == len(KERNEL)
    assert kernel["checksum"] == "fe1cf5c934b589c9a88d84e340ed075e95b726ba019e268f75731ef33376285f"

    before = tree(dest)
    for check in (True, False):
        again = run(iso, dest, check=check)
        assert changes(again) == [False, False]
        assert again["release"] == INFO
        assert [file["checksum"] for file in again["files"]] == [file["checksum"] for file in done["files"]]
    assert tree(dest) == before


@pytest.mark.parametrize("how", ["longer", "same size", "same size and time", "gone", "link"])
def test_tampered_file_is_repaired(run: Runner, iso: Path, dest: Path, how: str) -> None:
    run(iso, dest)
    kernel = dest / "vmlinuz"
    info = kernel.stat()
    if how == "longer":
        kernel.write_bytes(KERNEL + b"x")
    elif how.startswith("same size"):
        kernel.write_bytes(b"x" + KERNEL[1:])
    else:
        kernel.unlink()
    if how == "same size and time":
        os.utime(kernel, ns=(info.st_atime_ns, info.st_mtime_ns))
    if how == "link":
        (dest.parent / "other").write_bytes(KERNEL)
        kernel.symlink_to("../other")
    foreseen = run(iso, dest, check=True)
    assert foreseen == (done := run(iso, dest))
    assert changes(done) == [True, False]
    assert kernel.read_bytes() == KERNEL
    assert not kernel.is_symlink()
    assert changes(run(iso, dest)) == [False, False]


def test_other_iso(run: Runner, iso: Path, dest: Path) -> None:
    run(iso, dest)
    make_iso(iso, ubuntu_files(b"newer ", INITRD))
    assert run(iso, dest, check=True) == (done := run(iso, dest))
    assert changes(done) == [True, False]
    assert (dest / "vmlinuz").read_bytes() == b"newer "


def test_other_iso_with_the_same_files(run: Runner, iso: Path, tmp_path: Path, dest: Path) -> None:
    run(iso, dest)
    copy = Path(shutil.copy(iso, tmp_path / "copy.iso"))
    before = (dest / "vmlinuz").stat()
    assert changes(run(copy, dest)) == [False, False]
    assert (dest / "vmlinuz").stat().st_ctime_ns == before.st_ctime_ns


def test_files_that_are_there_already(run: Runner, iso: Path, dest: Path) -> None:
    dest.mkdir()
    (dest / "vmlinuz").write_bytes(KERNEL)
    (dest / "initrd").write_bytes(INITRD)
    assert changes(run(iso, dest, check=True)) == [False, False]
    assert sorted(os.listdir(dest)) == ["initrd", "vmlinuz"]
    assert changes(run(iso, dest)) == [False, False]


def test_other_names_and_nothing_else(run: Runner, iso: Path, dest: Path) -> None:
    result = run(iso, dest, files={"casper/hwe-vmlinuz": "hwe/vmlinuz", "empty": "nothing"})
    assert changes(result) == [True, True]
    assert (dest / "hwe/vmlinuz").read_bytes() == b"hwe " * 10
    assert (dest / "nothing").read_bytes() == b""
    assert not (dest / "vmlinuz").exists()


def test_mode(run: Runner, iso: Path, dest: Path) -> None:
    run(iso, dest, mode="0600")
    for mode, expected in (("0600", False), ("0644", True), ("0644", False), (None, False)):
        foreseen = run(iso, dest, check=True, mode=mode)
        done = run(iso, dest, mode=mode)
        assert foreseen == done
        assert changes(done) == [expected, expected]
    assert stat.S_IMODE((dest / "initrd").stat().st_mode) == 0o644
    assert stat.S_IMODE(dest.stat().st_mode) & 0o700 == 0o700


def test_mode_of_a_replaced_file_stays(run: Runner, iso: Path, dest: Path) -> None:
    run(iso, dest, mode="0604")
    make_iso(iso, ubuntu_files(b"newer", INITRD))
    run(iso, dest)
    assert stat.S_IMODE((dest / "vmlinuz").stat().st_mode) == 0o604


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner(run: Runner, iso: Path, dest: Path) -> None:
    assert changes(run(iso, dest, owner="nobody")) == [True, True]
    assert (dest / "vmlinuz").owner() == "nobody"
    assert changes(run(iso, dest, owner="root")) == [True, True]
    assert changes(run(iso, dest, owner="root")) == [False, False]


def test_unknown_owner_changes_nothing(run: Runner, iso: Path, dest: Path) -> None:
    dest.mkdir()
    (dest / "vmlinuz").write_bytes(b"old")
    before = (dest / "vmlinuz").stat()
    assert "no-such-user" in run(iso, dest, owner="no-such-user")["msg"]
    assert os.listdir(dest) == ["vmlinuz"]
    assert (dest / "vmlinuz").stat().st_ctime_ns == before.st_ctime_ns


def test_diff_is_short_text(run: Runner, iso: Path, dest: Path) -> None:
    dest.mkdir()
    (dest / "vmlinuz").write_bytes(b"old")
    kernel, initrd = run(iso, dest, mode="0640")["diff"]
    assert kernel["before_header"] == kernel["after_header"] == str(dest / "vmlinuz")
    assert kernel["before"].startswith("size: 3\nsha256: ")
    assert kernel["after"].startswith("size: 7000\nsha256: fe1cf5c9")
    assert initrd["before"] == ""
    assert run(iso, dest, mode="0600")["diff"][0]["after"] == "mode: 0600\n"


def test_iso_in_its_own_folder(run: Runner, iso: Path) -> None:
    """As the roles do it: the ISO lies where its kernel goes to."""
    assert changes(run(iso, iso.parent)) == [True, True]
    assert changes(run(iso, iso.parent)) == [False, False]
    message = run(iso, iso.parent, files={"casper/vmlinuz": iso.name})["msg"]
    assert message == f"{iso} is the ISO itself: choose another name for the file from it."


def test_no_iso_at_all(run: Runner, iso: Path, dest: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.iso"
    assert run.fails(missing, dest) == f"Cannot read {missing}: No such file or directory."
    assert run.fails(tmp_path, dest) == f"{tmp_path} is no file. Give the path of an ISO image on this host."
    missing.write_bytes(b"<html>404</html>")
    assert run.fails(missing, dest).startswith(f"{missing} is no ISO image ")


def test_errors_of_the_image(run: Runner, iso: Path, dest: Path) -> None:
    run(iso, dest)
    assert "casper/kernel is not in" in run.fails(
        iso, dest, files={"casper/kernel": "vmlinuz", "casper/initrd": "i"}
    )
    assert "casper in" in run.fails(iso, dest, files={"casper": "vmlinuz"})
    with iso.open("r+b") as file:
        file.truncate(iso.stat().st_size - 5000)
    assert f"{iso} is truncated" in run.fails(iso, dest)


def test_errors_of_the_destination(run: Runner, iso: Path, dest: Path) -> None:
    assert "folder" in run.fails(iso, iso / "dest")
    assert "is no folder" in run.fails(iso, iso)
    (dest / "vmlinuz").mkdir(parents=True)
    assert run.fails(iso, dest).startswith(f"{dest / 'vmlinuz'} is a folder")
    assert "inside dest" in run.fails(iso, dest, files={"casper/vmlinuz": "../vmlinuz"})


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that other users can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # noqa: S103  # that is the point: another user shall get in
        yield Path(name)


def test_no_permission(run: Runner, iso: Path, public: Path) -> None:
    """For real, as an ordinary user: in a child process when the tests run as root."""
    image, closed, dest = (public / name for name in ("x.iso", "closed.iso", "dest"))
    shutil.copy(iso, image)
    shutil.copy(iso, closed)
    closed.chmod(0)
    dest.mkdir(mode=0o555)
    run(
        image, public / "new", check=True
    )  # loads what is loaded late: that user may not read Python's folder
    run.fails(public / "missing.iso", dest)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            messages = [run.fails(image, dest), run.fails(image, dest / "new"), run.fails(closed, dest)]
        except BaseException:
            messages = [traceback.format_exc()]
        try:
            os.write(writer, json.dumps(messages).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        messages = json.load(file)
    os.waitpid(child, 0)
    refused = f"No permission to write to {dest}: become another user or choose another dest."
    assert messages == [refused, refused, f"Cannot read {closed}: Permission denied."]


def test_no_pycdlib(run: Runner, iso: Path, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso_boot_files, "find_spec", lambda name: None)
    message = run(iso, dest)["msg"]
    assert "pycdlib" in message
    assert "apt install python3-pycdlib" in message
