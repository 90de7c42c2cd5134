# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine fetched last, told from logs that were recorded on the lab's servers."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.homelab.netboot.plugins.module_utils._program import fetches

RECORDED = Path(__file__).resolve().parents[3] / "lab/recorded"
NUC1 = {"f4:4d:30:60:64:69": "nuc1"}


def last(*lines: str) -> dict[str, str]:
    return {name: path for name, (_when, path) in fetches.last(lines, NUC1, "/srv/netboot").items()}


def test_a_recorded_installation() -> None:
    lines = (RECORDED / "server.log").read_text().splitlines()
    assert last(*lines) == {"nuc1": "/machines/nuc1/vendor-data"}
    until_kernel = [
        line for line in lines if "/machines/" not in line and ".iso" not in line and "initrd" not in line
    ]
    assert last(*until_kernel) == {"nuc1": "/images/jammy/vmlinuz"}
    assert last(*(line for line in lines if "dnsmasq" in line)) == {
        "nuc1": "/pxelinux.cfg/01-f4-4d-30-60-64-69"
    }


def http(when: float, ip: str, path: str, status: int = 200) -> str:
    return f'x {when} {ip} "GET {path} HTTP/1.1" {status} 1 0.0 "agent"'


def test_an_address_belongs_to_whoever_named_itself_last() -> None:
    seed, iso = http(1, "192.168.1.7", "/machines/nuc1/-/user-data"), http(2, "192.168.1.7", "/images/x.iso")
    assert last(iso) == {}
    assert last(seed, iso) == {"nuc1": "/images/x.iso"}
    other = http(1.5, "192.168.1.7", "/machines/nuc2/-/user-data")
    assert last(seed, other, iso) == {"nuc1": "/machines/nuc1/-/user-data", "nuc2": "/images/x.iso"}
    assert last(iso.replace(" 2 ", " 3 ", 1), seed) == {
        "nuc1": "/images/x.iso"
    }  # the times count, not the order


def test_grub_asks_by_mac_and_what_was_not_there_does_not_count() -> None:
    own = http(1, "192.168.1.7", "/grub/machines/f4:4d:30:60:64:69.cfg")
    assert last(own, http(2, "192.168.1.7", "/efi/x.efi", 404)) == {
        "nuc1": "/grub/machines/f4:4d:30:60:64:69.cfg"
    }


def test_reports_count_and_noise_does_not() -> None:
    report = http(1, "192.168.1.7", "/reports/nuc1.-.installed", 201).replace("GET", "PUT")
    assert last("", "noise", report) == {"nuc1": "/reports/nuc1.-.installed"}
