# SPDX-License-Identifier: GPL-3.0-or-later
"""Images whose ISO is made smaller, by the real xorriso."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.module_utils._image import fetch, smaller
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import Image, copy
from ansible_collections.homelab.netboot.plugins.modules import boot_images, boot_images_info
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso, ubuntu_files

INFO = 'Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)'
SHIM = "pool/main/s/shim-signed/shim-signed_1.58+15.8-0ubuntu1_amd64.deb"
GRUB = "pool/main/g/grub2-signed/grub-efi-amd64-signed_1.202.5+2.12-1ubuntu7.3_amd64.deb"
STAY = {
    SHIM: b"shim " * 5000,
    GRUB: b"grub " * 5000,
    "casper/ubuntu-server-minimal.squashfs": b"squash" * 50_000,
    "casper/filesystem.manifest": b"bash 5\n",
    "dists/noble/Release": b"Origin: Ubuntu\n",
    "dists/noble/main/binary-amd64/Packages.gz": b"packages",
}
GO = {
    "pool/main/w/wpa/wpasupplicant_2.10_amd64.deb": bytes(400_000),
    "pool/main/g/grub2/grub-efi-amd64_2.12_amd64.deb": bytes(300_000),
    "EFI/boot/bootx64.efi": b"MZ",
    "boot/grub/grub.cfg": b"menuentry x {}\n",
}

pytestmark = pytest.mark.skipif(not shutil.which("xorriso"), reason="xorriso is not installed")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {**ubuntu_files(), ".disk/info": INFO.encode(), **STAY, **GO}
    return make_iso(tmp_path_factory.mktemp("iso") / "whole.iso", files, links={"dists/stable": "noble"})


@pytest.fixture
def iso(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "images"


class Runner:
    """Runs the module."""

    def __init__(self, capsys: pytest.CaptureFixture[str], images: Path) -> None:
        self.capsys, self.images = capsys, images

    def __call__(
        self, origin: Path | str, *, check: bool = False, quick: bool = False, **settings: Any
    ) -> dict[str, Any]:
        pair = [f"casper/{'hwe-' if settings.get('flavour') else ''}{name}" for name in ("vmlinuz", "initrd")]
        image = {
            **dict.fromkeys(["checksum", "version", "flavour"], ""),
            "source": "path",
            "origin": str(origin),
            "keep": 1,
            "arch": "amd64",
            "small": True,
            "kernels": {"": pair},
            **settings,
        }
        arguments = {"path": str(self.images), "images": {"noble": image}, "quick": quick}
        arguments.update(_ansible_check_mode=check, _ansible_diff=True)
        with patch_module_args(arguments), pytest.raises(SystemExit):
            boot_images.main()
        told: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return {**told, **told["images"]["noble"]} if "images" in told else told


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], images: Path) -> Runner:
    return Runner(capsys, images)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def content(iso: Path) -> dict[str, bytes]:
    """All files in an ISO, but for links."""
    found = {}
    with iso.open("rb") as file:
        image = Image(file, str(iso))
        for path in image.matching("**/*"):
            data = bytearray()
            copy(file, str(iso), image.find(path), data.extend)
            found[path] = bytes(data)
    return found


def stamps(folder: Path) -> dict[str, list[int]]:
    infos = {str(path): path.lstat() for path in folder.rglob("*") if path.is_file()}
    return {name: [one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino] for name, one in infos.items()}


def kept(images: Path) -> set[str]:
    return {path.name for path in (images / "noble").iterdir()}


def manifest(images: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((images / "noble/current/manifest.json").read_text())
    return told


def test_what_an_installation_needs_stays_and_is_the_same(run: Runner, iso: Path, images: Path) -> None:
    done = run(iso)
    assert (done["changed"], done["release"], done["small"]) == (True, "24.04.3", True)
    small = images / "noble/current/noble.iso"
    whole, now = content(iso), content(small)
    assert {*whole} - {*now} == {*GO, "md5sum.txt", "empty"}
    assert {*STAY, ".disk/info", "casper/vmlinuz", "casper/hwe-initrd"} <= {*now}
    assert now == {path: whole[path] for path in now}
    with small.open("rb") as file:
        image = Image(file, "small")
        assert image.find("dists/stable/Release") == image.find("dists/noble/Release")
    for name in ("vmlinuz", "initrd"):
        assert (small.parent / name).read_bytes() == whole[f"casper/{name}"]
    told = subprocess.run(
        ["xorriso", "-indev", small, "-pvd_info"], check=True, capture_output=True, text=True
    )
    assert "Volume Id    : TEST" in told.stdout
    assert small.stat().st_size < iso.stat().st_size - 600_000


def test_what_starts_a_usb_stick_goes_too(run: Runner, made: Path, tmp_path: Path, images: Path) -> None:
    """An ISO with the parts that Ubuntu's have: boot records for BIOS and UEFI, GPT, a partition behind the ISO."""
    top, iso = tmp_path / "top", tmp_path / "hybrid.iso"
    subprocess.run(["xorriso", "-osirrox", "on", "-indev", made, "-extract", "/", top], check=True)
    subprocess.run(["chmod", "-R", "u+w", top], check=True)
    (top / "boot/grub/eltorito.img").write_bytes(b"\xeb" + bytes(4095))
    for name, size in (("mbr.img", 512), ("efi.img", 1 << 20)):
        (tmp_path / name).write_bytes(b"\xeb" + bytes(size - 1))
    command: list[Any] = [
        "xorriso",
        "-as",
        "mkisofs",
        "-V",
        "Ubuntu-Server 24.04.3 LTS amd64",
        "-r",
        "-J",
        "-o",
        iso,
    ]
    command += [
        "--grub2-mbr",
        tmp_path / "mbr.img",
        "--protective-msdos-label",
        "-partition_cyl_align",
        "off",
    ]
    command += ["-partition_offset", "16", "--mbr-force-bootable", "-appended_part_as_gpt"]
    command += ["-append_partition", "2", "28732ac11ff8d211ba4b00a0c93ec93b", tmp_path / "efi.img"]
    command += ["-c", "/boot.catalog", "-b", "/boot/grub/eltorito.img", "-no-emul-boot"]
    command += ["-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info", "-eltorito-alt-boot"]
    command += ["-e", "--interval:appended_partition_2:all::", "-no-emul-boot", top]
    subprocess.run(command, check=True, capture_output=True)
    assert b"EFI PART" in iso.read_bytes()[:1024]
    assert run(iso)["changed"]
    small = images / "noble/current/noble.iso"
    now, whole = content(small), content(iso)
    assert {*now} == {*STAY, ".disk/info", *(name for name in whole if name.startswith("casper/"))}
    assert now == {path: whole[path] for path in now}
    assert small.read_bytes()[: 1 << 15] == bytes(1 << 15)
    assert b"EL TORITO" not in small.read_bytes()
    assert small.stat().st_size < iso.stat().st_size - 1_600_000
    told = subprocess.run(
        ["xorriso", "-indev", small, "-pvd_info"], check=True, capture_output=True, text=True
    )
    assert "Volume Id    : Ubuntu-Server 24.04.3 LTS amd64" in told.stdout


def test_it_says_of_which_iso_it_was_made_and_how_large_both_are(
    run: Runner, iso: Path, images: Path
) -> None:
    done = run(iso)
    small = images / "noble/current/noble.iso"
    assert done["version"] == f"{digest(iso)[:12]}-small"
    sizes = {"whole_iso": iso.stat().st_size, "iso": small.stat().st_size}
    assert {key: done["sizes"][key] for key in sizes} == sizes
    told = manifest(images)
    assert told["reduced_from"] == {"size": iso.stat().st_size, "sha256": digest(iso)}
    assert (told["sha256"], told["source"]) == (digest(iso), str(iso))
    assert told["files"]["noble.iso"]["sha256"] == digest(small)
    assert {path.name for path in small.parent.iterdir()} == {*told["files"], "manifest.json"}
    assert [path.name for path in images.iterdir()] == ["noble"]


def test_a_second_run_changes_and_reads_nothing(
    run: Runner, iso: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(iso)
    before = stamps(images)
    monkeypatch.setattr(fetch, "digests", None)
    monkeypatch.setattr(smaller, "PROGRAM", "no-such-program")
    for check, quick in ((True, True), (True, False), (False, False)):
        again = run(iso, check=check, quick=quick)
        assert (again["changed"], again["sizes"]["whole_iso"]) == (False, iso.stat().st_size)
    assert stamps(images) == before


def test_the_same_iso_gives_the_same_smaller_one(made: Path, tmp_path: Path) -> None:
    """Whenever it is made: a second passes, and folders lose files."""
    for name in ("one", "other"):
        os.utime(made, (1, 1))
        smaller.make(str(made), str(tmp_path / name), "x")
        subprocess.run(["sleep", "1.1"], check=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_smaller_one_is_made_of_the_whole_one_that_is_there(run: Runner, iso: Path, images: Path) -> None:
    whole = run(iso, small=False)["version"]
    before = stamps(images / "noble" / whole)
    fetched = manifest(images)["fetched"]
    small = run("http://gone.invalid/x.iso", source="url", checksum=f"sha256:{digest(iso)}")
    assert (small["version"], small["changed"]) == (f"{whole}-small", True)
    record = before.pop(str(images / "noble" / whole / "manifest.json"))
    after = stamps(images / "noble" / whole)
    assert after.pop(str(images / "noble" / whole / "manifest.json")) == record
    assert after == before  # so that no run reads it again
    assert manifest(images)["fetched"] == fetched
    assert manifest(images)["source"] == str(iso)
    back = run(iso, small=False)
    assert (back["version"], back["changed"], "whole_iso" in back["sizes"]) == (whole, True, False)
    assert kept(images) == {whole, f"{whole}-small", "current"}
    assert run(iso)["version"] == f"{whole}-small"
    for asks in (True, False):
        named = run(iso, version=f"{whole}-small", small=asks)
        assert (named["changed"], named["small"]) == (False, True)


def test_a_whole_one_is_not_made_of_the_smaller_one(run: Runner, iso: Path, images: Path) -> None:
    run(iso)
    old = "2026-01-01T00:00:00Z"
    record = images / "noble/current/manifest.json"
    record.write_text(json.dumps({**manifest(images), "fetched": old}))
    done = run(iso, small=False)
    assert manifest(images)["fetched"] > old
    assert (done["version"], done["small"]) == (digest(iso)[:12], False)
    assert digest(images / "noble/current/noble.iso") == digest(iso)
    assert manifest(images)["reduced_from"] == {}


def test_a_download_that_is_no_iso_is_refused_as_ever(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "x.iso").write_bytes(b"<html>" * 9000)
    checksum = f"sha256:{digest(tmp_path / 'x.iso')}"
    told = [
        run(f"file://{tmp_path}/x.iso", source="url", checksum=checksum, small=one) for one in (True, False)
    ]
    assert told[0]["msg"] == told[1]["msg"]
    assert "is no ISO image" in told[0]["msg"]


def test_another_kernel_shares_the_smaller_iso(run: Runner, iso: Path, images: Path) -> None:
    first = run(iso)["version"]
    done = run(iso, flavour="hwe")
    assert done["version"] == f"{digest(iso)[:12]}-hwe-small"
    assert (images / "noble/current/vmlinuz").read_bytes().startswith(b"hwe ")
    assert (images / "noble" / first / "noble.iso").samefile(images / "noble/current/noble.iso")
    assert manifest(images)["reduced_from"] == {"size": iso.stat().st_size, "sha256": digest(iso)}
    assert not run(iso, flavour="hwe")["changed"]


def test_a_check_run_needs_no_xorriso_and_does_not_count_the_whole_iso(
    run: Runner, iso: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smaller, "PROGRAM", "no-such-program")
    seen = run(iso, check=True)
    assert (seen["changed"], seen["version"]) == (True, f"{digest(iso)[:12]}-small")
    assert ("iso" in seen["sizes"], seen["sizes"]["whole_iso"]) == (False, iso.stat().st_size)
    told = run(iso)
    assert (
        "image noble: netboot_images: no-such-program is needed to make the smaller ISO: apt install"
        in (told["msg"])
    )
    assert told["msg"].endswith("Nothing was changed.")
    assert not images.exists()


def test_a_disk_that_fills_up_changes_nothing(run: Runner, iso: Path, images: Path) -> None:
    version = run(iso, small=False)["version"]
    before = stamps(images)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))  # no file may be larger
    try:
        told = run(iso)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "xorriso cannot make a smaller ISO of" in told["msg"]
    assert "See whether the disk is full" in told["msg"]
    assert told["msg"].endswith("What the server has of this image was not changed.")
    assert (stamps(images), kept(images)) == (before, {version, "current"})
    assert [path.name for path in images.iterdir()] == ["noble"]


def test_room_is_looked_for_before_it_is_made(
    run: Runner, iso: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = run(iso, small=False)["version"]
    room = os.statvfs(images)
    few = os.statvfs_result([*room[:3], 9, 9, *room[5:]])
    monkeypatch.setattr(os, "statvfs", lambda path: few)
    assert "Not enough space" in run(iso)["msg"]
    assert kept(images) == {version, "current"}


def test_a_byte_that_a_disk_changed_is_found(
    run: Runner, iso: Path, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(iso)

    def prove() -> Any:
        with patch_module_args({"path": str(images), "images": []}), pytest.raises(SystemExit):
            boot_images_info.main()
        return json.loads(capsys.readouterr().out)

    good = prove()
    assert good["faults"] == []
    assert ", the ISO made of one of 0.0 GB: as verified. Fetched 20" in good["said"][0]
    small = images / "noble/current/noble.iso"
    info, data = small.stat(), bytearray(small.read_bytes())
    data[-1] ^= 1
    small.write_bytes(data)
    os.utime(small, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert [" has the SHA-256 " in fault for fault in prove()["faults"]] == [True]
    assert run(iso)["changed"]  # made again
    assert prove()["faults"] == []
    record = images / "noble/current/manifest.json"
    for wrong in ({"size": 1, "sha256": "0" * 64}, {"size": 1}, "x"):
        record.write_text(json.dumps({**manifest(images), "reduced_from": wrong}))
        assert len(prove()["faults"]) == 1
