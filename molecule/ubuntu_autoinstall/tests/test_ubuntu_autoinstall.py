# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeds are complete, and only the web server reads them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

ROOT = "/srv/netboot/http/machines"


def test_machines_to_be_installed_have_a_seed_and_others_have_none(host: Any) -> None:
    assert sorted(host.file(ROOT).listdir()) == ["nuc1", "nuc2"]


@pytest.mark.parametrize("machine", ["nuc1", "nuc2"])
def test_all_four_files_are_there_for_the_web_server_only(host: Any, machine: str) -> None:
    assert sorted(host.file(f"{ROOT}/{machine}").listdir()) == [
        "meta-data",
        "network-config",
        "user-data",
        "vendor-data",
    ]
    for name in host.file(f"{ROOT}/{machine}").listdir():
        file = host.file(f"{ROOT}/{machine}/{name}")
        assert (file.user, file.group, file.mode) == ("root", "www-data", 0o640)
    assert host.file(f"{ROOT}/{machine}").mode == 0o750
    assert host.run(f"runuser -u www-data -- cat {ROOT}/{machine}/user-data").rc == 0
    assert host.run(f"runuser -u nobody -- cat {ROOT}/{machine}/user-data").rc != 0


def test_user_data_starts_an_unattended_installation(host: Any) -> None:
    text = host.file(f"{ROOT}/nuc1/user-data").content_string
    assert text.startswith("#cloud-config\n")
    autoinstall = yaml.safe_load(text)["autoinstall"]
    assert autoinstall["version"] == 1
    assert autoinstall["user-data"]["hostname"] == "nuc1"
    assert autoinstall["user-data"]["users"][0]["ssh_authorized_keys"] == [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMolecule molecule@example"
    ]
