# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror itself."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from tests.mirror.web import Web


def test_a_part_of_a_file_can_be_had(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(b"0123456789")
    with Web(tmp_path / "web", root) as web:
        part = urllib.request.Request(f"{web.url}/file", headers={"Range": "bytes=4-"})
        with urllib.request.urlopen(part) as answer:
            assert (answer.status, answer.read()) == (206, b"456789")
        assert web.asked() == ["GET /file 206 6 bytes=4-"]
