# SPDX-License-Identifier: GPL-3.0-or-later
"""verify_images on a cache, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.caches.conftest import Files
from tests.caches.machine import ask
from tests.caches.place import VERSION, Cache, Owner
from tests.lab.common import ROOT

LOCAL = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "ansible_become": False,
}


class Runs:
    """Playbooks for an inventory of a server and a cache; what the last one said is in `output`, in one line."""

    def __init__(self, top: Path, cache: Cache) -> None:
        self.top, self.output = top, ""
        own = {
            **LOCAL,
            "netboot_root": str(cache.top / "root"),
            "netboot_cache_address": f"{cache.address}/24",
        }
        self.groups: dict[str, Any] = {
            "netboot_servers": {"hosts": {"server1": {**LOCAL, "netboot_root": str(top / "owner/root")}}},
            "netboot_caches": {"hosts": {"cache1": own}},
        }

    def run(self, name: str, *options: str) -> int:
        """Run one."""
        inventory = self.top / "inventory.json"
        inventory.write_text(json.dumps(self.groups))
        (self.top / "ansible.cfg").touch()
        done = subprocess.run(
            ["ansible-playbook", f"homelab.netboot.{name}", "-i", inventory, *options],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
                "ANSIBLE_CONFIG": str(self.top / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.top),
                "ANSIBLE_NOCOLOR": "true",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        (self.top / "output").write_text(done.stdout + done.stderr)
        self.output = " ".join((done.stdout + done.stderr).split())
        return done.returncode


@pytest.fixture
def runs(tmp_path: Path, cache: Cache) -> Runs:
    return Runs(tmp_path, cache)


def test_what_was_wrong_is_found_and_mended(runs: Runs, owner: Owner, cache: Cache, files: Files) -> None:
    url = f"{cache.url}/images/noble/{VERSION}/initrd"
    place = owner.images / "noble" / VERSION / "initrd"
    place.write_bytes(bytes(len(files["initrd"])))
    ask(url)
    place.write_bytes(files["initrd"])
    only = ("-l", "cache1")
    assert runs.run("verify_images", *only, "-e", "image=jammy") == 0
    assert "It keeps nothing of that." in runs.output
    assert runs.run("verify_images", *only, "--check") == 2
    assert "A run without check mode removes it from the cache." in runs.output
    assert "cache1: something is not what was verified" in runs.output
    assert runs.run("verify_images", *only, "-e", "image=noble") == 0
    assert f"noble {VERSION} initrd: was WRONG; removed, fetched anew, as verified now" in runs.output
    assert "changed=1" in runs.output
    assert runs.run("verify_images", *only) == 0
    assert f"noble {VERSION} initrd: as verified" in runs.output
    assert "changed=0" in runs.output
    owner.kill()
    assert runs.run("verify_images", *only) == 2
    assert "cannot be proven" in runs.output


def test_without_caches_nobody_is_meant(runs: Runs) -> None:
    del runs.groups["netboot_caches"]
    assert runs.run("verify_images") == 2  # there is no image of a server here
    assert "there is no image in" in runs.output
    assert "netboot_caches" not in runs.output
