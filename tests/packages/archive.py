# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror of packages like Ubuntu's: a pool, and lists by their hashes that a key has signed."""

from __future__ import annotations

import hashlib
import random
import shutil
from email.utils import formatdate
from pathlib import Path

from tests.lab.common import run
from tests.unit.pgp import Key

SUITE = "noble"
CONTROL = "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: Lab <lab@example.org>\nDescription: {}\n"


def make_deb(folder: Path, name: str, version: str, size: int) -> Path:
    """A package whose one file is of so many random bytes, always the same ones."""
    path = folder / f"{name}_{version}_all.deb"
    tree = folder / f".{name}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL.format(name, version, name), encoding="utf-8")
    content = random.Random(f"{name} {version}").randbytes(size)  # noqa: S311 - not for secrets
    (tree / "content").write_bytes(content)
    run("dpkg-deb", "--build", "-Znone", "--root-owner-group", tree, path)
    shutil.rmtree(tree)
    return path


class Archive:
    """What the mirror serves below `root`, signed by `key`."""

    def __init__(self, root: Path, key: Key) -> None:
        self.root, self.key = root, key
        self.pool = root / "ubuntu/pool/main"
        self.pool.mkdir(parents=True)

    def add(self, name: str, version: str = "1", size: int = 100_000) -> Path:
        """Add a package, in place of its other versions. `publish` lets machines know."""
        for old in self.pool.glob(f"{name}_*"):
            old.unlink()
        return make_deb(self.pool, name, version, size)

    def publish(self) -> None:
        """Write the lists anew; those that were there before stay by their hashes, as Ubuntu's do for some time."""
        packages = "\n".join(self._entry(path) for path in sorted(self.pool.glob("*.deb"))).encode()
        suite = self.root / "ubuntu/dists" / SUITE
        lists = suite / "main/binary-amd64"
        digest = hashlib.sha256(packages).hexdigest()
        (lists / "by-hash/SHA256").mkdir(parents=True, exist_ok=True)
        for path in (lists / "Packages", lists / "by-hash/SHA256" / digest):
            path.write_bytes(packages)
        release = (
            f"Suite: {SUITE}\nCodename: {SUITE}\nArchitectures: amd64\nComponents: main\nAcquire-By-Hash: yes\n"
            f"Date: {formatdate(usegmt=True)}\nSHA256:\n {digest} {len(packages)} main/binary-amd64/Packages\n"
        )
        (suite / "InRelease").write_bytes(self.key.sign_inside(release.encode()))

    def _entry(self, path: Path) -> str:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = path.relative_to(self.root / "ubuntu")
        control = run("dpkg-deb", "--field", path)
        return f"{control.rstrip()}\nFilename: {name}\nSize: {path.stat().st_size}\nSHA256: {digest}\n"
