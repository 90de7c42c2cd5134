# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of a playbook that would do nothing ends with an error and a remedy."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLLECTIONS = ROOT / ".collections" if (ROOT / ".collections").exists() else ROOT.parents[2]
SERVER = {"server1": {"ansible_connection": "local"}}
MACHINE = {"nuc1": {"netboot_mac": "f4:4d:30:60:64:69"}}


@pytest.mark.parametrize(
    ("options", "servers", "told"),
    [
        (["site"], {}, "No host of the group netboot_servers is meant. Name one in the inventory"),
        (["site", "-l", "nuc1"], SERVER, "No host of the group netboot_servers is meant."),
        (["site", "-l", "nobody"], SERVER, "Could not match supplied host pattern, ignoring: nobody"),
        (["site", "--tags", "nginx"], SERVER, "No such tag: nginx. The roles' names are tags: pxe_http,"),
        (
            ["arm", "-l", "server1", "-e", "confirm=yes"],
            SERVER,
            "No host of the group netboot_machines is meant.",
        ),
        (["start", "-l", "server1"], SERVER, "No host of the group netboot_machines is meant."),
        (["provision", "-l", "server1"], SERVER, "No host of the group netboot_machines is meant."),
        (
            ["provision", "-l", "nuc1", "-e", "confirm=yes"],
            {**SERVER, "server2": {"ansible_connection": "local"}},
            "machine nuc1: netboot_server: is missing, and there are several servers; name the one that installs it",
        ),
        (
            ["provision", "-l", "nuc1", "-e", "then=/no/such.yml"],
            SERVER,
            "Could not find or access '/no/such.yml'",
        ),
        (["disarm", "-l", "server1"], SERVER, "No host of the group netboot_machines is meant."),
        (["doctor", "-l", "nuc1"], SERVER, "No host of the group netboot_servers is meant."),
        (["verify_images", "-l", "nuc1"], SERVER, "No host of the group netboot_servers is meant."),
        (["watch", "-l", "server1"], SERVER, "No host of the group netboot_machines is meant."),
        (["status", "-l", "server1"], SERVER, "No host of the group netboot_machines is meant."),
    ],
)
def test_a_run_that_would_do_nothing_is_an_error(
    options: list[str], servers: dict[str, object], told: str, tmp_path: Path
) -> None:
    inventory = tmp_path / "inventory.json"
    groups = {"netboot_servers": {"hosts": servers}, "netboot_machines": {"hosts": MACHINE}}
    inventory.write_text(json.dumps(groups))
    (tmp_path / "ansible.cfg").touch()
    name, *more = options
    done = subprocess.run(
        ["ansible-playbook", f"homelab.netboot.{name}", "-i", inventory, *more],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
            "ANSIBLE_HOME": str(tmp_path),
            "ANSIBLE_NOCOLOR": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert told in " ".join((done.stdout + done.stderr).replace("''", "'").split())
    assert "changed=1" not in done.stdout
