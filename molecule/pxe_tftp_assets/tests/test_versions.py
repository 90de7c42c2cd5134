# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases side by side, versions switched and rolled back, too little memory: by the role, on a server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import PROJECT, ansible_playbook
from tests.unit.isos import make_iso, ubuntu_files

ROOT = "/srv/versions"
STATE = "/var/lib/versions"
INFOS = {
    "jammy": 'Ubuntu-Server 22.04.5 LTS "Jammy Jellyfish" - Release amd64 (20240911)',
    "noble2": 'Ubuntu-Server 24.04.2 LTS "Noble Numbat" - Release amd64 (20250215)',
    "noble3": 'Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)',
    "desktop": 'Ubuntu 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)',
}
MACHINES = [
    {"name": "old", "mac": "52:54:00:00:00:01", "image": "jammy"},
    {"name": "new", "mac": "52:54:00:00:00:02", "image": "noble"},
]


@pytest.fixture(scope="module")
def isos(host: Any) -> Iterator[None]:
    """Put an ISO a release on the server."""
    folder = PROJECT / "build/molecule" / host.backend.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, info in INFOS.items():
        iso = folder / f"{name}.iso"
        make_iso(iso, {**ubuntu_files(f"kernel {name}".encode()), ".disk/info": info.encode()})
        subprocess.run(["podman", "cp", iso, f"{host.backend.name}:/var/tmp/{name}.iso"], check=True)
    yield
    host.run_expect([0], f"rm -rf {ROOT} {STATE} /var/tmp/jammy.iso /var/tmp/noble?.iso /var/tmp/desktop.iso")


class Role:
    """Runs the role with these images and machines, on this server."""

    def __init__(self, host: Any) -> None:
        self.host = host

    def __call__(self, noble: dict[str, Any], **machine: Any) -> tuple[int, str]:
        variables = {
            "netboot_root": ROOT,
            "netboot_state": STATE,
            "netboot_uefi": "never",
            "netboot_images": {"jammy": {"path": "/var/tmp/jammy.iso"}, "noble": noble},
            "netboot_machines": [MACHINES[0], {**MACHINES[1], **machine}],
        }
        playbook = Path(__file__).parents[1] / "converge.yml"
        done = ansible_playbook(self.host, playbook, "-e", json.dumps(variables))
        said = " ".join((done.stdout + done.stderr).split())
        assert "Traceback" not in said
        return done.returncode, said

    def menu(self, number: int) -> str:
        """What that machine is to boot when it is armed."""
        folder = f"{STATE}/plan/boot/{MACHINES[number - 1]['name']}"
        return str(self.host.file(f"{folder}/tftp/pxelinux.cfg/01-52-54-00-00-00-0{number}").content_string)

    def kernel(self) -> str:
        """The kernel that the menu of the second machine leads to."""
        path = next(line.split()[1] for line in self.menu(2).splitlines() if "KERNEL" in line)
        below = path.removeprefix("http://192.168.1.50/")
        assert below in self.menu(2).partition("INITRD")[0]
        folder = below.rpartition("/")[0]
        assert f"/{folder}/initrd" in self.menu(2)
        assert f"url=http://192.168.1.50/{folder}/noble.iso " in self.menu(2)
        return str(self.host.file(f"{ROOT}/tftp/{below}").content_string)


@pytest.fixture
def role(host: Any, isos: None) -> Role:
    return Role(host)


def tree(host: Any) -> str:
    return str(host.run(f"find {ROOT} {STATE} -printf '%p %s %m %l %T@\\n' | sort").stdout)


def test_a_wrong_iso_is_refused_before_anything_changes(host: Any, role: Role) -> None:
    before = tree(host)
    code, said = role({"path": "/var/tmp/desktop.iso"})
    assert code != 0
    assert "image noble: netboot_images: /var/tmp/desktop.iso says that it is 'Ubuntu 24.04.3 LTS" in said
    assert "that is a desktop image. Give the address or path of ubuntu-VERSION-live-server-amd64.iso" in said
    assert tree(host) == before


@pytest.fixture
def download(host: Any, isos: None) -> dict[str, Any]:
    """An image of which nothing is known before it is downloaded."""
    return {
        "url": "file:///var/tmp/noble2.iso",
        "checksum": f"sha256:{host.file('/var/tmp/noble2.iso').sha256sum}",
    }


def test_a_machine_with_too_little_memory_is_refused_after_the_download_before_it_has_a_menu(
    host: Any, role: Role, download: dict[str, Any]
) -> None:
    code, said = role(download, memory="512MB")
    assert code != 0
    assert host.file(f"{ROOT}/http/images/noble/current/noble.iso").exists
    assert "machine new: netboot_memory: 512MB is too little for image noble, which needs 1.1 GB" in said
    assert not host.file(f"{STATE}/plan").exists


def test_releases_stand_side_by_side_each_with_its_own_kernel_line(
    role: Role, download: dict[str, Any]
) -> None:
    code, said = role(download, memory="2GB")
    assert code == 0
    assert "image jammy: Ubuntu 22.04.5 for amd64, version " in said
    assert "image noble: Ubuntu 24.04.2 for amd64, version " in said
    assert "ds=nocloud-net;s=http://192.168.1.50/machines/old/@TOKEN@/ " in role.menu(1)
    assert "ds=nocloud;s=http://192.168.1.50/machines/new/@TOKEN@/ " in role.menu(2)
    assert role.kernel() == "kernel noble2"


def test_a_new_version_is_used_and_the_old_one_stays_to_go_back_to(host: Any, role: Role) -> None:
    assert role({"path": "/var/tmp/noble3.iso"})[0] == 0
    assert role.kernel() == "kernel noble3"
    assert len(host.file(f"{ROOT}/http/images/noble").listdir()) == 3  # two versions, and current
    host.run_expect([0], "rm /var/tmp/noble2.iso")
    code, said = role({"path": "/var/tmp/noble3.iso", "version": "24.04.2"})
    assert code == 0
    assert "image noble: Ubuntu 24.04.2" in said
    assert role.kernel() == "kernel noble2"
    assert "changed=0" in role({"path": "/var/tmp/noble3.iso", "version": "24.04.2"})[1]
    assert role({"path": "/var/tmp/noble3.iso"})[0] == 0
    assert role.kernel() == "kernel noble3"


def test_a_version_that_is_not_there_is_refused_and_nothing_changes(host: Any, role: Role) -> None:
    before = tree(host)
    code, said = role({"path": "/var/tmp/noble3.iso", "version": "24.04.1"})
    assert code != 0
    assert "version 24.04.1 is not kept on this server; there: " in said
    assert tree(host) == before
