# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._image import mirror
from ansible_collections.homelab.netboot.plugins.module_utils._image.mirror import Asked


def line(name: str, digit: str = "0") -> str:
    return f"{digit * 64} *{name}\n"


# The form of Ubuntu's lists; which point releases are in one is made up.
LIST = (
    line("ubuntu-24.04.3-desktop-amd64.iso")
    + line("ubuntu-24.04.9-live-server-amd64.iso", "9")
    + line("ubuntu-24.04.10-live-server-amd64.iso", "A")
    + line("ubuntu-24.04-live-server-amd64.iso", "1")
    + line("ubuntu-24.04-beta-live-server-amd64.iso", "b")
    + line("ubuntu-24.04.11-live-server-arm64.iso", "c")
    + line("x/ubuntu-24.04.12-live-server-amd64.iso", "d")
    + "ab *ubuntu-24.04.13-live-server-amd64.iso\n"
    + line("ubuntu-22.04.5-live-server-amd64.iso", "e")
)


def test_the_newest_point_release_is_the_one_with_the_largest_number() -> None:
    isos = mirror.listed(LIST, "amd64")
    assert [one.version for one in isos] == ["24.04.10", "24.04.9", "24.04", "22.04.5"]
    found = mirror.newest(isos, Asked("24.04", "noble", "amd64"))
    assert found == mirror.Listed("24.04.10", "ubuntu-24.04.10-live-server-amd64.iso", "a" * 64)
    assert mirror.newest(mirror.listed(LIST, "arm64"), Asked("24.04", "noble", "arm64")).version == "24.04.11"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("release", "found"), [("24.04.9", "24.04.9"), ("24.04.1", None), ("26.04", None), ("2.04", None)]
)
def test_only_what_is_asked_for_is_taken(release: str, found: str | None) -> None:
    one = mirror.newest(mirror.listed(LIST, "amd64"), Asked(release, "x", "amd64"))
    assert (one.version if one else None) == found


def test_a_version_is_of_its_release_only() -> None:
    assert [mirror.is_of(one, "24.04") for one in ("24.04", "24.04.3", "24.041", "22.04.5")] == [
        True,
        True,
        False,
        False,
    ]
    assert [mirror.is_of(one, "24.04.1") for one in ("24.04.1", "24.04.10", "24.04")] == [True, False, False]


def test_windows_line_ends_and_text_mode_are_read() -> None:
    text = LIST.replace("\n", "\r\n").replace(" *", "  ")
    assert mirror.listed(text, "amd64") == mirror.listed(LIST, "amd64")


@pytest.mark.parametrize(
    ("asked", "folders"),
    [
        (
            Asked("24.04", "noble", "amd64"),
            ["https://releases.ubuntu.com/noble", "https://old-releases.ubuntu.com/releases/noble"],
        ),
        (
            Asked("24.04.3", "noble", "amd64"),
            [
                "https://releases.ubuntu.com/noble",
                "https://releases.ubuntu.com/24.04.3",
                "https://old-releases.ubuntu.com/releases/noble",
                "https://old-releases.ubuntu.com/releases/24.04.3",
            ],
        ),
        (
            Asked("24.04", "noble", "arm64"),
            [
                "https://cdimage.ubuntu.com/releases/noble/release",
                "https://old-releases.ubuntu.com/releases/noble",
            ],
        ),
        (
            Asked("24.04", "noble", "amd64", ["file:///srv/isos/"]),
            [
                f"file:///srv/isos{path}"
                for path in ("/noble", "/24.04", "/noble/release", "/24.04/release", "")
            ],
        ),
    ],
    ids=["amd64", "pinned", "arm64", "own"],
)
def test_new_releases_are_asked_before_old_ones(asked: Asked, folders: list[str]) -> None:
    assert list(mirror.folders(asked)) == folders
