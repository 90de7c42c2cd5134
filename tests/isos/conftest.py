# SPDX-License-Identifier: GPL-3.0-or-later
"""What all images are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.isos import made


@pytest.fixture(scope="session", name="source")
def _source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.folder(tmp_path_factory.mktemp("source"))
