# SPDX-License-Identifier: GPL-3.0-or-later
"""Images by name, from a mirror like Ubuntu's by a real nginx, verified by the real gpgv."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._image.store import Store

from tests.lab.common import ROOT
from tests.lab.playbook import program
from tests.mirror.archive import Archive, iso
from tests.mirror.names import Server, holding
from tests.mirror.web import PORT, Web
from tests.unit.pgp import Key

NEW, OLD = (f"http://127.0.0.1:{PORT}/{name}" for name in ("releases", "old-releases"))


@pytest.fixture(scope="module")
def key() -> Iterator[Key]:
    with Key("Lab CD Image Key") as made:
        yield made


@pytest.fixture
def archive(tmp_path: Path, key: Key) -> Archive:
    """In releases 24.04.3 alone; in old-releases what is older."""
    made = Archive(tmp_path / "root", key)
    made.put("releases/noble", "24.04.3")
    made.put("old-releases/noble", "24.04.1", "24.04.2", "24.04")
    return made


@pytest.fixture
def web(archive: Archive, tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path / "web", archive.root) as started:
        yield started


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


@pytest.fixture
def noble(key: Key) -> dict[str, Any]:
    return {"mirror": [NEW, OLD], "signed_by": key.public().decode()}


def asked(web: Web) -> list[str]:
    """Paths and statuses."""
    return [" ".join(line.split()[1:3]) for line in web.asked()]


def test_a_name_leads_to_the_newest_point_release(
    server: Server, web: Web, noble: dict[str, Any], key: Key
) -> None:
    expected = server.run({"noble": noble}, check=True)["images"]["noble"]
    assert not server.images.exists()
    told = server.run({"noble": noble})
    image = told["images"]["noble"]
    assert (image["release"], image["signed"]) == ("24.04.3", f"{key.fingerprint} Lab CD Image Key")
    assert (expected["version"], expected["signed"]) == (image["version"], image["signed"])
    assert (server.images / "noble/current/vmlinuz").read_bytes() == b"kernel 24.04.3"
    (known,) = Store(str(server.images), "noble", check=True).versions()
    assert (known.origin, known.signed) == (f"{NEW}/noble/{iso('24.04.3')}", image["signed"])
    signed_list = ["/releases/noble/SHA256SUMS 200", "/releases/noble/SHA256SUMS.gpg 200"]
    assert asked(web) == [*signed_list * 2, f"/releases/noble/{iso('24.04.3')} 200"]
    assert not server.run({"noble": noble})["changed"]
    assert asked(web)[5:] == signed_list


def test_the_answer_holds_for_a_day(
    server: Server, web: Web, noble: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = server.run({"noble": noble})
    (note,) = holding(server.answers)
    assert note["answer"]["noble"] == {**told["images"]["noble"], "changed": False}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 23 * 3600)
    assert holding(server.answers) == [note]
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    assert holding(server.answers) == []


def test_a_new_point_release_is_taken_and_the_old_one_is_kept(
    server: Server, web: Web, archive: Archive, noble: dict[str, Any]
) -> None:
    server.run({"noble": noble})
    archive.put("releases/noble", "24.04.3", "24.04.10", "24.04.4")
    assert server.run({"noble": noble})["images"]["noble"]["release"] == "24.04.10"
    kernels = {path.read_bytes() for path in server.images.glob("noble/*[0-9a-f]/vmlinuz")}
    assert kernels == {b"kernel 24.04.3", b"kernel 24.04.10"}
    before = len(web.asked())
    back = server.run({"noble": {**noble, "version": "24.04.3"}})["images"]["noble"]
    assert (back["release"], len(web.asked())) == ("24.04.3", before)


def test_what_has_moved_to_old_releases_is_found_there(
    server: Server, web: Web, archive: Archive, noble: dict[str, Any]
) -> None:
    (archive.root / "releases/noble").rename(archive.root / "gone")
    assert server.run({"noble": noble})["images"]["noble"]["release"] == "24.04.2"
    missing = ["noble", "24.04", "noble/release", "24.04/release"]
    paths = [*(f"/releases/{path}/SHA256SUMS 404" for path in missing), "/releases/SHA256SUMS 404"]
    assert asked(web)[:6] == [*paths, "/old-releases/noble/SHA256SUMS 200"]


def test_a_point_release_is_pinned(server: Server, web: Web, archive: Archive, noble: dict[str, Any]) -> None:
    image = {**noble, "release": "24.04.1"}
    assert server.run({"noble": image})["images"]["noble"]["release"] == "24.04.1"
    archive.put("old-releases/noble", "24.04.1", "24.04.2", "24.04.4")
    assert not server.run({"noble": image})["changed"]
    told = server.fails({"noble": {**noble, "release": "24.04.9"}})
    assert (
        "has ubuntu-24.04.9-live-server-amd64.iso; there: 24.04.3, 24.04.4, 24.04.2, 24.04.1. Name a release"
        in told
    )


def test_each_processor_has_an_image_of_its_own(
    server: Server, web: Web, archive: Archive, noble: dict[str, Any]
) -> None:
    archive.put("ports/noble/release", "24.04.3", arch="arm64")
    mirror = f"{web.url}/ports"
    found = server.run({"n": {**noble, "release": "noble", "arch": "arm64", "mirror": mirror}})
    assert (found["images"]["n"]["arch"], found["images"]["n"]["release"]) == ("arm64", "24.04.3")
    assert "there: no image of that release" in server.fails({"noble": {**noble, "arch": "arm64"}})


@pytest.mark.parametrize("path", ["releases", "releases/noble"], ids=["laid out as Ubuntu's", "one folder"])
def test_a_mirror_may_be_a_folder_of_the_server(
    server: Server, archive: Archive, noble: dict[str, Any], path: str
) -> None:
    image = {**noble, "mirror": f"file://{archive.root}/{path}"}
    assert server.run({"noble": image})["images"]["noble"]["release"] == "24.04.3"
    assert not server.run({"noble": image})["changed"]


def changed(archive: Archive, other: Key) -> None:
    """Name another ISO in the list."""
    place = archive.root / "releases/noble/SHA256SUMS"
    place.write_text(place.read_text().replace("24.04.3", "24.04.4"))


def unsigned(archive: Archive, other: Key) -> None:
    """Take the signature away."""
    (archive.root / "releases/noble/SHA256SUMS.gpg").unlink()


def by_somebody_else(archive: Archive, other: Key) -> None:
    """Sign with another key."""
    archive.sign("releases/noble", (archive.root / "releases/noble/SHA256SUMS").read_text(), other)


def wrong_iso(archive: Archive, other: Key) -> None:
    """Put another ISO under the name."""
    (archive.root / "releases/noble" / iso("24.04.3")).write_bytes(b"something else")


BAD = {
    changed: "/releases/noble/SHA256SUMS is not signed by the key in signed_by: the signature is not of this list",
    unsigned: "/releases/noble/SHA256SUMS is not signed: there is no SHA256SUMS.gpg beside it",
    by_somebody_else: "/SHA256SUMS is not signed by the key in signed_by: it is signed by another key (",
    wrong_iso: f"/releases/noble/{iso('24.04.3')} has the checksum sha256:",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda one: one.__name__)
@pytest.mark.parametrize("before", [False, True], ids=["first", "with an image"])
def test_what_is_not_signed_or_not_as_signed_changes_nothing(  # noqa: PLR0917
    server: Server, web: Web, archive: Archive, noble: dict[str, Any], before: bool, spoil: Any
) -> None:
    if before:
        server.run({"noble": {**noble, "mirror": OLD}})
    with Key("Somebody Else") as other:
        spoil(archive, other)
    told = server.fails({"noble": noble})
    assert told.startswith("image noble: netboot_images: ")
    assert BAD[spoil] in told
    assert told.endswith(("Nothing was changed.", "What the server has of this image was not changed."))
    assert not [line for line in asked(web)[-2:] if "old-releases" in line], (
        "an older one is not taken instead"
    )


def test_ubuntus_key_counts_where_no_other_is_given(server: Server, web: Web, noble: dict[str, Any]) -> None:
    del noble["signed_by"]
    assert "is not signed by Ubuntu's key for CD images: it is signed by another key" in server.fails(
        {"noble": noble}
    )


def test_without_network_the_image_that_is_there_is_used(
    server: Server, web: Web, noble: dict[str, Any]
) -> None:
    server.run({"noble": noble})
    web.__exit__()
    for note in server.answers.iterdir():
        note.unlink()
    before = server.there()
    told = server.run({"noble": noble})
    assert not told["changed"]
    assert told["images"]["noble"]["release"] == "24.04.3"
    assert len(told["warnings"]) == 1
    warning = json.dumps(told["warnings"])
    assert f"image noble: {NEW}/noble/SHA256SUMS cannot be asked (" in warning
    assert "The image that is there, 24.04.3, is used as it is; it was verified." in warning
    assert server.there() == before
    assert list(server.answers.iterdir()) == [], "the next run asks again"
    # another kernel of the same ISO needs no network either
    hwe = server.run({"noble": {**noble, "hwe": True}})["images"]["noble"]
    assert (hwe["release"], hwe["version"][-4:]) == ("24.04.3", "-hwe")
    told_wrong = server.fails({"noble": {**noble, "release": "24.04.2"}})
    assert "The server has no verified image of it. See whether the server reaches" in told_wrong


def test_without_network_an_image_that_nobody_signed_does_not_count(
    server: Server, web: Web, archive: Archive, noble: dict[str, Any]
) -> None:
    server.run({"noble": {"path": str(archive.root / "releases/noble" / iso("24.04.3"))}})
    web.__exit__()
    assert "The server has no verified image of it" in server.fails({"noble": noble})


def test_without_network_ubuntus_own_mirrors_are_named(server: Server) -> None:
    told = server.fails({"noble": {}, "server": {"release": "22.04", "arch": "arm64"}})
    assert (
        "image noble: netboot_images: https://releases.ubuntu.com/noble/SHA256SUMS cannot be asked (" in told
    )
    assert (
        "image server: netboot_images: https://cdimage.ubuntu.com/releases/jammy/release/SHA256SUMS cannot"
        in told
    )


def test_what_was_there_by_address_is_not_fetched_again(
    server: Server, web: Web, archive: Archive, noble: dict[str, Any]
) -> None:
    url = f"{NEW}/noble/{iso('24.04.3')}"
    by_address = {"url": url, "checksum": f"sha256:{NEW}/noble/SHA256SUMS"}
    version = server.run({"noble": by_address})["images"]["noble"]["version"]
    told = server.run({"noble": noble})
    assert (told["changed"], told["images"]["noble"]["version"]) == (False, version)
    assert sum(iso("24.04.3") in line for line in asked(web)) == 1
    web.__exit__()
    assert server.run({"noble": noble})["warnings"], "and now it is known who signed"


def test_gpgv_may_come_with_the_very_run(server: Server, web: Web, noble: dict[str, Any]) -> None:
    expected = server.run({"noble": noble}, check=True, path="/nope")["images"]["noble"]
    assert (expected["present"], expected["version"], expected["folder"]) == (
        False,
        "",
        "images/noble/current",
    )
    assert "gpgv is needed" in server.run({"noble": noble}, path="/nope")["msg"]
    assert not server.images.exists()
    known = server.run({"noble": noble})["images"]["noble"]
    checked = server.run({"noble": noble}, check=True, path="/nope")
    assert (checked["changed"], checked["images"]["noble"]["version"]) == (False, known["version"])


PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Look at the server
      ansible.builtin.include_role: {name: homelab.netboot.netboot}
    - name: Provide the images
      homelab.netboot.boot_images:
        path: "{{ netboot_root }}/http/images"
        images: "{{ netboot_result.images }}"
        note: "{{ netboot_result.images_note }}"
      register: provided
      when: netboot_result.images_note | length > 0
    - name: Say what they are
      ansible.builtin.debug:
        msg: "{{ provided.images | default(netboot_result.seen) | homelab.netboot.image_notes }}"
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the roles take: no home and no temporary one, as build/mirror may be."""
    with tempfile.TemporaryDirectory(prefix="netboot-mirror-", dir="/srv") as made:
        yield Path(made)


def test_two_runs_of_the_roles_ask_once(
    tmp_path: Path, place: Path, web: Web, noble: dict[str, Any], key: Key
) -> None:
    if {name for _number, name in socket.if_nameindex()} != {"lo"}:
        pytest.skip(
            "gives this host another address, so only in the network of its own that make mirror makes"
        )
    subprocess.run(["ip", "address", "replace", "192.168.1.50/24", "dev", "lo"], check=True)
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    (place / "state").mkdir()
    extra = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "netboot_address": "192.168.1.50",
        "netboot_root": str(place / "served"),
        "netboot_state": str(place / "state"),
        "netboot_images": {"24.04": noble},
    }
    argv = [
        program("ansible-playbook"),
        "-i",
        "localhost,",
        str(tmp_path / "play.yml"),
        "-e",
        json.dumps(extra),
    ]
    for run in (1, 2):
        done = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True)
        (tmp_path / f"ansible-{run}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
        assert done.returncode == 0, done.stdout
        said = " ".join(done.stdout.split())
        assert "image 24.04: Ubuntu 24.04.3 for amd64, version " in said
        assert f"signed by {key.fingerprint} Lab CD Image Key" in said
        assert len(asked(web)) == 5, (
            "the list and its signature before anything changes and again, and the ISO"
        )
    assert (place / "served/http/images/24.04/current/24.04.iso").exists()
