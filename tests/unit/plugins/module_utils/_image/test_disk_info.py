# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import disk_info
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("line", "release", "codename"),
    [
        ('Ubuntu-Server 20.04.3 LTS "Focal Fossa" - Release amd64 (20210824)', "20.04.3", "focal"),
        ('Ubuntu-Server 24.04 LTS "Noble Numbat" - Release amd64 (20240423)', "24.04", "noble"),
        ('Ubuntu-Server 25.10 "Questing Quokka" - Release amd64 (20251007)', "25.10", "questing"),
        ('Ubuntu-Server 26.04 LTS "Resolute Raccoon" - Daily amd64 (20260210)', "26.04", "resolute"),
    ],
)
def test_the_lines_of_server_images_are_understood(line: str, release: str, codename: str) -> None:
    assert disk_info.read(line, "x.iso", "amd64") == disk_info.Info(release, codename, "amd64")
    other = line.replace("amd64", "arm64")
    assert disk_info.read(other, "x.iso", "arm64").arch == "arm64"
    with pytest.raises(
        UserError, match=r"for arm64, and the image is to be for amd64.*; or write arch: arm64\."
    ):
        disk_info.read(other, "x.iso", "amd64")


@given(st.text() | st.builds("Ubuntu-Server 24.04 {}".format, st.text()))
def test_whatever_stands_there_is_understood_or_refused_with_the_remedy(line: str) -> None:
    with contextlib.suppress(UserError):
        assert disk_info.read(line, "x.iso", "amd64").arch == "amd64"
    with pytest.raises(UserError, match=r"live-server-amd64\.iso, and its checksum"):
        disk_info.read("!" + line, "x.iso", "amd64")
