# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree like Ubuntu's mirrors: small ISOs that say what Ubuntu's say of themselves, in lists that a key has signed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.unit.isos import make_iso, ubuntu_files
from tests.unit.pgp import Key

CODENAMES = {"20.04": "Focal Fossa", "22.04": "Jammy Jellyfish", "24.04": "Noble Numbat"}
INFO = 'Ubuntu-Server {} LTS "{}" - Release {} (20250805.1)'


def iso(version: str, arch: str = "amd64") -> str:
    """The name of an ISO."""
    return f"ubuntu-{version}-live-server-{arch}.iso"


class Archive:
    """What `root` serves, signed by `key`."""

    def __init__(self, root: Path, key: Key) -> None:
        self.root, self.key = root, key

    def put(self, folder: str, *versions: str, arch: str = "amd64") -> None:
        """Have just these point releases in a folder, with their signed list; those that are there stay as they are."""
        place = self.root / folder
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            if old.name not in {iso(version, arch) for version in versions}:
                old.unlink()
        digests = {version: self._make(place / iso(version, arch), version, arch) for version in versions}
        self.sign(folder, "".join(f"{digest} *{iso(version, arch)}\n" for version, digest in digests.items()))

    @staticmethod
    def _make(path: Path, version: str, arch: str) -> str:
        if not path.exists():
            files = ubuntu_files(f"kernel {version}".encode(), f"initrd {version}".encode())
            files[".disk/info"] = INFO.format(version, CODENAMES[version[:5]], arch).encode()
            make_iso(path, files)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def sign(self, folder: str, text: str, key: Key | None = None) -> None:
        """Put another list there, signed."""
        (self.root / folder / "SHA256SUMS").write_text(text, encoding="utf-8")
        (self.root / folder / "SHA256SUMS.gpg").write_bytes((key or self.key).sign(text.encode()))
