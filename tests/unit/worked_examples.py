# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked examples of docs/describe-your-machines.md, as they stand there, read by Ansible as inventories."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import autoinstall, releases

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/describe-your-machines.md"
_FILTER = "{{ groups['netboot_machines'] | homelab.netboot.machines(hostvars, images={'image': {}}) }}"


#: What stands for "AAAA…" on that page.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"


def examples() -> dict[str, str]:
    """Return title → inventory."""
    chapters = re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    blocks = {
        title: re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for title, text in chapters
    }
    return {title: texts[0] for title, texts in blocks.items() if texts}


def machines(inventory: str) -> list[dict[str, Any]]:
    """Return what our filter makes of an inventory, in Ansible itself.

    :raises AssertionError: with what Ansible says, when it fails.
    """
    # From a clone the collection is found by a link; below ansible_collections it is where it is.
    collections = ROOT / ".collections" if (ROOT / ".collections").exists() else ROOT.parents[2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "inventory.yml")
        path.write_text(inventory.replace("ssh-ed25519 AAAA…", KEY))
        empty = Path(folder, "ansible.cfg")
        empty.touch()
        said = subprocess.run(
            [
                "ansible",
                "localhost",
                "-i",
                path,
                "-m",
                "ansible.builtin.debug",
                "-a",
                json.dumps({"msg": _FILTER}),
            ],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(collections),
                "ANSIBLE_CONFIG": str(empty),
                "ANSIBLE_NOCOLOR": "true",
                "ANSIBLE_HOME": folder,
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert said.returncode == 0, said.stdout + said.stderr
    result: list[dict[str, Any]] = json.loads(said.stdout.partition("=>")[2])["msg"]
    return result


def documents(inventory: str) -> list[dict[str, Any]]:
    """Return what each machine of an inventory is told, without the commands of our own."""
    return [autoinstall.settings(machine, releases.find("24.04")) for machine in machines(inventory)]
