# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that Debian's packages carry: made by others, for real machines. The packages are fetched, not installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.isos.others import READERS, by_7z, ours, trees
from tests.lab.common import CACHE, locked, run, say

PACKAGES = ("grub-rescue-pc", "ipxe", "memtest86+")


def unpacked(package: str) -> Path:
    """The package's files; fetched on first use, by apt, which checks Debian's signatures."""
    folder = CACHE / "isos" / package
    with locked(f"isos-{package}"):
        if not folder.exists():
            say(f"Fetching {package} (once; it is not installed) …")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
                run("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *apt, "download", package)
                run("dpkg-deb", "--extract", next(Path(work).glob("*.deb")), Path(work) / "out")
                (Path(work) / "out").rename(folder)
    return folder


@pytest.mark.parametrize("package", PACKAGES)
def test_each_file_is_what_others_read(package: str, tmp_path: Path) -> None:
    images = sorted(path for path in unpacked(package).rglob("*.iso") if not path.is_symlink())
    assert images
    for iso in images:
        found = trees(iso)
        for keyword in found:
            files = ours(iso, keyword)
            assert len(files) >= 3
            for read in READERS[keyword]:
                assert files == read(iso, tmp_path / "other"), (iso.name, keyword, read.__name__)
        assert ours(iso, found[0]) == by_7z(iso, tmp_path / "other"), iso.name
