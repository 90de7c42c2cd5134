# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole stack: what a machine asks for, one thing after the other, is there."""

from __future__ import annotations

import re
from typing import Any

from tests.servers import Device


def test_a_machine_finds_all_that_it_will_ask_for(host: Any, device: Device) -> None:
    (offer,) = device.discover("--mac", "f4:4d:30:60:64:69")
    for name in (offer["loader"], "ldlinux.c32"):
        done = device.run("sh", "-c", f"busybox tftp -g -r {name} -l /dev/stdout 192.168.1.50 | wc -c")
        assert int(done.stdout) == host.file(f"/srv/netboot/tftp/{name}").size > 0
    menu = device.tftp("pxelinux.cfg/01-f4-4d-30-60-64-69").stdout
    addresses = re.findall(r"http://192\.168\.1\.50(/\S+)", menu)
    files = [path for path in addresses if not path.endswith("/")]
    (seed,) = (path for path in addresses if path.endswith("/"))
    assert len(files) == 3  # kernel, initrd, ISO
    for path in [
        *files,
        *(seed + name for name in ("user-data", "meta-data", "vendor-data", "network-config")),
    ]:
        answer = device.http(path, "-o", "/dev/null", "-w", "%{http_code} %{size_download}")
        assert answer.stdout.split() == ["200", str(host.file(f"/srv/netboot/http{path}").size)]


def test_an_unknown_machine_is_sent_to_its_disk(device: Device) -> None:
    assert len(device.discover("--mac", "52:54:00:aa:bb:cc")) == 1
    assert "LOCALBOOT" in device.tftp("pxelinux.cfg/default").stdout


def test_nothing_of_the_server_failed(host: Any) -> None:
    assert host.check_output("systemctl list-units --state=failed --no-legend --plain") == ""
