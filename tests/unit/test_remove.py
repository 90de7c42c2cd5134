# SPDX-License-Identifier: GPL-3.0-or-later
"""Which folders go when all is taken off a host; the whole of it is tried in molecule/remove."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def remove() -> Any:
    spec = importlib.util.spec_from_file_location("remove", ROOT / "roles/netboot/files/remove.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("images", "left"), [("remove", {"somebodys"}), ("keep", {"somebodys", "apt", "cache", "http/images"})]
)
def test_kept_packages_go_with_the_images(remove: Any, tmp_path: Path, images: str, left: set[str]) -> None:
    for name in ("apt", "cache", "http/images", "http/status", "tftp", "somebodys"):
        (tmp_path / name).mkdir(parents=True)
    gone = {
        str(Path(path).relative_to(tmp_path))
        for path in remove.folders({"root": str(tmp_path), "images": images})
    }
    assert gone == {"apt", "cache", "http/images", "http/status", "tftp", "somebodys"} - left
