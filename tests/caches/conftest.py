# SPDX-License-Identifier: GPL-3.0-or-later
"""An owner with one image of some slices, and a cache before it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.caches.place import CACHES, FULL, MACHINES, OWNER, SLICE, STRANGER, VERSION, Cache, Owner
from tests.lab.common import run

Files = dict[str, bytes]


@pytest.fixture(scope="session", autouse=True)
def _addresses() -> None:
    """Addresses in the network that only these tests have."""
    for address in (OWNER, *CACHES, *MACHINES, STRANGER, FULL):
        run("ip", "address", "add", f"{address}/24", "dev", "lo")


@pytest.fixture(scope="session")
def files() -> Files:
    """The image: an ISO of six slices, of which the last is a part, and a kernel of two."""
    dice = random.Random(7)  # noqa: S311 - not for secrets
    return {
        "noble.iso": dice.randbytes(5 * SLICE + 423_457),
        "vmlinuz": dice.randbytes(SLICE + 1),
        "initrd": dice.randbytes(1_000_000),
    }


@pytest.fixture
def owner(tmp_path: Path, files: Files) -> Iterator[Owner]:
    with Owner(tmp_path / "owner") as one:
        one.add(VERSION, files)
        yield one


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path / "cache") as one:
        yield one


@pytest.fixture
def image(cache: Cache) -> Callable[..., str]:
    """The address of a file of the image at the cache."""

    def address(file: str = "noble.iso", version: str = VERSION) -> str:
        return f"{cache.url}/images/noble/{version}/{file}"

    return address
