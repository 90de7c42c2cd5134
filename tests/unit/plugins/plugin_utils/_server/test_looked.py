# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._server.looked import facts, parts

# As Debian 13 printed it, but for most of the packages.
PRINTED = """\
# part packages
ii \tadduser
rc \tnginx
iF \tlibc6
ii \tdnsmasq-base
# part cut_off
# part uefi_loaders
grubx64.efi
focal.by-ipxe
# part marks
# part sockets
udp UNCONN 0 0 0.0.0.0:67 0.0.0.0:* users:(("dnsmasq",pid=2,fd=4))
tcp LISTEN 0 511 192.168.1.50:80 0.0.0.0:* users:(("nginx",pid=12,fd=5))
# part units
MainPID=12
Id=netboot-nginx.service
ActiveState=active
UnitFileState=enabled

MainPID=0
Id=netboot-dnsmasq.service
ActiveState=activating
UnitFileState=enabled

Id=netboot.target
ActiveState=active
UnitFileState=disabled

Id=good.target
ActiveState=active
UnitFileState=enabled
# part heard http 192.168.1.50:80
http 192.168.1.50:80
# part heard pxe lan0
# part noted
{"name": "images", "key": "k", "answer": {}}
# part dnsmasq
Dnsmasq version 2.91  Copyright (c) 2000-2025 Simon Kelley
Compile time options: IPv6 GNU-getopt DBus
"""


def test_what_is_installed_and_what_runs() -> None:
    found = facts(parts(PRINTED.splitlines()))
    assert found["packages"] == ["adduser", "dnsmasq-base"]
    assert not found["cut_off"]
    assert found["uefi_loaders"] == ["grubx64.efi", "focal.by-ipxe"]
    assert [line[:3] for line in found["sockets"]] == ["udp", "tcp"]
    assert found["units"] == {
        "netboot-nginx.service": {"pid": "12", "ready": True},
        "netboot-dnsmasq.service": {"pid": "0", "ready": False},
        "netboot.target": {"pid": "0", "ready": False},
        "good.target": {"pid": "0", "ready": True},
    }
    assert found["heard"] == ["http 192.168.1.50:80"]
    assert found["noted"] == {"images": {"key": "k", "answer": {}}}
    assert found["dnsmasq"].startswith("Dnsmasq version 2.91 ")


def test_a_bare_host_has_nothing_of_it() -> None:
    found = facts(parts(["# part packages", "# part cut_off", "0001", "# part dnsmasq"]))
    assert found.pop("cut_off")
    assert not any(found.values())
