# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and a destination, for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.tests.unit.extracts import INITRD, KERNEL, KINDS
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso, ubuntu_files


@pytest.fixture(scope="session")
def isos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("isos")
    files = ubuntu_files(KERNEL, INITRD)
    return {kind: make_iso(folder / f"{kind}.iso", files, **options) for kind, options in KINDS.items()}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A folder with a kernel of before: what must stay when anything fails."""
    folder = tmp_path / "dest"
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(b"old")
    return folder
