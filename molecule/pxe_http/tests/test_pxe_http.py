# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx serves images and seeds, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers import Device

ISO = "/srv/netboot/http/images/focal/focal.iso"


@pytest.fixture(scope="module", autouse=True)
def _content(host: Any) -> None:
    """Put in what other roles would."""
    host.run_expect([0], f"install -D -m 0644 /var/tmp/test.iso {ISO}")
    host.run_expect([0], "install -d -m 0750 -g www-data /srv/netboot/http/machines/nuc1")
    host.run_expect([0], "install -m 0640 -g www-data /dev/null /srv/netboot/http/machines/nuc1/vendor-data")
    host.run_expect([0], "install -m 0644 /dev/null /srv/netboot/http/images/focal/.hidden")


def test_it_runs_now_and_after_a_restart_of_the_host(host: Any) -> None:
    assert host.service("nginx").is_running
    assert host.service("nginx").is_enabled
    assert host.socket("tcp://192.168.1.50:80").is_listening


def test_an_image_arrives_whole(host: Any, device: Device) -> None:
    answer = device.http("/images/focal/focal.iso", "-o", "/dev/null", "-w", "%{http_code} %{size_download}")
    assert answer.stdout.split() == ["200", str(host.file(ISO).size)]


def test_a_range_of_an_image_can_be_had(device: Device) -> None:
    head, dummy, body = device.http("/images/focal/focal.iso", "-r", "32769-32773").stdout.partition("\n\n")
    assert "206 Partial Content" in head
    assert body == "CD001"  # ECMA-119, 8.1.2: the standard identifier


def test_an_empty_seed_file_is_an_empty_answer(device: Device) -> None:
    answer = device.http("/machines/nuc1/vendor-data").stdout
    assert "200 OK" in answer
    assert "Content-Length: 0" in answer


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/images/",
        "/images/focal/",
        "/machines/",
        "/machines/nuc1/",
        "/images/focal/.hidden",
        "/images/../../../etc/hostname",
        "/etc/hostname",
    ],
)
def test_nothing_is_listed_and_nothing_else_is_served(device: Device, path: str) -> None:
    status = device.http(path).stdout.splitlines()[0].split()[1]
    assert status in {"400", "403", "404"}


def test_nothing_can_be_written(device: Device) -> None:
    assert "403" in device.http("/images/focal/new", "-X", "PUT", "-d", "x").stdout.splitlines()[0]


def test_each_request_is_logged_with_its_bytes(host: Any, device: Device) -> None:
    device.http("/images/focal/focal.iso", "-r", "0-4", "-A", "probe/1")
    line = host.check_output("grep probe/1 /var/log/nginx/netboot.access.log | tail -n 1").split()
    assert line[2] == "192.168.1.1"
    assert line[6:8] == ["206", "5"]
