# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror with four packages, and a server with the cache of packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.common import run
from tests.mirror.web import Web
from tests.packages.archive import Archive
from tests.packages.place import SERVER, Cache, Machine, Names
from tests.unit.pgp import Key

PACKAGES = ("few", "large", "more", "some")


@pytest.fixture(scope="session", autouse=True)
def _address() -> None:
    """Addresses in the network that only these tests have: the server's, and one of a stranger."""
    for address in (SERVER, "198.51.100.7"):
        run("ip", "address", "add", f"{address}/24", "dev", "lo")


@pytest.fixture(scope="session")
def key() -> Iterator[Key]:
    with Key("Lab Archive Key") as made:
        yield made


@pytest.fixture
def archive(tmp_path: Path, key: Key) -> Archive:
    made = Archive(tmp_path / "mirror", key)
    for name in PACKAGES:
        made.add(name, size=9_000_000 if name == "large" else 100_000)
    made.publish()
    return made


@pytest.fixture
def mirror(tmp_path: Path, archive: Archive) -> Iterator[Web]:
    with Web(tmp_path / "web", archive.root, port=80) as one:
        yield one


@pytest.fixture
def names() -> Iterator[Names]:
    with Names() as one:
        yield one


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path / "server") as one:
        yield one


@pytest.fixture
def machine(tmp_path: Path, key: Key) -> Callable[..., Machine]:
    """Make one more machine; its name, and further arguments of Machine."""
    ring = tmp_path / "key.gpg"
    ring.write_bytes(key.public(armor=False))

    def make(name: str, **more: Any) -> Machine:
        return Machine(tmp_path, name, ring, **more)

    return make
