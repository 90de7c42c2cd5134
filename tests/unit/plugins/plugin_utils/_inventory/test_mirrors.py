# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import mirrors


def apt(uri: str) -> dict[str, Any]:
    return {"apt": {"primary": [{"arches": ["default"], "uri": uri}]}}


def test_the_inventorys_machines_and_the_setting() -> None:
    hostvars = {
        "nuc1": {"netboot_autoinstall_site": apt("http://a.lan/u")},
        "nuc2": {
            "netboot_autoinstall_site": apt("http://no.lan/u"),
            "netboot_autoinstall": apt("http://b.lan:81/u"),
        },
        "nuc3": {"netboot_autoinstall": None},
    }
    found = mirrors.named(["nuc1", "nuc2", "nuc3"], hostvars, ["b.lan:82", "security.ubuntu.com"])
    assert found == {"hosts": ["a.lan", "b.lan:81", "b.lan:82"], "names": ["a.lan", "b.lan"]}


def test_the_server_itself_is_no_mirror() -> None:
    machine = {"autoinstall": apt("http://192.168.1.50:8081/ubuntu")}
    assert mirrors.named([machine], {}, addresses=["192.168.1.50"])["hosts"] == []
    assert mirrors.named([machine], {})["hosts"] == ["192.168.1.50:8081"]


@pytest.mark.parametrize("host", ["http://a.lan", "a.lan/x", "a lan", "A.lan", "*", "a.lan;", "a.lan:0", ""])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(InputError) as caught:
        mirrors.named([], {}, ["good.lan", host])
    (fault,) = caught.value.faults
    assert fault == f"pxe_http_apt_hosts: '{host}' is no host; write it like mirror.lan or mirror.lan:8080"


def test_a_text_is_no_list() -> None:
    with pytest.raises(InputError, match="must be a list"):
        mirrors.named([], {}, "mirror.lan")
