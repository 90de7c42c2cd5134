# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole stack: what a machine asks for, one thing after the other, is there."""

from __future__ import annotations

import json
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


def test_how_much_of_the_iso_a_machine_has_is_told_while_it_fetches_it(host: Any, device: Device) -> None:
    host.run_expect([0], "netboot arm nuc1")  # the test above has had its user-data
    device.discover("--mac", "f4:4d:30:60:64:69")
    menu = device.tftp("pxelinux.cfg/01-f4-4d-30-60-64-69").stdout
    kernel, initrd, iso = re.findall(r"http://192\.168\.1\.50(/images/\S+)", menu)
    for path in (kernel, initrd):
        device.http(path, "-o", "/dev/null")
    url, told = f"http://192.168.1.50{iso}", set()
    script = f"curl -s -o /dev/null --limit-rate 3M {url} >/dev/null 2>&1 & echo $!"
    pid = device.run("sh", "-c", script).stdout.strip()
    while device.run("kill", "-0", pid).returncode == 0:
        (row,) = json.loads(host.check_output("netboot watch --json nuc1"))["machines"]
        told.add(row["text"])
    assert {text for text in told if re.match(r"fetches the ISO: [1-9]0 % of \d+ MB$", text)}, told
    (row,) = json.loads(host.check_output("netboot watch --json nuc1"))["machines"]
    assert row["text"] == "has the ISO"


def test_an_unknown_machine_is_sent_to_its_disk(device: Device) -> None:
    assert len(device.discover("--mac", "52:54:00:aa:bb:cc")) == 1
    assert "LOCALBOOT" in device.tftp("pxelinux.cfg/default").stdout


def test_nothing_of_the_server_failed(host: Any) -> None:
    assert host.check_output("systemctl list-units --state=failed --no-legend --plain") == ""
