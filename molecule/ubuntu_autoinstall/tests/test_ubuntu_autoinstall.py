# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeds are complete, and nobody reads them before a machine is armed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.servers import PROJECT

ROOT = "/var/lib/netboot/plan/seed"


def test_machines_that_may_be_installed_have_a_seed_and_others_have_none(host: Any) -> None:
    assert sorted(host.file(ROOT).listdir()) == ["nuc1", "nuc2", "nuc4"]


@pytest.mark.parametrize("machine", ["nuc1", "nuc2", "nuc4"])
def test_all_four_files_are_there_for_root_only(host: Any, machine: str) -> None:
    assert sorted(host.file(f"{ROOT}/{machine}").listdir()) == [
        "meta-data",
        "network-config",
        "user-data",
        "vendor-data",
    ]
    for name in host.file(f"{ROOT}/{machine}").listdir():
        file = host.file(f"{ROOT}/{machine}/{name}")
        assert (file.user, file.group, file.mode) == ("root", "root", 0o600)
    assert host.file(f"{ROOT}/{machine}").mode == 0o700
    assert host.run(f"runuser -u www-data -- cat {ROOT}/{machine}/user-data").rc != 0


def test_user_data_starts_an_unattended_installation(host: Any) -> None:
    text = host.file(f"{ROOT}/nuc1/user-data").content_string
    assert text.startswith("#cloud-config\n")
    autoinstall = yaml.safe_load(text)["autoinstall"]
    assert autoinstall["version"] == 1
    assert autoinstall["user-data"]["hostname"] == "nuc1"
    assert autoinstall["user-data"]["users"][0]["ssh_authorized_keys"] == [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D molecule@example"
    ]


def test_settings_of_site_group_and_machine_come_together(host: Any) -> None:
    autoinstall = yaml.safe_load(host.file(f"{ROOT}/nuc4/user-data").content_string)["autoinstall"]
    assert autoinstall["locale"] == "ja_JP.UTF-8"
    assert autoinstall["packages"] == ["mc"]
    assert autoinstall["storage"]["layout"] == {
        "name": "lvm",
        "match": {"serial": "S3Z8NB0K*"},
        "password": "correct horse",
    }
    assert autoinstall["network"]["ethernets"]["boot"]["addresses"] == ["192.168.1.24/24"]
    assert "echo done >/target/etc/motd" in autoinstall["late-commands"]
    assert autoinstall["user-data"]["users"][0]["name"] == "me"


def test_cloud_init_gives_the_machine_the_key_of_the_inventory_and_no_other(
    host: Any, cloud_init: Any
) -> None:
    text = host.file(f"{ROOT}/nuc4/user-data").content_string
    told = yaml.safe_load(text)["autoinstall"]["user-data"]
    keys = {key: value for key, value in told.items() if key in ("ssh_keys", "ssh_deletekeys")}
    config = yaml.safe_dump({"datasource_list": ["None"], **keys})
    host.run_expect([0], f"cat >/etc/cloud/cloud.cfg.d/99-installer.cfg <<'END'\n{config}\nEND")
    assert len(host.check_output("ls /etc/ssh/ssh_host_*_key").split()) > 1
    host.run_expect([0], "cloud-init single --name ssh --frequency always")
    place = "/etc/ssh/ssh_host_ed25519_key"
    assert host.check_output("ls /etc/ssh/ssh_host_*_key").split() == [place]
    wanted = (PROJECT / "build/molecule/host_key.pub").read_text().split()[:2]
    assert host.check_output(f"ssh-keygen -y -f {place}").split()[:2] == wanted
    assert host.file(f"{place}.pub").content_string.split()[:2] == wanted
    assert host.file(place).mode == 0o600
    host.run_expect([0], "sshd -t")


@pytest.fixture
def cloud_init(host: Any) -> Any:
    """Return a function that has cloud-init itself judge a text; the program is Debian's."""
    installed = host.run(
        "apt-get -qq install -y --no-install-recommends cloud-init >/dev/null 2>&1; cloud-init --version"
    )
    assert installed.rc == 0, installed.stderr

    def judge(text: str) -> Any:
        return host.run("printf %%s %s >/run/judged; cloud-init schema --config-file /run/judged", text)

    return judge


def test_cloud_init_accepts_what_it_will_find_and_what_it_will_do(host: Any, cloud_init: Any) -> None:
    assert cloud_init("#cloud-config\nruncmd: 5").rc != 0
    for machine in ("nuc1", "nuc2", "nuc4"):
        text = host.file(f"{ROOT}/{machine}/user-data").content_string
        # First what the installer's cloud-init reads, then what that of the installed system gets from Subiquity.
        inner = yaml.safe_dump(yaml.safe_load(text)["autoinstall"]["user-data"])
        for one in (text, f"#cloud-config\n{inner}"):
            verdict = cloud_init(one)
            assert verdict.rc == 0, verdict.stdout + verdict.stderr
