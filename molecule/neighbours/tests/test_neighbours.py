# SPDX-License-Identifier: GPL-3.0-or-later
"""Who was on the host before us is there as before, and so are we beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers import Device, Service, restart


def look(host: Any) -> Any:
    return json.loads(host.check_output("python3 /var/tmp/look.py"))


@pytest.fixture(scope="module")
def before(host: Any) -> Any:
    return json.loads(host.file("/var/tmp/before.json").content_string)


@pytest.fixture(scope="module")
def after(host: Any) -> Any:
    return look(host)


@pytest.fixture(scope="module")
def port(host: Any) -> int:
    return 8088 if "trixie" in host.backend.name else 80


def test_there_was_something_to_keep(before: Any) -> None:
    """Else the tests below would say nothing."""
    assert all("ActiveState=active" in said for said in before["units"].values())
    assert not [said for said in before["units"].values() if "MainPID=0" in said]
    assert before["answers"]["names"] == "c0a80107"
    assert before["answers"]["address"][0] == "192.168.122.1"
    pages = [page[2] for page in before["answers"].values() if page[0] == 200]
    assert sorted(set(pages)) in (
        ["a caddy", "a site\n", "a site at home\n"],
        ["a site\n", "a site at home\n", "an apache\n"],
    )
    assert {"/etc/nginx/nginx.conf", "/etc/dnsmasq.d/home.conf"} <= before["files"].keys()


@pytest.mark.on("bookworm")
def test_the_resolver_of_systemd_and_apache_are_among_them(before: Any) -> None:
    assert {"systemd-resolved.service", "apache2.service"} <= before["units"].keys()
    assert before["answers"]["resolved"] == "c0a80107"
    assert before["answers"]["8082"][2] == "an apache\n"


@pytest.mark.on("trixie")
def test_caddy_is_among_them(before: Any) -> None:
    assert "caddy.service" in before["units"]
    assert before["answers"]["8083"][2] == "a caddy"


def test_a_neighbour_s_service_is_the_same_process(before: Any, after: Any) -> None:
    assert {"dnsmasq.service", "nginx.service", "virtual.service"} <= before["units"].keys()
    assert after["units"] == before["units"]


def test_no_file_of_theirs_was_written(before: Any, after: Any) -> None:
    assert after["files"] == before["files"]


@pytest.mark.parametrize("what", ["names", "resolved", "address", "8080", "8082", "8083"])
def test_it_answers_as_before(before: Any, after: Any, what: str) -> None:
    assert after["answers"][what] == before["answers"][what]


def test_their_site_answers_as_before(before: Any, after: Any, port: int) -> None:
    theirs = "8081" if port == 80 else "80"
    assert after["answers"][theirs] == before["answers"][theirs]
    assert after["answers"][theirs][0] == 200


@pytest.mark.parametrize("unit", ["netboot-nginx", "netboot-dnsmasq"])
def test_ours_run_now_and_after_a_restart_of_the_host(host: Any, unit: str) -> None:
    assert host.service(unit).is_running
    assert host.service(unit).is_enabled
    assert host.service(unit).systemd_properties["NRestarts"] == "0"


def test_ours_answer(device: Device, port: int) -> None:
    assert device.http("/images/focal/current/vmlinuz", "-I", port=port).stdout.startswith("HTTP/1.1 200")
    (offer,) = device.discover()
    assert (offer["server"], offer["loader"]) == ("192.168.1.50", "lpxelinux.0")
    assert device.tftp("lpxelinux.0").returncode == 0


def test_a_machine_is_sent_to_our_port(device: Device, port: int) -> None:
    said = device.tftp("pxelinux.cfg/01-f4-4d-30-60-64-69").stdout
    assert f"http://192.168.1.50{'' if port == 80 else f':{port}'}/images/focal/" in said


def test_what_is_confined_are_ours_only(host: Any) -> None:
    assert Service(host, "netboot-nginx").inside("ls -A /home").stdout == ""
    assert Service(host, "nginx").inside("ls -A /home").stdout == "anna\n"


def test_our_requests_are_in_no_log_of_theirs(host: Any, device: Device, port: int) -> None:
    device.http("/images/focal/current/vmlinuz", "-I", "-A", "ours/1", port=port)
    assert host.run("grep -r ours/1 /var/log/nginx").rc == 1
    assert host.run("grep -q ours/1 /var/log/netboot/access.log").rc == 0


def test_all_start_again_beside_each_other(host: Any, before: Any, port: int, device: Device) -> None:
    """No process is the same afterwards."""
    host.run_expect([0], "systemctl restart dnsmasq nginx virtual netboot-dnsmasq netboot-nginx")
    host.run_expect([0], "systemctl restart netboot-nginx netboot-dnsmasq virtual nginx dnsmasq")
    all_answer(host, before, port, device)


def test_all_are_there_again_when_the_host_starts_again(
    host: Any, before: Any, port: int, device: Device
) -> None:
    restart(host)
    all_answer(host, before, port, device)
    units = look(host)["units"]
    assert units.keys() == before["units"].keys()
    for unit, said in units.items():
        assert "ActiveState=active" in said, unit
        assert "NRestarts=0" in said, unit


def all_answer(host: Any, before: Any, port: int, device: Device) -> None:
    """We, and they as before."""
    now = look(host)["answers"]
    for what in ("names", "resolved", "address", "8080", "8082", "8083", "8081" if port == 80 else "80"):
        assert now[what] == before["answers"][what], what
    test_ours_answer(device, port)
