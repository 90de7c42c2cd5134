# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._efi import PACKAGES, sources


def test_what_the_user_names_comes_first_and_the_servers_packages_last() -> None:
    found = sources({"shim": "/s", "grub": "/g"}, {"focal": {}, "noble": {}}, "/srv/netboot")
    assert found["kernels"] == [
        f"/srv/netboot/http/images/{name}/current/vmlinuz" for name in ("focal", "noble")
    ]
    assert found["candidates"] == [
        {"name": "netboot_efi_pair", "shim": "/s", "grub": "/g"},
        {"name": "the ISO of focal", "iso": "/srv/netboot/http/images/focal/current/focal.iso"},
        {"name": "the ISO of noble", "iso": "/srv/netboot/http/images/noble/current/noble.iso"},
        {"name": "the server's packages", **PACKAGES},
    ]


def test_the_user_need_not_name_any() -> None:
    assert [entry["name"] for entry in sources({}, [], "/r")["candidates"]] == ["the server's packages"]
