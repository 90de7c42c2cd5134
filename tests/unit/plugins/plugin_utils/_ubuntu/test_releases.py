# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import releases


@pytest.mark.parametrize(
    ("release", "codename"),
    [("20.04.6", "focal"), ("22.04", "jammy"), ("24.04.3", "noble"), ("26.04", "resolute")],
)
def test_a_point_release_has_the_row_of_its_release(release: str, codename: str) -> None:
    assert releases.find(release).codename == codename


@pytest.mark.parametrize("release", [None, "", "18.04", "25.10", "24.041", "noble"])
def test_what_has_no_row_gets_what_holds_for_all(release: str | None) -> None:
    assert releases.find(release) is releases.ANY


def test_what_holds_for_all_refuses_nothing_that_one_release_knows() -> None:
    for row in releases.RELEASES:
        assert set(row.layouts) <= set(releases.ANY.layouts)
        assert set(row.seed) <= set(releases.ANY.seed)
        assert row.ramdisk or not releases.ANY.ramdisk
    assert releases.ANY.datasource == "nocloud-net"


def test_the_machines_of_old_installers_must_not_install_themselves_for_ever() -> None:
    assert [row.version for row in releases.RELEASES if row.reorder_uefi is False] == ["20.04", "22.04"]
