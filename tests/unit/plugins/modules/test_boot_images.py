# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it: real images, a real web server, real files."""

from __future__ import annotations

import calendar
import fcntl
import functools
import gzip
import hashlib
import json
import os
import shutil
import stat
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, ClassVar, Iterator

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.modules import boot_images
from ansible_collections.homelab.netboot.tests.unit import efi
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso, ubuntu_files

INFO = 'Ubuntu-Server {} LTS "{}" - Release amd64 (20250805.1)'
NOBLE = ("24.04.2", "24.04.3", "24.04.4")


class Web(SimpleHTTPRequestHandler):
    """Serves a folder and counts what is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Web.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Web, directory=str(tmp_path / "web")))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    Web.asked = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    tmp_path = tmp_path_factory.mktemp("isos")
    made = {}
    for release in NOBLE:
        files = ubuntu_files(f"kernel {release}".encode(), f"initrd {release}".encode())
        files[".disk/info"] = INFO.format(release, "Noble Numbat").encode()
        made[release] = make_iso(tmp_path / f"{release}.iso", files)
    return made


@pytest.fixture
def isos(made: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """An ISO a point release, each with a kernel of its own."""
    return {release: Path(shutil.copy(path, tmp_path)) for release, path in made.items()}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "images"


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version_of(path: Path) -> str:
    return digest_of(path)[:12]


class Runner:
    """Runs the module and returns what it printed for Ansible."""

    def __init__(self, capsys: pytest.CaptureFixture[str], images: Path) -> None:
        self._capsys = capsys
        self._images = images

    def __call__(
        self, *, check: bool = False, quick: bool = False, note: dict[str, str] | None = None, **settings: Any
    ) -> dict[str, Any]:
        pair = ["casper/hwe-vmlinuz", "casper/hwe-initrd"] if settings.get("flavour") == "hwe" else None
        usual = ["casper/vmlinuz", "casper/initrd"]
        image = {
            **dict.fromkeys(["checksum", "version", "flavour"], ""),
            "keep": 1,
            "arch": "amd64",
            "kernels": {"": pair or usual, "24.04": pair or usual},
            **{key: str(value) if isinstance(value, Path) else value for key, value in settings.items()},
        }
        arguments = {"path": str(self._images), "images": {"noble": image}, "timeout": 30, "quick": quick}
        arguments.update(_ansible_check_mode=check, _ansible_diff=True, **({"note": note} if note else {}))
        with patch_module_args(arguments), pytest.raises(SystemExit):
            boot_images.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        if "images" in result:
            result.update(result["images"]["noble"], changed=result["changed"])
        return result

    def fails(self, **settings: Any) -> str:
        """Run it; return the message. Nothing may have changed."""
        before = tree(self._images)
        result = self(**settings)
        assert result["failed"], result
        assert "exception" not in result
        assert tree(self._images) == before
        return str(result["msg"])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], images: Path) -> Runner:
    return Runner(capsys, images)


def tree(folder: Path) -> dict[str, Any]:
    """Everything below a folder: content, mode and where links lead."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (content, path.lstat().st_mode)
    return found


def kept(images: Path) -> set[str]:
    """Names of what lies in the image's folder."""
    return {path.name for path in (images / "noble").iterdir()}


def test_an_image_is_made_complete_and_told_of(run: Runner, isos: dict[str, Path], images: Path) -> None:
    before = run(source="path", origin=isos["24.04.2"], check=True)
    assert before["changed"]
    assert not before["present"]
    assert not images.exists()
    done = run(source="path", origin=isos["24.04.2"])
    version = version_of(isos["24.04.2"])
    assert (done["version"], done["folder"], done["present"]) == (version, f"images/noble/{version}", True)
    assert (done["release"], done["codename"], done["arch"]) == ("24.04.2", "noble", "amd64")
    size = isos["24.04.2"].stat().st_size
    assert done["sizes"] == {"iso": size, "vmlinuz": len("kernel 24.04.2"), "initrd": len("initrd 24.04.2")}
    for key in ("version", "folder", "release", "codename", "sizes", "kernel", "initrd"):
        assert before[key] == done[key]
    assert kept(images) == {version, "current"}
    current = images / "noble/current"
    assert (current / "noble.iso").read_bytes() == isos["24.04.2"].read_bytes()
    assert (current / "vmlinuz").read_bytes() == b"kernel 24.04.2"
    assert {path.name: oct(path.stat().st_mode)[-3:] for path in current.iterdir()} == {
        "noble.iso": "644", "vmlinuz": "644", "initrd": "644", "manifest.json": "644"
    }  # fmt: skip
    assert [path.name for path in images.iterdir()] == ["noble"]


def test_a_packed_kernel_is_served_unpacked(run: Runner, images: Path, tmp_path: Path) -> None:
    """As Ubuntu's arm64 images have it; what stands behind the gzip file is none of it."""
    kernel = b"kernel " * 200_000
    files = {
        **ubuntu_files(gzip.compress(kernel) + bytes(100)),
        ".disk/info": INFO.format("24.04.4", "x").encode(),
    }
    origin = make_iso(tmp_path / "packed.iso", files)
    told = [run(source="path", origin=origin, check=check) for check in (True, False, False)]
    assert [one["sizes"]["vmlinuz"] for one in told] == [len(kernel)] * 3
    assert [one["changed"] for one in told] == [True, True, False]
    place = images / "noble/current/vmlinuz"
    assert (place.read_bytes(), oct(place.stat().st_mode)[-3:]) == (kernel, "644")
    record = json.loads((place.parent / "manifest.json").read_text())["files"]["vmlinuz"]
    assert (record["sha256"], record["source"]) == (digest_of(place), "casper/vmlinuz")
    assert {path.name for path in place.parent.iterdir()} == {
        "manifest.json",
        "noble.iso",
        "vmlinuz",
        "initrd",
    }


@pytest.mark.parametrize(
    ("size", "damage", "told"),
    [
        (60_000, lambda packed: packed[:-9], "its end is missing"),
        (60_000, lambda packed: packed[:20] + bytes(90), "cannot be unpacked (Error"),
        (300 << 20, lambda packed: packed, "it is no kernel"),
    ],
    ids=["cut off", "damaged", "too large"],
)
def test_a_packed_kernel_that_cannot_be_unpacked(
    run: Runner, tmp_path: Path, size: int, damage: Callable[[bytes], bytes], told: str
) -> None:
    kernel = damage(gzip.compress(b"kernel " * (size // 7), 1))
    files = {**ubuntu_files(kernel), ".disk/info": INFO.format("24.04.4", "x").encode()}
    origin = make_iso(tmp_path / "packed.iso", files)
    for check in (True, False):
        message = run.fails(source="path", origin=origin, check=check)
        assert message.startswith(f"image noble: netboot_images: casper/vmlinuz in {origin} ")
        assert told in message


def test_a_second_run_changes_and_reads_nothing(run: Runner, isos: dict[str, Path], images: Path) -> None:
    run(source="path", origin=isos["24.04.2"])
    before = tree(images)
    for check in (True, False):
        assert not run(source="path", origin=isos["24.04.2"], check=check)["changed"]
    assert tree(images) == before


def test_its_answer_is_noted_with_all_that_it_depends_on(
    run: Runner, isos: dict[str, Path], images: Path, tmp_path: Path
) -> None:
    note = {"path": str(tmp_path / "answers/images.json"), "key": "k"}
    run(source="path", origin=isos["24.04.2"], note=note, check=True)
    assert not (tmp_path / "answers").exists()
    told = run(source="path", origin=isos["24.04.2"], note=note)
    noted = json.loads((tmp_path / "answers/images.json").read_text())
    assert (noted["key"], told["changed"]) == ("k", True)
    assert noted["answer"] == run(source="path", origin=isos["24.04.2"], note=note, check=True)["images"]
    everything = {str(images / "noble"), *(str(path) for path in (images / "noble").rglob("*"))}
    assert {*noted["files"]} == {*everything, str(isos["24.04.2"])}
    assert all(noted["files"].values())


def test_an_iso_that_was_removed_after_it_was_copied_is_not_missed(
    run: Runner, isos: dict[str, Path], tmp_path: Path
) -> None:
    origin = tmp_path / "download.iso"
    shutil.copy(isos["24.04.2"], origin)
    version = run(source="path", origin=origin)["version"]
    origin.unlink()
    for check, quick in ((True, True), (True, False), (False, False)):
        done = run(source="path", origin=origin, check=check, quick=quick)
        assert (done["version"], done["present"], done["changed"]) == (version, True, False)
    assert "no file at" in run.fails(source="path", origin=tmp_path / "another.iso")
    shutil.copy(isos["24.04.3"], origin)  # another one in its place counts, as ever
    assert run(source="path", origin=origin)["release"] == "24.04.3"


def test_a_quick_look_tells_what_the_iso_is_and_reads_none_of_it(run: Runner, isos: dict[str, Path]) -> None:
    seen = run(source="path", origin=isos["24.04.2"], check=True, quick=True)
    assert (seen["version"], seen["folder"]) == ("", "images/noble/current")
    assert (seen["release"], seen["changed"]) == ("24.04.2", True)
    done = run(source="path", origin=isos["24.04.2"], quick=True)
    assert done["version"] == version_of(isos["24.04.2"])
    assert run(source="path", origin=isos["24.04.2"], check=True, quick=True)["version"] == done["version"]


def test_the_new_version_is_put_beside_the_old_one_and_then_used(
    run: Runner, isos: dict[str, Path], images: Path
) -> None:
    old, new, newest = (version_of(isos[release]) for release in NOBLE)
    run(source="path", origin=isos["24.04.2"])
    reading = (images / f"noble/{old}/noble.iso").open("rb")  # a machine that has begun with it
    done = run(source="path", origin=isos["24.04.3"])
    assert (done["version"], done["release"]) == (new, "24.04.3")
    assert done["diff"][0]["before"] == f"in use: {old}\nkept: {old}\n"
    assert done["diff"][0]["after"] == f"in use: {new}\nkept: {', '.join(sorted([old, new]))}\n"
    files = {str(entry["after_header"]).split("noble/", 1)[-1] for entry in done["diff"][1:]}
    written = {f"{new}/{name}" for name in ("noble.iso", "vmlinuz", "initrd", "manifest.json")}
    assert files == {*written, "current"}
    assert kept(images) == {old, new, "current"}
    assert (images / "noble/current/vmlinuz").read_bytes() == b"kernel 24.04.3"
    last = run(source="path", origin=isos["24.04.4"])
    gone = {
        str(e["before_header"]).rsplit("/", 1)[-1] for e in last["diff"] if f"/{old}/" in e["before_header"]
    }
    assert gone == {"noble.iso", "vmlinuz", "initrd", "manifest.json"}
    assert kept(images) == {new, newest, "current"}
    assert reading.read() == isos["24.04.2"].read_bytes()
    reading.close()


def test_keep_says_how_many_earlier_ones_stay(run: Runner, isos: dict[str, Path], images: Path) -> None:
    for release in NOBLE:
        run(source="path", origin=isos[release], keep=2)
    assert len(kept(images)) == 4
    checked = run(source="path", origin=isos["24.04.4"], keep=1, check=True)
    assert (checked["changed"], len(kept(images))) == (True, 4)
    run(source="path", origin=isos["24.04.4"], keep=1)
    assert kept(images) == {version_of(isos["24.04.3"]), version_of(isos["24.04.4"]), "current"}


@pytest.mark.parametrize("how", ["name", "release", "codename of the newest", "digest"])
def test_a_kept_version_is_used_again_by_naming_it(
    run: Runner, isos: dict[str, Path], images: Path, how: str
) -> None:
    run(source="path", origin=isos["24.04.2"])
    run(source="path", origin=isos["24.04.3"])
    isos["24.04.2"].unlink()
    release = "24.04.3" if "newest" in how else "24.04.2"
    digest = json.loads((images / "noble" / version_of(isos["24.04.3"]) / "manifest.json").read_text())[
        "sha256"
    ]
    old = next(name for name in kept(images) if name not in ("current", digest[:12]))
    named = {"name": old, "release": "24.04.2", "digest": old[:8], "codename of the newest": "noble"}[how]
    done = run(source="path", origin=isos["24.04.3"], version=named)
    assert done["release"] == release
    assert done["changed"] == (release == "24.04.2")
    assert (images / "noble/current/vmlinuz").read_bytes() == f"kernel {release}".encode()
    assert not run(source="path", origin=isos["24.04.3"], version=named)["changed"]
    back = run(source="path", origin=isos["24.04.3"])
    assert back["release"] == "24.04.3"
    assert len(kept(images)) == 3


def test_a_version_that_is_not_kept_is_refused_with_those_that_are(
    run: Runner, isos: dict[str, Path]
) -> None:
    run(source="path", origin=isos["24.04.2"])
    told = run.fails(source="path", origin=isos["24.04.2"], version="24.04.1")
    assert told.startswith("image noble: netboot_images: version 24.04.1 is not kept on this server; there: ")
    assert f"{version_of(isos['24.04.2'])} (24.04.2)" in told


def test_an_earlier_checksum_brings_its_version_back_without_a_download(
    run: Runner, isos: dict[str, Path], tmp_path: Path, web: str
) -> None:
    for release in ("24.04.2", "24.04.3"):
        shutil.copy(isos[release], tmp_path / "web" / f"{release}.iso")
        checksum = f"sha256:{digest_of(isos[release])}"
        run(source="url", origin=f"{web}/{release}.iso", checksum=checksum)
    assert Web.asked == ["/24.04.2.iso", "/24.04.3.iso"]
    checksum = f"sha256:{digest_of(isos['24.04.2'])}"
    done = run(source="url", origin="http://gone.invalid/24.04.2.iso", checksum=checksum)
    assert (done["release"], done["changed"], len(Web.asked)) == ("24.04.2", True, 2)


def test_a_list_of_checksums_is_asked_once(
    run: Runner, isos: dict[str, Path], tmp_path: Path, web: str, images: Path
) -> None:
    shutil.copy(isos["24.04.2"], tmp_path / "web/x.iso")
    digest = digest_of(isos["24.04.2"])
    (tmp_path / "web/SHA256SUMS").write_text(f"{'0' * 64} *other.iso\n{digest.upper()} *x.iso\n")
    asked: dict[str, Any] = {
        "source": "url",
        "origin": f"{web}/x.iso",
        "checksum": f"sha256:{web}/SHA256SUMS",
    }
    assert run(**asked, check=True)["version"] == digest[:12]
    assert not images.exists()
    assert run(**asked)["release"] == "24.04.2"
    assert Web.asked == ["/SHA256SUMS", "/SHA256SUMS", "/x.iso"]
    assert not run(**asked)["changed"]
    assert len(Web.asked) == 3
    (tmp_path / "web/LIST").write_text(f"SHA256 (x.iso) = {digest}\n")
    other_list = {**asked, "checksum": f"sha256:{web}/LIST"}
    assert not run(**other_list)["changed"]
    assert not run(**other_list)["changed"]
    assert Web.asked[3:] == ["/LIST"]


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_other_checksums_name_the_version_only_when_it_is_there(
    run: Runner, isos: dict[str, Path], algorithm: str
) -> None:
    checksum = f"{algorithm}:{hashlib.new(algorithm, isos['24.04.2'].read_bytes()).hexdigest()}"
    asked: dict[str, Any] = {"source": "path", "origin": isos["24.04.2"], "checksum": checksum}
    assert run(**asked, check=True)["folder"] == "images/noble/current"
    assert run(**asked)["version"] == version_of(isos["24.04.2"])
    assert not run(**asked)["changed"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not what it should be", "has the checksum sha256:"),
        (None, "cannot be downloaded (HTTP Error 404: File not found). Correct url and checksum"),
    ],
)
def test_a_bad_download_leaves_everything_as_it_was(  # noqa: PLR0917
    run: Runner, isos: dict[str, Path], tmp_path: Path, web: str, content: bytes | None, told: str
) -> None:
    run(source="path", origin=isos["24.04.2"])
    if content:
        (tmp_path / "web/x.iso").write_bytes(content)
    message = run.fails(source="url", origin=f"{web}/x.iso", checksum=f"sha256:{'0' * 64}")
    assert message.startswith("image noble: netboot_images: ")
    assert told in message
    assert message.endswith("What the server has of this image was not changed.")


def test_a_server_that_does_not_answer_is_named(run: Runner) -> None:
    message = run.fails(
        source="url", origin="http://127.0.0.1:9/x.iso", checksum="sha256:http://127.0.0.1:9/S"
    )
    assert "the list of checksums http://127.0.0.1:9/S cannot be fetched" in message


def test_a_password_in_an_address_is_told_to_nobody(
    run: Runner, isos: dict[str, Path], tmp_path: Path, web: str, images: Path
) -> None:
    secret = web.replace("//", "//me:s3cret@")
    asked: dict[str, Any] = {"source": "url", "checksum": f"sha256:{digest_of(isos['24.04.2'])}"}
    assert "s3cret" not in run.fails(**asked, origin=f"{secret}/nope.iso")
    assert "s3cret" not in run.fails(source="url", origin=f"{secret}/x.iso", checksum=f"sha256:{secret}/SUMS")
    (tmp_path / "web/x.iso").write_bytes(b"x")
    assert "s3cret" not in run.fails(**asked, origin=f"{secret}/x.iso")
    shutil.copy(isos["24.04.2"], tmp_path / "web/x.iso")
    done = run(**asked, origin=f"{secret}/x.iso")
    done.pop("invocation", None)  # what was asked; Ansible before 2.22 shows it with -vvv
    assert "s3cret" not in json.dumps(done)


def test_a_manifest_holds_no_secret_and_knows_the_request_again(
    run: Runner, isos: dict[str, Path], tmp_path: Path, web: str, images: Path
) -> None:
    """Anybody may read it: neither password nor what stands behind ? is in it."""
    secret = web.replace("//", "//me:s3cret@")
    shutil.copy(isos["24.04.2"], tmp_path / "web/x.iso")
    shutil.copy(isos["24.04.3"], tmp_path / "web/y.iso")
    for name in "xy":
        with (tmp_path / "web/SUMS").open("a") as sums:
            sums.write(f"{digest_of(tmp_path / f'web/{name}.iso')}  {name}.iso\n")
    for origin, checksum in (
        (f"{secret}/x.iso", f"sha512:{hashlib.sha512(isos['24.04.2'].read_bytes()).hexdigest()}"),
        (f"{secret}/x.iso?t=s3cret", f"sha256:{secret}/SUMS"),
        (f"{secret}/y.iso#s3cret", f"sha256:{secret}/SUMS"),
    ):
        asked: dict[str, Any] = {"source": "url", "origin": origin, "checksum": checksum}
        assert run(**asked).get("msg") is None
        number, before = len(Web.asked), (images / "noble/current/manifest.json").stat().st_ino
        assert not run(**asked)["changed"]
        assert len(Web.asked) == number
        assert (images / "noble/current/manifest.json").stat().st_ino == before
        for record in images.glob("noble/*/manifest.json"):
            assert stat.S_IMODE(record.stat().st_mode) == 0o644
            assert "s3cret" not in record.read_text()
    assert Web.asked.count("/SUMS") == 2
    asked["checksum"] += "?s3cret"  # perhaps another list, which nobody can tell by the manifest
    assert [run(**asked)["changed"] for dummy in range(2)] == [False, False]
    assert Web.asked.count("/SUMS?s3cret") == 2


def manifest(images: Path) -> dict[str, Any]:
    """The one of the version in use."""
    told: dict[str, Any] = json.loads((images / "noble/current/manifest.json").read_text())
    return told


def test_a_manifest_says_where_a_version_is_from(
    run: Runner, isos: dict[str, Path], tmp_path: Path, web: str, images: Path
) -> None:
    shutil.copy(isos["24.04.2"], tmp_path / "web/x.iso")
    digest = digest_of(isos["24.04.2"])
    (tmp_path / "web/SUMS").write_text(f"{digest}  x.iso\n")
    run(source="url", origin=f"{web}/x.iso", checksum=f"sha256:{web}/SUMS")
    told = manifest(images)
    assert (told["image"], told["version"], told["sha256"]) == ("noble", digest[:12], digest)
    assert [told[key] for key in ("release", "codename", "arch", "flavour")] == [
        "24.04.2", "noble", "amd64", ""
    ]  # fmt: skip
    came = [told[key] for key in ("source", "checksum", "signed_by", "fetched", "verified")]
    assert came[:3] == [f"{web}/x.iso", f"sha256:{web}/SUMS", ""]
    assert came[3] == came[4]
    assert abs(calendar.timegm(time.strptime(came[3], "%Y-%m-%dT%H:%M:%SZ")) - time.time()) < 60
    folder = images / "noble/current"
    sources = {"noble.iso": "", "vmlinuz": "casper/vmlinuz", "initrd": "casper/initrd"}
    for name, source in sources.items():
        file = told["files"].pop(name)
        size = (folder / name).stat().st_size
        assert (file["size"], file["sha256"], file["source"]) == (size, digest_of(folder / name), source)
    assert told["files"] == {}
    came[2] = "Somebody's key"
    told = {**manifest(images), "signed_by": came[2]}
    (folder / "manifest.json").write_text(json.dumps(told))
    # asked for otherwise, it is still from there; so is the ISO that another kernel is taken out of
    for flavour in ("", "hwe"):
        run(source="path", origin=isos["24.04.2"], flavour=flavour)
        later = manifest(images)
        assert [later[key] for key in ("source", "checksum", "signed_by", "fetched", "verified")] == came
        assert later["asked"]["source"] == str(isos["24.04.2"])


def test_a_checksum_that_comes_later_vouches_for_it_too(
    run: Runner, isos: dict[str, Path], images: Path
) -> None:
    checksums = [f"sha256:{digest_of(isos['24.04.2'])}", f"sha256:{digest_of(isos['24.04.2']).upper()}"]
    for checksum, told in (("", ""), (checksums[0], checksums[0]), (checksums[1], checksums[0])):
        run(source="path", origin=isos["24.04.2"], checksum=checksum)
        assert manifest(images)["checksum"] == told


@pytest.mark.skipif(not shutil.which("sbsign"), reason="sbsigntool is not installed")
def test_a_manifest_names_who_signed_the_kernel(run: Runner, tmp_path: Path, images: Path) -> None:
    """As firmware sees it; also of one that comes packed."""
    authority = efi.Key.make(tmp_path, "An authority")
    signed = efi.Key.make(tmp_path, "A signer", authority, authority=False).sign(efi.program())
    for kernel, signers in ((gzip.compress(signed), ["An authority"]), (efi.program(), []), (b"none", [])):
        files = {**ubuntu_files(kernel), ".disk/info": INFO.format("24.04.4", "x").encode()}
        run(source="path", origin=make_iso(tmp_path / "other.iso", files))
        assert manifest(images)["files"]["vmlinuz"]["signers"] == signers


def test_when_all_was_read_again_the_manifest_says_so(
    run: Runner, isos: dict[str, Path], images: Path
) -> None:
    run(source="path", origin=isos["24.04.2"])
    record = images / "noble/current/manifest.json"
    old = "2026-01-01T00:00:00Z"
    record.write_text(json.dumps({**manifest(images), "verified": old, "fetched": old}))
    os.utime(images / "noble/current/vmlinuz", (1, 1))
    assert not run(source="path", origin=isos["24.04.2"])["changed"]
    assert manifest(images)["verified"] == old
    for name in ("noble.iso", "vmlinuz", "initrd"):
        os.utime(images / "noble/current" / name, (2, 2))
    assert not run(source="path", origin=isos["24.04.2"])["changed"]
    assert (manifest(images)["fetched"], manifest(images)["verified"] > old) == (old, True)


def test_two_runs_at_once_are_refused(run: Runner, isos: dict[str, Path], images: Path) -> None:
    images.mkdir()
    handle = os.open(images, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert f"another run is at work in {images}" in run.fails(source="path", origin=isos["24.04.2"])
    assert not run(source="path", origin=isos["24.04.2"], check=True).get("failed")
    os.close(handle)
    assert run(source="path", origin=isos["24.04.2"])["changed"]


def other(tmp_path: Path, info: str | None, *missing: str) -> Path:
    files = ubuntu_files()
    files[".disk/info"] = (info or "").encode()
    for name in missing if info else [".disk/info", *missing]:
        del files[name]
    return make_iso(tmp_path / "other.iso", files)


@pytest.mark.parametrize(
    ("info", "missing", "told"),
    [
        (None, [], "has no .disk/info: it is no Ubuntu image. Give the address or path of ubuntu-VERSION-live-server"),
        ('Ubuntu 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)', [], "that is a desktop image"),
        ('Kubuntu 24.04 LTS "Noble Numbat" - Release amd64 (20240424)', [], "that is no Ubuntu server image"),
        ("Debian GNU/Linux 13.1.0 \"Trixie\" - Official amd64 NETINST", [], "that is no Ubuntu server image"),
        ('Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release arm64 (20250805.1)', [], "is for arm64, and the image"),
        (INFO.format("20.04.1", "Focal Fossa"), ["casper/vmlinuz"], "legacy and netboot images have no casper"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["path", "url"])
def test_a_wrong_iso_is_refused_whatever_way_it_comes(  # noqa: PLR0917
    run: Runner, tmp_path: Path, web: str, source: str, info: str | None, missing: list[str], told: str
) -> None:
    iso = other(tmp_path, info, *missing)
    shutil.copy(iso, tmp_path / "web/other.iso")
    origin = iso if source == "path" else f"{web}/other.iso"
    message = run.fails(source=source, origin=origin, checksum=f"sha256:{digest_of(iso)}")
    assert message.startswith(f"image noble: netboot_images: {origin} ")
    assert told in message
    if source == "path":
        assert run.fails(source=source, origin=origin, check=True) in message.replace(
            "What the server has of this image was not changed.", "Nothing was changed."
        )


def test_a_file_with_another_time_is_read_once(run: Runner, isos: dict[str, Path], images: Path) -> None:
    run(source="path", origin=isos["24.04.2"])
    os.utime(isos["24.04.2"], (1, 1))
    assert run(source="path", origin=isos["24.04.2"], check=True, quick=True)["changed"]  # cannot know better
    assert not run(source="path", origin=isos["24.04.2"])["changed"]
    assert not run(source="path", origin=isos["24.04.2"], check=True, quick=True)["changed"]


def test_the_newer_kernel_is_a_version_of_its_own_without_a_second_iso_on_the_disk(
    run: Runner, isos: dict[str, Path], images: Path
) -> None:
    run(source="path", origin=isos["24.04.2"])
    done = run(source="path", origin=isos["24.04.2"], flavour="hwe")
    version = version_of(isos["24.04.2"])
    assert done["version"] == f"{version}-hwe"
    assert (images / "noble/current/vmlinuz").read_bytes().startswith(b"hwe ")
    assert (images / f"noble/{version}/noble.iso").samefile(images / f"noble/{version}-hwe/noble.iso")
    assert not run(source="path", origin=isos["24.04.2"], flavour="hwe")["changed"]


def test_an_image_without_a_newer_kernel_says_so(run: Runner, tmp_path: Path) -> None:
    iso = other(tmp_path, INFO.format("24.04", "Noble Numbat"), "casper/hwe-vmlinuz")
    told = run.fails(source="path", origin=iso, flavour="hwe")
    assert "remove hwe: true, or give a newer point release" in told


@pytest.mark.parametrize("file", ["noble.iso", "vmlinuz", "manifest.json"])
def test_a_damaged_version_is_not_used_and_is_made_again(
    run: Runner, isos: dict[str, Path], images: Path, file: str
) -> None:
    run(source="path", origin=isos["24.04.2"])
    before = tree(images)
    path = images / "noble/current" / file
    path.write_bytes(b"x" + path.read_bytes()[1:])
    assert not run(source="path", origin=isos["24.04.2"], check=True)["present"]
    assert run(source="path", origin=isos["24.04.2"])["changed"]
    assert {**tree(images), ".image": 0}.keys() == {**before, ".image": 0}.keys()
    assert (images / "noble/current/vmlinuz").read_bytes() == b"kernel 24.04.2"


STEPS = ["mkdtemp", "unlink", "rename", "replace", "symlink", "rmtree", "fsync", "chmod"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", range(5))
def test_whenever_it_is_killed_one_whole_version_is_in_use(  # noqa: PLR0917
    run: Runner, isos: dict[str, Path], images: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    for release in NOBLE[:2]:
        run(source="path", origin=isos[release])
    place = {"mkdtemp": tempfile, "rmtree": shutil}.get(step, os)
    real, left = getattr(place, step), [number]

    def killed(*args: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(place, step, killed)
        died = False
        try:
            run(source="path", origin=isos["24.04.4"])
        except KeyboardInterrupt:
            died = True
    for version in [
        images / "noble/current",
        *(images / "noble" / name for name in kept(images) if name[0] != "."),
    ]:
        kernel = (version / "vmlinuz").read_bytes().decode()
        release = kernel.split()[1]
        assert (version / "initrd").read_bytes() == f"initrd {release}".encode()
        assert (version / "noble.iso").read_bytes() == isos[release].read_bytes()
    done = run(source="path", origin=isos["24.04.4"])
    assert (images / "noble/current/vmlinuz").read_bytes() == b"kernel 24.04.4"
    assert (done["release"], died or not done["changed"]) == ("24.04.4", True)
    assert [path.name for path in images.iterdir()] == ["noble"]
    assert len(kept(images)) == 3


def test_what_a_killed_run_left_is_removed(run: Runner, isos: dict[str, Path], images: Path) -> None:
    (images / ".new-noble-abc").mkdir(parents=True)
    (images / ".new-noble-abc/noble.iso").write_bytes(b"half")
    run(source="path", origin=isos["24.04.2"])
    assert [path.name for path in images.iterdir()] == ["noble"]


def test_a_file_from_the_controller_is_taken_over(run: Runner, isos: dict[str, Path], images: Path) -> None:
    checksum = f"sha256:{digest_of(isos['24.04.2'])}"
    asked: dict[str, Any] = {"source": "src", "origin": "/on/the/controller.iso", "checksum": checksum}
    assert run(**asked, check=True)["version"] == version_of(isos["24.04.2"])
    (images / ".incoming").mkdir(parents=True)
    shutil.copy(isos["24.04.2"], images / ".incoming/noble.iso")
    assert run(**asked)["release"] == "24.04.2"
    assert list((images / ".incoming").iterdir()) == []
    assert not run(**asked)["changed"]
    # somebody who cannot see the file sees what is there
    assert run(source="src", origin="/on/the/controller.iso", check=True)["release"] == "24.04.2"


def test_a_file_that_is_not_there_is_named(run: Runner, tmp_path: Path) -> None:
    told = run.fails(source="path", origin=tmp_path / "nope.iso")
    assert told.startswith(
        f"image noble: netboot_images: no file at {tmp_path}/nope.iso. 'path' is a file on the server"
    )


def test_all_faults_are_told_at_once(capsys: pytest.CaptureFixture[str], images: Path) -> None:
    spec = {"source": "path", "origin": "/nope", "checksum": "", "version": "", "keep": 1}
    spec.update({"arch": "amd64", "flavour": "", "kernels": {"": ["a", "b"]}})
    with patch_module_args({"path": str(images), "images": {"a": spec, "b": spec}}), pytest.raises(
        SystemExit
    ):
        boot_images.main()
    told = json.loads(capsys.readouterr().out)["msg"]
    assert "image a: netboot_images: no file at /nope" in told
    assert "image b: netboot_images: no file at /nope" in told
