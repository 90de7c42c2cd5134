# SPDX-License-Identifier: GPL-3.0-or-later
"""Images by name, provided as a run of the roles does it: filter, module, and the note that spares the next run."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.filter.images import images as in_normal_form

from tests.lab.common import ROOT

#: The module in a process of its own, as Ansible starts it, but for the way of its options.
MODULE = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.modules import boot_images
with patch_module_args(json.load(sys.stdin)):
    boot_images.main()
"""


def holding(answers: Path) -> list[dict[str, Any]]:
    """What the look of a run finds noted, and still holds."""
    spec = importlib.util.spec_from_file_location("look", ROOT / "roles/netboot/files/look.py")
    assert spec is not None
    assert spec.loader is not None
    look = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(look)
    return [json.loads(line) for line in look.noted(str(answers))]


class Server:
    """A folder of images, with the notes beside it."""

    def __init__(self, top: Path) -> None:
        self.images, self.answers = top / "images", top / "answers"

    def run(self, images: Mapping[str, Any], *, check: bool = False, path: str = "") -> dict[str, Any]:
        """Run the module, where `path` says with other programs than there are; return what it tells Ansible."""
        options: dict[str, Any] = {
            "path": str(self.images),
            "images": in_normal_form(images),
            "timeout": 5,
            "_ansible_check_mode": check,
        }
        if not check:
            options["note"] = {"path": str(self.answers / "images.json"), "key": "k"}
        argv = [sys.executable, "-c", MODULE]
        environment = {**os.environ, **({"PATH": path} if path else {})}
        given = json.dumps(options).encode()
        done = subprocess.run(argv, input=given, env=environment, check=False, stdout=subprocess.PIPE)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def fails(self, images: Mapping[str, Any]) -> str:
        """Run it, and in check mode; return the message. Nothing may have changed."""
        before = self.there()
        told = self.run(images)
        assert told["failed"], told
        assert "exception" not in told
        checked = self.run(images, check=True)
        assert checked.get("failed") or "has the checksum" in told["msg"], checked
        assert self.there() == before
        return str(told["msg"])

    def there(self) -> dict[str, Any]:
        """Everything in the folder of images: content, and where links lead."""
        return {
            str(path.relative_to(self.images)): os.readlink(path) if path.is_symlink() else path.read_bytes()
            for path in sorted(self.images.rglob("*"))
            if path.is_symlink() or path.is_file()
        }
