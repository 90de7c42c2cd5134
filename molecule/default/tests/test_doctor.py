# SPDX-License-Identifier: GPL-3.0-or-later
"""`netboot doctor` finds nothing on a good server, and names each fault that is made on it. Each is mended again."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers import PROJECT, Device, ansible_playbook, said

KERNEL = "/srv/netboot/http/images/focal/current/vmlinuz"
AWAY = f"mv {KERNEL} /srv/netboot/kernel", f"mv /srv/netboot/kernel {KERNEL}"
#: A second PXE server: it offers no addresses, but something to boot, as a forgotten one does.
RIVAL = """
ip link add rival0 type veth peer name rival1
ip link set rival1 master br0 up
ip address add 192.168.1.77/24 dev rival0
ip link set rival0 up
exec dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 --interface=rival0 --bind-interfaces \
  --dhcp-range=192.168.1.0,proxy,255.255.255.0 --pxe-service=x86PC,old,theirs --pid-file
"""


def findings(host: Any) -> list[tuple[str, str, str]]:
    """What is found: check, where, what."""
    done = host.run("netboot doctor --json")
    found = [(one["check"], each) for one in json.loads(done.stdout) for each in one["findings"]]
    assert done.rc == int(any(each["level"] == "wrong" for dummy, each in found))
    assert all(each["remedy"] for dummy, each in found)
    return [(check, each["where"], each["what"]) for check, each in found]


@contextmanager
def made(host: Any, fault: str, mended: str) -> Iterator[None]:
    """Make a fault, and mend it."""
    host.run_expect([0], fault)
    try:
        yield
    finally:
        host.run_expect([0], mended)


#: A run of it waits for slow routers, so faults are made on one server only.
ONE = pytest.mark.on("trixie")


@pytest.fixture
def good(host: Any) -> str:
    """See that nothing is wrong before and, in the next test, after."""
    done = host.run("netboot doctor")
    assert done.rc == 0, done.stdout
    return str(done.stdout)


def test_a_good_server_has_nothing_wrong(good: str) -> None:
    assert good.endswith("Nothing is wrong.\n")
    assert "BIOS: lpxelinux.0" in good
    assert "addresses come from 192.168.1.1" in good
    for check in ("services", "files", "pxe", "others", "images", "space", "folders", "clock"):
        assert f"ok     {check}: " in good


@ONE
def test_the_playbook_tells_and_fails(host: Any) -> None:
    done = ansible_playbook(host, "homelab.netboot.doctor")
    assert done.returncode == 0
    assert "Nothing is wrong." in said(done)
    with made(host, *AWAY):
        done = ansible_playbook(host, "homelab.netboot.doctor")
    assert done.returncode != 0
    assert "vmlinuz: it is missing. Remedy: run the playbook homelab.netboot.site" in said(done)
    assert "something is wrong; what, and how to mend it, is said above" in said(done)


@pytest.fixture
def nas(device: Device, tmp_path: Path) -> Path:
    """An inventory with another host of the server's network: Ansible runs modules in that namespace."""
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\ncd {PROJECT}\nexec {sys.executable} -m tests.lab lan exec {device.name} -- /usr/bin/python3 "$@"\n'
    )
    python.chmod(0o755)
    nas = {"ansible_connection": "local", "ansible_python_interpreter": str(python)}
    path = tmp_path / "nas.json"
    path.write_text(json.dumps({"all": {"hosts": {"nas": nas}}}))
    return path


@ONE
def test_another_host_hears_what_machines_hear(host: Any, nas: Path) -> None:
    from_nas = (f"--inventory={nas}", "-e", "from=nas")
    done = ansible_playbook(host, "homelab.netboot.doctor", *from_nas)
    assert done.returncode == 0, said(done)
    assert "ok pxe: asked from nas: BIOS: lpxelinux.0" in said(done)
    assert "asked from nas: addresses come from 192.168.1.1" in said(done)
    assert host.check_output("ls /var/spool/netboot/fetched") == "", "nobody has fetched user-data"


@ONE
def test_a_host_that_is_not_in_the_network_says_so(host: Any) -> None:
    done = ansible_playbook(host, "homelab.netboot.doctor", "-e", "from=controller")
    assert done.returncode != 0
    assert "there is no way from this host to 192.168.1.50" in said(
        done
    ) or "not in the server's network" in said(done)


@ONE
def test_a_kernel_that_is_gone_is_named_by_image_and_by_address(host: Any) -> None:
    with made(host, *AWAY):
        found = findings(host)
    assert {check for check, dummy, dummy2 in found} == {"files", "images"}
    (web,) = (what for dummy, where, what in found if where.startswith("http://192.168.1.50/images/focal/"))
    assert re.match(r"nginx answers 404 Not Found; named by .*f4.4d.30.60.64.69.* and 2 more", web)
    assert any(where.startswith("tftp://192.168.1.50/images/") for dummy, where, dummy2 in found)  # nuc2's


@ONE
@pytest.mark.parametrize("service", ["netboot-nginx.service", "netboot-dnsmasq.service"])
def test_a_service_that_does_not_run_is_named_and_nothing_that_follows_from_it(
    host: Any, service: str
) -> None:
    with made(host, f"systemctl stop {service}", f"systemctl start {service}"):
        assert findings(host) == [("services", service, "it does not run (inactive, dead)")]


@ONE
def test_a_service_that_will_not_start_with_the_host_is_named(host: Any) -> None:
    with made(host, "systemctl disable netboot-nginx", "systemctl enable netboot-nginx"):
        assert findings(host) == [
            ("services", "netboot-nginx.service", "it does not start with the host (disabled)")
        ]


@ONE
def test_what_the_web_server_may_not_do_is_named(host: Any) -> None:
    with made(host, "chmod g-w /var/spool/netboot/reports", "chmod g+w /var/spool/netboot/reports"):
        assert findings(host) == [
            ("folders", "/var/spool/netboot/reports", "the user www-data may not put files there")
        ]


@ONE
def test_a_loader_that_is_gone_is_named(host: Any) -> None:
    place = "/srv/netboot/tftp/lpxelinux.0"
    with made(host, f"mv {place} {place}.away", f"mv {place}.away {place}"):
        (found,) = findings(host)
    assert found[:2] == ("files", "tftp://192.168.1.50/lpxelinux.0")
    assert found[2].endswith("named by the answer to BIOS")


@ONE
def test_a_second_pxe_server_and_a_network_without_dhcp_are_named(host: Any, device: Device) -> None:
    script = f"({RIVAL.strip()}) >/dev/null 2>&1 & echo $!; sleep 1"
    pid = device.run("sh", "-c", script).stdout.strip()
    try:
        (found,) = findings(host)
        assert found == ("others", "192.168.1.77", "it tells machines to boot by its own PXE menu")
    finally:
        device.run("sh", "-c", f"kill {pid}; ip link delete rival0")
    router = (PROJECT / "build/lab/lans" / device.name / "router.pid").read_text().strip()
    device.run("kill", "-STOP", router)
    try:
        assert findings(host) == [("others", "lan0", "no DHCP server offers an address to a machine")]
    finally:
        device.run("kill", "-CONT", router)


@ONE
def test_all_of_it_was_mended(good: str) -> None:
    assert "wrong  " not in good
