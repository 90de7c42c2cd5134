# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the owner's log names: the machine behind a cache, and nobody because a machine says so."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.caches.place import CACHES, IMAGE, MACHINES, NETWORK, OWNER, VERSION, Cache, Owner, until

TOKEN = "0" * 32
CACHE = {
    "host": "pi",
    "name": "rome",
    "address": CACHES[0],
    "network": NETWORK,
    "port": 80,
    "base_url": f"http://{CACHES[0]}",
    "server": OWNER,
    "server_port": 80,
    "interface": "lo",
}
PLACE = {
    "address": OWNER,
    "network": NETWORK,
    "relayed": [],
    "cached": [NETWORK],
    "port": 80,
    "base_url": f"http://{OWNER}",
}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with Owner(tmp_path / "owner", netboot_result={"networks": [PLACE], "caches": [CACHE]}) as one:
        root = one.images.parent
        for path, text in (
            (f"images/{IMAGE}/{VERSION}/vmlinuz", "k" * 100000),
            (f"machines/nuc1/{TOKEN}/user-data", "at @SERVER@\n"),
            (f"grub/{CACHES[0]}/default.cfg", "behind the cache\n"),
            ("grub/default.cfg", "all\n"),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        yield one


def asked(host: str, path: str, machine: str, method: str = "GET", **more: str) -> tuple[int, str]:
    """What a machine gets. more: headers."""
    link = http.client.HTTPConnection(host, timeout=10, source_address=(machine, 0))
    link.request(method, path, headers=more, body="a=b" if method == "POST" else None)
    answer = link.getresponse()
    return answer.status, answer.read().decode()


def told(owner: Owner, log: str = "access.log") -> list[str]:
    """Addresses in one of the owner's logs."""
    return [line.split()[2] for line in owner.log(log)]


def test_a_machine_behind_a_cache_has_its_own_address(owner: Owner, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        for machine in MACHINES:
            answer = asked(cache.address, f"/machines/nuc1/{TOKEN}/user-data", machine)
            assert answer == (200, f"at {cache.url}\n")
        assert asked(cache.address, f"/reports/nuc1.{TOKEN}.up", MACHINES[1], "POST")[0] in (201, 204)
        until(lambda: told(owner) == [*MACHINES, MACHINES[1]])  # nginx writes a line after the answer


def test_what_a_cache_fetches_for_itself_is_no_machines(owner: Owner, tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        for machine in MACHINES:
            assert asked(cache.address, f"/images/{IMAGE}/{VERSION}/vmlinuz", machine)[0] == 200
        until(
            lambda: told(owner, "caches.log") == [cache.address]
        )  # the second machine costs the owner nothing
        assert told(owner) == []


def test_a_machine_is_not_believed_to_be_another(owner: Owner) -> None:
    asked(OWNER, "/", MACHINES[0], **{"X-Real-IP": MACHINES[1]})
    until(lambda: told(owner) == [MACHINES[0]])


def test_who_asks_the_owner_itself_is_told_the_cache_of_its_network(owner: Owner) -> None:
    """As GRUB does, which came from there, and iPXE."""
    assert owner.url != CACHE["base_url"]
    assert asked(OWNER, "/grub/machines/52:54:00:00:00:01.cfg", MACHINES[0]) == (200, "behind the cache\n")
