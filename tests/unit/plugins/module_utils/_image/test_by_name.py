# SPDX-License-Identifier: GPL-3.0-or-later
"""From a name to address and checksum, by a mirror that is a folder; by a web server: tests/mirror/test_names.py."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import by_name
from ansible_collections.homelab.netboot.plugins.module_utils._image.mirror import Asked
from ansible_collections.homelab.netboot.tests.unit.pgp import Key

NAME = "ubuntu-24.04.3-live-server-amd64.iso"


# Not for the whole module: ansible-test ends each test's process without the end of such fixtures.
@pytest.fixture
def key() -> Iterator[Key]:
    with Key("Lab CD Image Key") as made:
        yield made


def put(folder: Path, text: str, key: Key) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SHA256SUMS").write_text(text)
    (folder / "SHA256SUMS.gpg").write_bytes(key.sign(text.encode()))


def opener(address: str) -> Any:
    return urllib.request.urlopen(address)  # noqa: S310 - file:// is what is tested


def find(release: str, key: Key, *mirrors: Path | str) -> by_name.Found:
    asked = Asked(
        release, "noble", "amd64", [one if isinstance(one, str) else f"file://{one}" for one in mirrors]
    )
    return by_name.find(asked, opener, key.public().decode())


def test_the_first_signed_list_that_has_it_counts(tmp_path: Path, key: Key) -> None:
    put(tmp_path / "a/noble", f"{'a' * 64} *{NAME}\n", key)
    put(tmp_path / "b/noble", f"{'b' * 64} *{NAME}\n", key)
    found = find("24.04", key, tmp_path / "none", tmp_path / "a", tmp_path / "b")
    assert found == by_name.Found(
        f"file://{tmp_path}/a/noble/{NAME}", "a" * 64, f"{key.fingerprint} Lab CD Image Key"
    )


def test_what_no_list_has_is_told_with_what_there_is(tmp_path: Path, key: Key) -> None:
    put(tmp_path / "noble", f"{'a' * 64} *{NAME}\n", key)
    with pytest.raises(
        UserError, match=r"has ubuntu-24.04.4-live-server-amd64.iso; there: 24.04.3\. Name a release"
    ):
        find("24.04.4", key, tmp_path)
    with pytest.raises(UserError, match="there: no image of that release"):
        find("24.04", key, tmp_path / "none")


def test_nobody_who_answers_is_another_fault(key: Key) -> None:
    with pytest.raises(
        by_name.UnreachableError, match=r"http://127.0.0.1:9/noble/SHA256SUMS cannot be asked \("
    ):
        find("24.04", key, "http://127.0.0.1:9")


def test_a_password_in_an_address_is_told_to_nobody(key: Key) -> None:
    with pytest.raises(by_name.UnreachableError) as caught:
        find("24.04", key, "http://me:s3cret@127.0.0.1:9")
    assert "s3cret" not in str(caught.value)
