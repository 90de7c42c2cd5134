# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the input is said with the machine, the variable and the remedy, and nothing is changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ansible_playbook
from tests.unit import efi

pytestmark = pytest.mark.on("trixie")  # the controller decides

NOT_TOLD = "not to be told"
KEYS = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"]
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an address that the server does not have": (
        {"netboot_address": "192.168.1.99"},
        ["netboot_address: this server has no IPv4 address 192.168.1.99", "192.168.1.50 on lan0"],
    ),
    "a network twice, and one that is not there": (
        {
            "netboot_address": "",
            "netboot_networks": [
                {"name": "a", "address": "192.168.1.50"},
                {"name": "a", "interface": "eth9"},
            ],
        },
        ["netboot_networks: two have the name a; correct one of them"],
    ),
    "a network that the server is not in": (
        {
            "netboot_address": "",
            "netboot_networks": [
                {"name": "a", "address": "192.168.1.50"},
                {"name": "b", "interface": "eth9"},
            ],
        },
        ["netboot_networks: b: this server has no IPv4 address on interface eth9; it has"],
    ),
    "a list of networks beside the only one": (
        {"netboot_networks": [{"interface": "lan0"}]},
        ["netboot_address: does not go with netboot_networks"],
    ),
    "a port that another program holds": (
        {"netboot_http_port": 8099},
        [
            "the web server needs 192.168.1.50:8099 (netboot_http_port, and port in netboot_networks)",
            "python3 on 0.0.0.0:8099",
            "Choose a free port, such as 8080",
        ],
    ),
    "an image that is not there": (
        {"netboot_images": {"focal": {"path": "/nope.iso"}}},
        ["netboot_images: no file at /nope.iso"],
    ),
    "a download without a checksum": (
        {"netboot_images": {"focal": {"url": "https://example.org/f.iso"}}},
        ["image focal: netboot_images: a download needs a checksum"],
    ),
    "iPXE for a machine where UEFI machines are not served": (
        {"netboot_quirks": ["ipxe"], "netboot_uefi": "never"},
        ["the machines nuc1, nuc2, nuc3 have ipxe in netboot_quirks", "or choose another netboot_uefi"],
    ),
    "a shim and a GRUB that are not there": (
        {"netboot_efi_pair": {"shim": "/nope/shim", "grub": "/nope/grub"}},
        ["netboot_efi_pair: needs two files on the server, shim and grub", "there are none"],
    ),
    "a GRUB that is too old": (
        {"netboot_efi_pair": {"shim": "/var/tmp/old-shim.efi", "grub": "/var/tmp/old-grub.efi"}},
        ["netboot_efi_pair: its GRUB is 2.06, and 2.12 is needed", "Name another pair"],
    ),
    "an image without the packages that are required": (
        {"netboot_uefi": "required"},
        ["netboot_uefi is required, but: No shim and GRUB can start", "the ISO of focal: there is no pool/"],
    ),
    "a machine that nobody could log in to": (
        {"netboot_ssh_keys": []},
        ["machines nuc1, nuc2: netboot_ssh_keys: nobody could log in"],
    ),
    "installer's settings that would not do what they say": (
        {
            "netboot_autoinstall_site": {"late-command": [], "storage": {"layout": {"name": "lvmm"}}},
            "netboot_autoinstall": {"identity": {"password": NOT_TOLD}},
        },
        [
            "machines nuc1, nuc2: netboot_autoinstall_site: late-command: no such key; did you mean late-commands?",
            "netboot_autoinstall_site: storage.layout.name: 'lvmm' is not one of",
            "netboot_autoinstall: identity.password: must be a hash",
        ],
    ),
    "settings of machines that do not exist, cannot be met, or that only one can have": (
        {
            "netboot_imgae": "focal",
            "netboot_quirks": ["tftp"],
            "netboot_menu": ["rescu"],
            "netboot_mac": "52:54:00:00:00:01",
            "netboot_network": {"address": "192.168.1.9/24"},
            "netboot_expect": {"disk_size": "500"},
            "netboot_protect_label": "my data",
        },
        [
            *(f"machine nuc{n}: netboot_imgae: no such setting; did you mean image?" for n in (1, 2, 3)),
            "machine nuc1: netboot_quirks: there is no 'tftp'; did you mean tftp-only?",
            "machine nuc1: netboot_menu: there is no 'rescu'; did you mean rescue?",
            "machine nuc1: netboot_expect: disk_size: '500' is not a size",
            "machine nuc1: netboot_protect_label: 'my",
            "machines nuc1 and nuc2: netboot_mac: both have 52:54:00:00:00:01",
            "machines nuc1 and nuc2: netboot_network: both have 192.168.1.9; each needs its own",
        ],
    ),
    "networks that are none": (
        {"pxe_http_networks": ["10.0.0.1/8"]},
        ["pxe_http_networks: 10.0.0.1/8 has host bits set"],
    ),
    "a rate that is none": ({"pxe_http_report_rate": "1;2"}, ["pxe_http_report_rate: '1;2' cannot be used"]),
    "a port that is none, and a folder that nginx would read otherwise": (
        {"netboot_http_port": 70000, "netboot_root": "/srv/a;b"},
        [
            "netboot_http_port: '70000' cannot be used",
            "netboot_root: '/srv/a;b' cannot be used; write a full path",
        ],
    ),
    "a folder that the confined web server could not see, and state inside of it": (
        {"netboot_root": "/home/me/netboot", "netboot_state": "/home/me/netboot/http/state"},
        [
            "netboot_root: systemd hides /home/me/netboot from the services",
            "choose another folder",
            "netboot_root, netboot_state: /home/me/netboot and /home/me/netboot/http/state lie in one another",
        ],
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _other_program(host: Any) -> Iterator[None]:
    """Let another program hold a port."""
    host.run_expect([0], "systemd-run --unit=other python3 -m http.server 8099 --directory /var/empty")
    yield
    host.run_expect([0], "systemctl stop other")


@pytest.fixture(scope="module", autouse=True)
def _old_grub(host: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put a signed shim and a signed GRUB 2.06 on the server."""
    key = efi.Key.make(tmp_path_factory.mktemp("keys"), "vendor")
    files = {"shim": efi.shim(key.der), "grub": efi.grub(efi.sbat("grub,5,FSF,grub,2.06,URL"))}
    for name, data in files.items():
        text = base64.b64encode(key.sign(data)).decode()
        host.run_expect([0], f"echo {text} | base64 -d >/var/tmp/old-{name}.efi")


def run_site(host: Any, variables: dict[str, Any], *options: str) -> str:
    """Run site.yml on this server, which must fail and change nothing, and return what it said."""
    done = ansible_playbook(host, "site.yml", *options, "-e", json.dumps(variables))
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert "changed=0" in said
    assert "Traceback" not in said
    assert NOT_TOLD not in said
    return said


@pytest.fixture
def _old_dnsmasq(host: Any) -> Iterator[None]:
    """Let an older dnsmasq be found first."""
    script = "#!/bin/sh\necho Dnsmasq version 2.76  Copyright"
    host.run_expect([0], f"printf '{script}\n' >/usr/local/sbin/dnsmasq; chmod 755 /usr/local/sbin/dnsmasq")
    yield
    host.run_expect([0], "rm /usr/local/sbin/dnsmasq")


@pytest.mark.usefixtures("_old_dnsmasq")
def test_a_dnsmasq_that_is_too_old_is_named(host: Any) -> None:
    assert "pxe_dnsmasq: the server's dnsmasq is 2.76, and 2.78 or newer is needed" in run_site(host, {})


#: Beside the good machines of the scenario: what is wrong with each, and what is to be said of it.
BAD_MACHINES: dict[str, tuple[dict[str, Any], str]] = {
    "bad_name": ({}, "name: not a valid host name (RFC 1123); use letters, digits and '-'"),
    "short": ({"netboot_mac": "52:54:00:00:00"}, "netboot_mac: '52:54:00:00:00' is not a MAC address"),
    "grouped": ({"netboot_mac": "53:54:00:00:00:01"}, "netboot_mac: '53:54:00:00:00:01' is a group or null"),
    "without": ({"netboot_mac": None}, "netboot_mac: is missing"),
    "other": (
        {"netboot_image": "fcal"},
        "netboot_image: 'fcal' is not in netboot_images; did you mean focal?",
    ),
    "maybe": ({"netboot_install": "maybe"}, "netboot_install: 'maybe' is not one of"),
    "words": ({"netboot_kernel_args": ["a b"]}, "netboot_kernel_args: 'a b' is not one word"),
    "small": ({"netboot_memory": "1"}, "netboot_memory: '1' is no size of memory"),
}
BAD_INSTALLATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "late": ({"late-command": []}, "late-command: no such key; did you mean late-commands?"),
    "lvn": ({"storage": {"layout": {"name": "lvn"}}}, "'lvn' is not one of"),
    "mars": ({"timezone": "Mars/Base"}, "timezone: 'Mars/Base' is not a time zone"),
    "nowhere": (
        {"storage": {"config": [{"type": "partition", "id": "p", "device": "x"}]}},
        "storage.config[0].device: there is no 'x' in storage.config",
    ),
}


def test_all_faults_of_all_machines_in_one_message(host: Any, tmp_path: Path) -> None:
    hosts = {
        name: {"netboot_mac": f"52:54:00:00:01:{number:02x}", **settings}
        for number, (name, (settings, _told)) in enumerate(BAD_MACHINES.items())
    }
    said = run_site(host, {}, extra_machines(tmp_path, hosts))
    for name, (_settings, told) in BAD_MACHINES.items():
        assert f"- machine {name}: {told}" in said
    assert "machine nuc1" not in said


def test_all_faults_of_all_installations_in_one_message(host: Any, tmp_path: Path) -> None:
    hosts = {
        name: {"netboot_mac": f"52:54:00:00:01:{number:02x}", "netboot_autoinstall": given}
        for number, (name, (given, _told)) in enumerate(BAD_INSTALLATIONS.items())
    }
    said = run_site(host, {}, extra_machines(tmp_path, hosts))
    for name, (_given, told) in BAD_INSTALLATIONS.items():
        assert f"- machine {name}: netboot_autoinstall: " in said
        assert told in said
    assert "machine nuc1" not in said


def extra_machines(folder: Path, hosts: dict[str, Any]) -> str:
    """Write an inventory of more machines."""
    path = folder / "more.json"
    path.write_text(json.dumps({"netboot_machines": {"hosts": hosts}}))
    return f"--inventory={path}"


@pytest.mark.parametrize("case", CASES)
def test_it_is_said_before_anything_changes(host: Any, case: str) -> None:
    variables, told = CASES[case]
    said = run_site(host, variables)
    for text in told:
        assert text in said
