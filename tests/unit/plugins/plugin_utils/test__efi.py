# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._efi import PACKAGES, sources


def test_what_the_user_names_comes_first_and_the_servers_packages_last() -> None:
    found = sources({"shim": "/s", "grub": "/g"}, {"focal": {}, "noble": {}}, "/srv/netboot")
    assert found["kernels"] == [
        f"/srv/netboot/http/images/{name}/current/vmlinuz" for name in ("focal", "noble")
    ]
    assert found["candidates"]["x64"] == [
        {"name": "netboot_efi_pair", "shim": "/s", "grub": "/g"},
        {"name": "the ISO of focal", "iso": "/srv/netboot/http/images/focal/current/focal.iso"},
        {"name": "the ISO of noble", "iso": "/srv/netboot/http/images/noble/current/noble.iso"},
        {"name": "the server's packages", **PACKAGES["x64"]},
    ]


def test_the_user_need_not_name_any() -> None:
    for candidates in sources({}, [], "/r")["candidates"].values():
        assert [entry["name"] for entry in candidates] == ["the server's packages"]


def test_arm64_is_looked_for_in_the_same_places() -> None:
    found = sources({}, ["noble"], "/r")["candidates"]
    assert found["aa64"][0] == found["x64"][0]
    assert found["aa64"][1]["shim"] == "/usr/lib/shim/shimaa64.efi.signed"
