# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: fetched once, in slices, by version; right with a full disk, without the owner, and after poison."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._image import kept

from tests.caches.conftest import Files
from tests.caches.machine import Broken, ask
from tests.caches.place import CACHES, FULL, NEWER, SLICE, VERSION, Cache, Owner
from tests.lab.common import run

Image = Callable[..., str]
ISO = "noble.iso"


def test_two_at_once_cost_the_owner_one(owner: Owner, cache: Cache, files: Files, image: Image) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, [image()] * 10))
    assert [body == files[ISO] for _status, body, _headers in answers] == [True] * 10
    owner.has_sent(ISO, len(files[ISO]))
    assert cache.slices(ISO) == 6
    assert cache.prove() == {f"{VERSION}/{ISO}": "good"}
    owner.has_sent(ISO, len(files[ISO]))


def test_two_caches_cost_the_owner_two(tmp_path: Path, owner: Owner, cache: Cache, files: Files) -> None:
    with Cache(tmp_path / "second", CACHES[1]) as second:
        for one in (cache, second, cache, second):
            assert ask(f"{one.url}/images/noble/{VERSION}/{ISO}")[1] == files[ISO]
    owner.has_sent(ISO, 2 * len(files[ISO]))


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5000000-9000000", 5_000_000, 9_000_000),
        (f"bytes={SLICE - 1}-{SLICE}", SLICE - 1, SLICE),
        ("bytes=20000000-", 20_000_000, None),
        ("bytes=-1000", -1000, None),
    ],
)
def test_parts(files: Files, image: Image, asked: str, first: int, last: int | None) -> None:
    """As wget -c, curl -C and firmware ask, before and after anything is kept."""
    whole = files[ISO]
    part = whole[first : None if last is None else last + 1]
    for _time in range(2):
        status, body, headers = ask(image(), Range=asked)
        assert (status, body == part) == (206, True)
        assert headers["content-range"].endswith(f"/{len(whole)}")
    status, body, headers = ask(image(), "HEAD")
    assert (status, body, headers["content-length"]) == (200, b"", str(len(whole)))
    assert ask(image(), Range=f"bytes={len(whole)}-")[0] == 416


def test_a_transfer_is_taken_up_again(tmp_path: Path, owner: Owner, files: Files, image: Image) -> None:
    """By the real curl, from the middle of a slice."""
    place = tmp_path / "part"
    place.write_bytes(files[ISO][:7_000_000])
    run("curl", "-sSf", "-C", "-", "-o", place, image())
    assert place.read_bytes() == files[ISO]
    owner.has_sent(ISO, len(files[ISO]) - SLICE)


def test_versions_are_apart(owner: Owner, cache: Cache, files: Files, image: Image) -> None:
    assert ask(image())[1] == files[ISO]
    newer = {**files, ISO: files[ISO][::-1]}
    owner.add(NEWER, newer)
    assert ask(image(version=NEWER))[1] == newer[ISO]
    assert ask(image())[1] == files[ISO]
    assert set(cache.prove().values()) == {"good"}
    shutil.rmtree(owner.images / "noble" / VERSION)
    assert cache.prove() == {f"{VERSION}/{ISO}": "gone", f"{NEWER}/{ISO}": "good"}


def test_what_may_change_is_asked_each_time(owner: Owner, cache: Cache, image: Image) -> None:
    folder = owner.images / "noble"
    (folder / "current").symlink_to(VERSION)
    for number in range(2):
        text = str(number).encode()
        (folder / VERSION / "manifest.json").write_bytes(text)
        (folder / VERSION / "noble.iso").write_bytes(text * 10)
        assert ask(image("manifest.json"))[1] == text
        assert ask(image(version="current"))[1] == text * 10
    assert cache.slices("") == 0


def test_another_hosts_file_is_not_kept_as_an_image(tmp_path: Path, files: Files) -> None:
    """Whoever asks the cache as a proxy gets the image, too, though the owner is a cache of packages."""
    apt: dict[str, Any] = {"netboot_apt_cache": True, "pxe_http_resolvers": ["127.0.0.1"]}
    with Owner(tmp_path / "owner", "", **apt) as owner, Cache(tmp_path / "cache") as cache:
        owner.add(VERSION, files)
        path = f"/images/noble/{VERSION}/{ISO}"
        for _time in range(2):
            assert ask(f"{cache.url}{path}", Host="archive.ubuntu.com")[1] == files[ISO]
        # what is no image is passed on to the cache of packages, which finds no mirror here
        assert ask(f"{cache.url}/ubuntu/x.deb", Host="archive.ubuntu.com")[0] == 502


# --- the disk


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 14 MB where the cache keeps images."""
    folder = tmp_path / "cache/root/cache"
    folder.mkdir(parents=True)
    run("mount", "-t", "tmpfs", "-o", "size=14m", "none", folder)
    yield folder
    run("umount", folder)


def test_an_image_larger_than_the_disk(
    small: Path, owner: Owner, cache: Cache, files: Files, image: Image
) -> None:
    """What cannot be kept is passed on all the same, to one and to several."""
    assert shutil.disk_usage(small).total < len(files[ISO])
    assert ask(image())[1] == files[ISO]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [image()] * 4))
    assert [body == files[ISO] for _status, body, _headers in answers] == [True] * 4
    assert 0 < cache.slices(ISO) < 6
    assert re.search("No space left on device|has written only", "\n".join(cache.log("error.log")))
    assert owner.sent(ISO) <= 3 * 5 * len(
        files[ISO]
    )  # for each who asks a slice is tried twice, and passed on


@pytest.mark.usefixtures("owner")
def test_another_program_fills_the_disk_under_way(
    small: Path, cache: Cache, files: Files, image: Image
) -> None:
    """In the middle of a slice, for good; and when it is free again, images are kept again."""
    filler = small / "filler"
    with socket.create_connection((cache.address, 80)) as link:
        path = image().removeprefix(cache.url)
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = b""
        while block := link.recv(1 << 16):
            said += block
            if not filler.exists() and len(said) > 1 << 20:
                filler.write_bytes(b"")
                fill(filler)
    assert said.partition(b"\r\n\r\n")[2] == files[ISO]
    assert shutil.disk_usage(small).free < SLICE
    assert ask(image("vmlinuz"))[1] == files["vmlinuz"]
    filler.unlink()
    assert ask(image("vmlinuz"))[1] == files["vmlinuz"]
    assert cache.slices("vmlinuz") == 2
    assert set(cache.prove().values()) == {"good"}


def fill(path: Path) -> None:
    """Take all space that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)):
                pass
        except OSError:
            return


# --- the owner is away


def test_what_is_kept_is_there_without_the_owner(
    owner: Owner, cache: Cache, files: Files, image: Image
) -> None:
    assert ask(image())[1] == files[ISO]
    assert ask(image("vmlinuz"), Range="bytes=0-10")[1] == files["vmlinuz"][:11]
    owner.kill()
    for again in (False, True):
        if again:  # also after a power cut of its own
            cache.kill()
            cache.start()
        assert ask(image())[1] == files[ISO]
        with pytest.raises(Broken) as error:
            ask(image("vmlinuz"))
        assert files["vmlinuz"].startswith(error.value.args[1])
        assert ask(image("initrd"))[0] == 502
        assert ask(f"{cache.url}/machines/m1/{'0' * 32}/user-data")[0] == 502
        assert ask(f"{cache.url}/reports/m1.{'0' * 32}.begun", "PUT", b"x")[0] == 502
    assert set(cache.prove().values()) == {"unknown"}
    assert cache.slices(ISO) == 6


def test_grub_goes_on_to_the_disk_without_the_owner(owner: Owner, cache: Cache) -> None:
    owner.box.do("publish")
    (owner.top / "root/http/grub").mkdir(exist_ok=True)
    (owner.top / "root/http/grub/grub.cfg").write_text("source …")
    assert ask(f"{cache.url}/grub/grub.cfg")[:2] == (200, "source …".encode())
    owner.kill()
    assert ask(f"{cache.url}/grub/grub.cfg")[:2] == (200, b"exit\n")
    assert ask(f"{cache.url}/grub/machines/52:54:00:00:00:01.cfg")[:2] == (200, b"")
    assert ask(f"{cache.url}/grub/default.cfg")[:2] == (200, b"")
    assert ask(f"{cache.url}/ipxe/default.ipxe")[0] == 502


def test_an_owner_that_does_not_even_refuse(tmp_path: Path) -> None:
    """A host that is switched off: thirty machines at once hear so within seconds, not one after the other."""
    with socket.create_server((FULL, 80), backlog=0) as full:
        links = []
        for _number in range(3):  # its queue is full: it answers nobody any more
            links.append(socket.socket())
            links[-1].setblocking(False)
            links[-1].connect_ex((FULL, 80))
        with Cache(tmp_path / "cache", owner=f"{FULL}:80") as cache, ThreadPoolExecutor(30) as pool:
            started = time.monotonic()
            url = f"{cache.url}/images/noble/{VERSION}/{ISO}"
            statuses = {status for status, _body, _headers in pool.map(ask, [url] * 30)}
            seconds = time.monotonic() - started
        assert full.fileno() > 0
        for link in links:
            link.close()
    print(f"{seconds:.1f} s")
    assert statuses <= {502, 504}
    assert seconds < 30


# --- the owner is wrong


def test_poison(owner: Owner, cache: Cache, files: Files, image: Image) -> None:
    """Bytes that were wrong when they were fetched: found, removed, fetched anew."""
    iso = owner.images / "noble" / VERSION / ISO
    wrong = bytearray(files[ISO])
    wrong[3 * SLICE + 7] ^= 1
    iso.write_bytes(wrong)
    for name in files:
        ask(image(name))
    iso.write_bytes(files[ISO])
    assert ask(image())[1] == wrong  # kept as it came
    there = {f"{VERSION}/{name}": "good" for name in files}
    assert cache.prove(check=True) == {**there, f"{VERSION}/{ISO}": "differs"}
    assert ask(image())[1] == wrong
    assert cache.prove() == {**there, f"{VERSION}/{ISO}": "mended"}
    assert cache.prove() == there
    assert ask(image())[1] == files[ISO]
    owner.has_sent("vmlinuz", len(files["vmlinuz"]))  # only what was wrong is fetched anew


def test_an_owner_whose_own_file_is_wrong(owner: Owner, cache: Cache, files: Files, image: Image) -> None:
    iso = owner.images / "noble" / VERSION / ISO
    iso.write_bytes(bytes(len(files[ISO])))
    ask(image())
    assert cache.prove() == {f"{VERSION}/{ISO}": "owner"}
    (proof,) = kept.prove(str(cache.kept), cache.url, [], False)
    assert "Run homelab.netboot.verify_images for that server" in proof.fault
    iso.write_bytes(files[ISO])
    assert cache.prove() == {f"{VERSION}/{ISO}": "mended"}


@pytest.mark.parametrize("size", [SLICE + 5, 2 * SLICE, 9_000_000, 0])
def test_a_file_that_was_shorter(owner: Owner, cache: Cache, files: Files, image: Image, size: int) -> None:
    """Half of it is fetched while the owner's is cut off, the rest when it is whole: never a whole file of both."""
    iso = owner.images / "noble" / VERSION / ISO
    iso.write_bytes(files[ISO][:size])
    ask(image(), Range="bytes=0-100")
    ask(image(), Range=f"bytes={SLICE}-{SLICE + 100}")
    iso.write_bytes(files[ISO])
    try:
        _status, body, headers = ask(image())
        assert body == files[ISO] or len(body) == int(headers["content-length"]) == size
    except Broken as error:
        assert files[ISO].startswith(error.args[1])
    assert set(cache.prove().values()) <= {"mended", "good"}
    assert ask(image())[1] == files[ISO]


def test_a_file_that_is_restored_has_other_times(owner: Owner, files: Files, image: Image) -> None:
    """An owner that was made anew: what is kept of the same version goes with what is fetched now."""
    ask(image(), Range="bytes=0-100")
    iso = owner.images / "noble" / VERSION / ISO
    os.utime(iso, (1, 1))
    assert ask(image())[1] == files[ISO]


def test_errors_are_not_kept(owner: Owner, image: Image, files: Files, cache: Cache) -> None:
    iso = owner.images / "noble" / VERSION / ISO
    iso.unlink()
    assert ask(image())[0] == 404
    iso.mkdir()
    assert ask(image())[0] in (301, 404)
    iso.rmdir()
    owner.more = "return 503;"
    owner.process.terminate()
    owner.process.wait(timeout=30)
    owner.start()
    assert ask(image())[0] == 503
    owner.more = ""
    owner.process.terminate()
    owner.process.wait(timeout=30)
    owner.start()
    iso.write_bytes(files[ISO])
    assert ask(image())[1] == files[ISO]
    assert cache.slices(ISO) == 6
