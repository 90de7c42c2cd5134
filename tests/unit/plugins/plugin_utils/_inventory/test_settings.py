# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.settings import FOLDERS, faults

DEFAULTS = dict(zip(FOLDERS, ("/srv/netboot", "/var/lib/netboot", "/var/spool/netboot"), strict=True))


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"netboot_http_port": 80, "pxe_http_report_burst": 0, "machine_states_hours": 0.5},
        {"netboot_root": "/data/boot", "netboot_state": "/data/state", "netboot_spool": "/data/spool"},
        {"netboot_root": "/srv/net.boot_2+@-"},
        {"netboot_root": "/mnt/disk", "netboot_interface": "br0.10@eth1", "netboot_group": "www-data"},
        {"pxe_http_report_size": "64k", "pxe_http_report_rate": "1r/m", "netboot_interface": ""},
        {"pxe_http_report_size": "512"},
        {"pxe_http_apt_size": "20g", "pxe_http_apt_free": "500m", "pxe_http_apt_days": 1},
        {"pxe_http_resolvers": []},
        {"pxe_http_resolvers": ["192.168.1.1", "127.0.0.1:5353"]},
        {"machine_states_textfile": ""},
        {"machine_states_textfile": "/var/lib/prometheus/node-exporter/netboot.prom"},
    ],
)
def test_what_can_be_used_passes(good: dict[str, Any]) -> None:
    assert faults({**DEFAULTS, **good}) == []


@pytest.mark.parametrize("port", [0, 70000, -1, "http", None, "", 8.5e9, "80;"])
def test_a_port_that_is_none_is_named(port: Any) -> None:
    (fault,) = faults({"netboot_http_port": port})
    assert fault.startswith("netboot_http_port: '")
    assert "from 1 to 65535" in fault


@pytest.mark.parametrize(
    "folder",
    [
        "",
        "srv",
        "/",
        "/srv/my boot",
        "/srv/a;b",
        "/srv/a\nb",
        "/srv/",
        "/srv//a",
        "/srv/../etc",
        "/srv/./a",
        "/srv/%t",
        "/srv/$a",
        "/srv/{a}",
        "/srv/é",
    ],
)
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_nginx_or_systemd_would_read_otherwise_is_refused(name: str, folder: str) -> None:
    found = faults({name: folder})
    assert [fault for fault in found if fault.startswith(f"{name}: ")] == found != []


@pytest.mark.parametrize(
    "folder", ["/etc", "/etc/netboot", "/usr/share/x", "/srv", "/var/lib", "/boot", "/run/x"]
)
def test_a_folder_of_the_system_is_refused(folder: str) -> None:
    (fault,) = faults({"netboot_root": folder})
    assert "belongs to the system" in fault


@pytest.mark.parametrize("folder", ["/home/me/netboot", "/root", "/tmp/x", "/var/tmp/x"])
def test_a_folder_that_the_services_do_not_see_is_refused(folder: str) -> None:
    (fault,) = faults({"netboot_root": folder})
    assert f"systemd hides {folder} from the services" in fault


@pytest.mark.parametrize(
    ("root", "state"), [("/srv/n", "/srv/n"), ("/srv/n", "/srv/n/http/state"), ("/srv/n/x", "/srv/n")]
)
def test_folders_in_one_another_are_refused(root: str, state: str) -> None:
    (fault,) = faults({"netboot_root": root, "netboot_state": state})
    assert fault.startswith("netboot_root, netboot_state: ")
    assert "side by side" in fault
    assert faults({"netboot_root": "/srv/n", "netboot_state": "/srv/n2"}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pxe_http_report_size", "x"),
        ("pxe_http_report_size", "0"),
        ("pxe_http_report_size", "64k;"),
        ("pxe_http_report_size", "900g"),
        ("pxe_http_report_rate", "1;2"),
        ("pxe_http_report_rate", "60"),
        ("pxe_http_report_rate", "0r/s"),
        ("pxe_http_report_burst", -1),
        ("pxe_http_apt_size", "20"),
        ("pxe_http_apt_size", "20g;"),
        ("pxe_http_apt_free", "0g"),
        ("pxe_http_apt_days", 0),
        ("pxe_http_resolvers", "router.lan"),
        ("pxe_http_resolvers", "::1"),
        ("pxe_http_resolvers", "192.168.1.1:0"),
        ("pxe_http_resolvers", "192.168.1.1;"),
        ("machine_states_hours", 0),
        ("machine_states_hours", float("nan")),
        ("machine_states_hours", 1000),
        ("machine_states_textfile", "netboot.prom"),
        ("machine_states_textfile", "/x/netboot.txt"),
        ("machine_states_textfile", "/x y/netboot.prom"),
        ("netboot_group", "www data"),
        ("netboot_interface", "eth0;x"),
    ],
)
def test_other_forms_and_ranges(name: str, value: Any) -> None:
    (fault,) = faults({name: value})
    assert fault.startswith(f"{name}: '{value}' cannot be used; write ")


def test_a_long_or_strange_value_is_told_in_one_short_line() -> None:
    (fault,) = faults({"netboot_group": "\n\x1b" + "x" * 500})
    assert len(fault) < 200
    assert fault.isprintable()
