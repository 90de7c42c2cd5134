# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it, on what module boot_images made."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.modules import (
    boot_images,
    boot_images_info,
    efi_loaders,
)
from ansible_collections.homelab.netboot.tests.unit import efi
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso, ubuntu_files

INFO = 'Ubuntu-Server 24.04.{} LTS "Noble Numbat" - Release amd64 (20250805.1)'
Prove = Callable[..., Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of noble, the second in use, and one of jammy, in the folder `images` there."""
    top = tmp_path_factory.mktemp("made")
    for number, names in ((2, ["noble"]), (3, ["noble", "jammy"])):
        files = {**ubuntu_files(b"kernel %d" % number), ".disk/info": INFO.format(number).encode()}
        provide(top / "images", make_iso(top / f"{number}.iso", files), *names)
    return top / "images"


def provide(images: Path, iso: Path, *names: str) -> None:
    """Have module boot_images make these images of an ISO."""
    image = {
        **dict.fromkeys(["checksum", "version", "flavour"], ""),
        "source": "path",
        "origin": str(iso),
        "keep": 1,
        "arch": "amd64",
        "kernels": {"": ["casper/vmlinuz", "casper/initrd"]},
    }
    arguments = {"path": str(images), "images": dict.fromkeys(names, image)}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        boot_images.main()
    assert ended.value.code == 0


@pytest.fixture
def images(made: Path, tmp_path: Path) -> Path:
    """A copy, with times of its own: they are not looked at."""
    return Path(shutil.copytree(made, tmp_path / "images", symlinks=True))


@pytest.fixture
def prove(images: Path, capsys: pytest.CaptureFixture[str]) -> Prove:
    """Run the module; nothing may have changed."""

    def run(*names: str, path: Path = images, loaders: Path | None = None) -> Any:
        before = tree(images)
        asked = {"path": str(path), "images": list(names), **({"loaders": str(loaders)} if loaders else {})}
        with patch_module_args(asked), pytest.raises(SystemExit):
            boot_images_info.main()
        assert tree(images) == before
        return json.loads(capsys.readouterr().out)

    return run


def tree(folder: Path) -> dict[str, list[int]]:
    """Everything below a folder: its times, size and inode."""
    infos = {str(path): path.lstat() for path in [folder, *folder.rglob("*")]}
    return {name: [one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino] for name, one in infos.items()}


def rot(path: Path) -> None:
    """Change a byte, as a failing disk does: size and time of the last change stay."""
    info = path.stat()
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def test_what_is_as_verified_is_told_with_its_manifest(prove: Prove, images: Path) -> None:
    told = prove()
    assert (told["faults"], told["changed"]) == ([], False)
    seen = [(one["image"], one["release"], one["used"], one["faults"]) for one in told["versions"]]
    assert sorted(seen) == [
        ("jammy", "24.04.3", True, []),
        ("noble", "24.04.2", False, []),
        ("noble", "24.04.3", True, []),
    ]
    assert len(told["said"]) == 3
    used = next(line for line in told["said"] if "noble" in line and "in use" in line)
    assert ": Ubuntu 24.04.3 for amd64, 0.0 GB: as verified. Fetched 20" in used
    assert used.endswith("/3.iso, compared with no checksum; kernel signed by nobody")
    path = (images / "noble/current").resolve()
    other_manifest(path, checksum="sha256:https://example.org/SHA256SUMS", signed_by="Its key")
    line = next(line for line in prove()["said"] if path.name in line and line.startswith("noble"))
    assert "compared with sha256:https://example.org/SHA256SUMS, signed by Its key; kernel" in line
    for one in prove()["versions"]:
        manifest = json.loads((images / one["image"] / one["version"] / "manifest.json").read_text())
        for key in ("source", "checksum", "signed_by", "fetched", "release", "arch"):
            assert one[key] == manifest[key]
        assert {name: file["sha256"] for name, file in one["files"].items()} == {
            name: file["sha256"] for name, file in manifest["files"].items()
        }


def test_only_the_images_that_are_named_are_read(prove: Prove, images: Path) -> None:
    rot(images / "jammy/current/initrd")
    assert {one["image"] for one in prove("noble")["versions"]} == {"noble"}
    assert prove("noble")["faults"] == []
    assert len(prove("noble", "jammy")["faults"]) == 1


@pytest.mark.parametrize("version", ["in use", "kept"])
@pytest.mark.parametrize("file", ["noble.iso", "vmlinuz", "initrd"])
def test_each_file_is_read_to_its_end(prove: Prove, images: Path, file: str, version: str) -> None:
    used = (images / "noble/current").resolve()
    kept = next(path for path in (images / "noble").iterdir() if path.name not in ("current", used.name))
    folder = used if version == "in use" else kept
    rot(folder / file)
    told = prove()
    [fault] = told["faults"]
    assert fault.startswith(f"{folder / file} has the SHA-256 ")
    ending = "" if version == "in use" else " if it is still wanted"
    assert fault.endswith(f". Remove {folder}, and run homelab.netboot.site{ending}.")
    assert [one["version"] for one in told["versions"] if one["faults"]] == [folder.name]
    assert f"WRONG: {fault}" in told["said"]
    assert [": WRONG, see below." in line for line in told["said"][:3]].count(True) == 1


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "initrd").unlink(), "/initrd cannot be looked at (No such file or directory). R"),
        (lambda folder: (folder / "initrd").write_text("x"), "/initrd has 1 bytes, and 21000 were verified. Remove "),
        (lambda folder: fifo(folder / "initrd"), "/initrd is no file. Remove "),
        (lambda folder: (folder / "more").write_text("x"), "/more is no file of this version. Remove it."),
        (lambda folder: (folder / "manifest.json").unlink(), "/manifest.json is no manifest of this version. Remove "),
        (lambda folder: (folder / "manifest.json").write_text("[" * 99999), "/manifest.json is no manifest of this"),
        (lambda folder: other_manifest(folder, version="0" * 12), "/manifest.json is no manifest of this version"),
        (lambda folder: other_manifest(folder, sha256="0" * 64), "/manifest.json is no manifest of this version"),
        (lambda folder: other_manifest(folder, files={}), "/manifest.json is no manifest of this version"),
        (
            lambda folder: other_manifest(folder, sha256=folder.name.ljust(64, "0")),
            "/manifest.json contradicts itself: it has two checksums of the ISO",
        ),
    ],
)  # fmt: skip
def test_all_else_that_differs_is_found(
    prove: Prove, images: Path, damage: Callable[[Path], object], told: str
) -> None:
    folder = (images / "noble/current").resolve()
    damage(folder)
    [fault] = prove()["faults"]
    assert fault.startswith(f"{folder}{told}")


def fifo(path: Path) -> None:
    """Put something there at which a reader would wait for ever."""
    path.unlink()
    os.mkfifo(path)


def other_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_an_image_without_a_version_in_use_is_a_fault(prove: Prove, images: Path) -> None:
    (images / "jammy/current").unlink()
    [fault] = prove()["faults"]
    assert fault == f"{images}/jammy/current leads to no version: run homelab.netboot.site."


def test_what_is_no_version_is_a_fault(prove: Prove, images: Path) -> None:
    (images / "jammy/note.txt").write_text("x")
    (images / "jammy/link").symlink_to((images / "jammy/current").resolve())
    faults = prove()["faults"]
    names = ("link", "note.txt")
    assert faults == [f"{images}/jammy/{name} is no folder of a version. Remove it." for name in names]


def test_nothing_to_read_is_an_error(prove: Prove, images: Path, tmp_path: Path) -> None:
    told = prove("noble", "nobel")["msg"]
    there = "there: jammy, noble. Name one of them, or run homelab.netboot.site."
    assert told == f"image nobel is not in {images}; {there}"
    nowhere = tmp_path / "nowhere"
    assert prove(path=nowhere)["msg"] == f"there is no image in {nowhere}: run homelab.netboot.site first."
    assert not nowhere.exists()


def test_a_run_that_changes_images_is_not_disturbed(prove: Prove, images: Path) -> None:
    handle = os.open(images, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert f"another run is at work in {images}" in prove()["msg"]
    fcntl.flock(handle, fcntl.LOCK_SH)  # somebody else who reads
    assert prove()["faults"] == []
    os.close(handle)


def test_the_remedy_mends_it(
    prove: Prove, images: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = (images / "noble/current").resolve()
    rot(folder / "vmlinuz")
    assert f"Remove {folder}, and run homelab.netboot.site." in prove("noble")["faults"][0]
    shutil.rmtree(folder)
    provide(images, made.parent / "3.iso", "noble")
    capsys.readouterr()
    assert prove("noble")["faults"] == []


@pytest.fixture
def loaders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Shim and GRUB as module efi_loaders puts them there, and those of one authority below."""
    microsoft = efi.Key.make(tmp_path, "Microsoft UEFI CA 2023")
    vendor = efi.Key.make(tmp_path, "Vendor")
    files = {"shim": microsoft.sign(efi.shim(vendor.der)), "grub": vendor.sign(efi.grub())}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    pair = {"name": "the server's packages", **{name: str(tmp_path / name) for name in files}}
    for folder in ("efi", "efi/2023"):
        asked = {"dest": str(tmp_path / folder), "candidates": [pair]}
        with patch_module_args(asked), pytest.raises(SystemExit) as ended:
            efi_loaders.main()
        assert ended.value.code == 0
    capsys.readouterr()
    return tmp_path / "efi"


needs_sbsign = pytest.mark.skipif(
    not all(map(shutil.which, ("sbsign", "sbverify"))), reason="sbsigntool is not installed"
)


@needs_sbsign
def test_loaders_are_proved_as_well(prove: Prove, loaders: Path) -> None:
    (loaders / "ipxe.efi").write_text("not theirs")
    told = prove(loaders=loaders)
    assert told["faults"] == []
    paths = [str(Path(one["path"]).relative_to(loaders)) for one in told["loaders"]]
    assert paths == ["grubx64.efi", "shimx64.efi", "2023/grubx64.efi", "2023/shimx64.efi"]
    shim = told["loaders"][1]
    assert (shim["version"], shim["source"], shim["signers"], shim["fault"]) == (
        "16.1", "the server's packages", ["Microsoft UEFI CA 2023"], ""
    )  # fmt: skip
    line = "shimx64.efi 16.1: as verified. From the server's packages; signed by Microsoft UEFI CA 2023"
    assert told["said"].count(line) == 2
    assert prove()["loaders"] == []


def no_signers(folder: Path) -> None:
    path = folder / ".efi_loaders.json"
    path.write_text(path.read_text().replace('"signers"', '"signed"', 1))


@needs_sbsign
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: rot(folder / "shimx64.efi"), "/shimx64.efi has the SHA-256 "),
        (lambda folder: (folder / "grubx64.efi").unlink(), "/grubx64.efi cannot be read (No such file or directory): "),
        (lambda folder: (folder / "shimaa64.efi").write_text("x"), "/shimaa64.efi is not in .efi_loaders.json, so "),
        (no_signers, "/grubx64.efi: its note cannot be read, so run homelab.netboot.site."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("below", ["", "2023"])
def test_a_loader_that_is_another_is_found(
    prove: Prove, loaders: Path, below: str, damage: Callable[[Path], object], told: str
) -> None:
    damage(loaders / below)
    answer = prove(loaders=loaders)
    [fault] = answer["faults"]
    assert fault.startswith(f"{loaders / below}{told}")
    assert f"WRONG: {fault}" in answer["said"]
    assert [one["fault"] for one in answer["loaders"]].count("") == 4 - ("is not in" not in told)
