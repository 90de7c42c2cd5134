# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner is killed at twenty points of an installation by way of a cache; the cache, and its line, in an ISO."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from tests.caches.conftest import Files
from tests.caches.machine import Machine, ask
from tests.caches.place import SLICE, VERSION, Cache, Owner, until

NAME = "m1"
#: Seconds that the owner is away; the programs in the installer ask again meanwhile.
AWAY = 1.0
ISO = "noble.iso"
#: Where the owner dies: when the machine comes there, or when the cache has a part of that slice of the ISO.
AT_ONCE = (
    *("entry", "vmlinuz", f"vmlinuz {SLICE}", "initrd", f"{ISO} {5 * SLICE}"),
    *("meta-data", "vendor-data", "begun", "receipt", "progress 1", "installed", "up"),
)
IN_A_SLICE = tuple(f"slice {number}" for number in range(6))
#: Where a report lies there, and the program has not taken it yet.
TOLD = ("told begun", "told installed")
POINTS = (*AT_ONCE, *IN_A_SLICE, *TOLD)


def slowly(first: int) -> str:
    """Lines for the owner, by which the ISO's slice that begins there takes its time."""
    return f'set $asked "$uri$http_range"; if ($asked ~ "isobytes={first}-") {{ set $limit_rate 50k; }}'


class Fault:
    """Kills the owner once, at a point, and starts it again later."""

    def __init__(self, owner: Owner, cache: Cache, point: str) -> None:
        self.owner, self.cache, self.point = owner, cache, point
        self.is_done = self.has_killed = False
        self.later: list[threading.Thread] = []

    def at(self, point: str) -> None:
        """What the machine calls."""
        kind, _space, which = self.point.partition(" ")
        if self.is_done:
            return
        if point == self.point:
            self._kill()
        elif kind == "slice" and point == ISO:
            self._later(lambda: until(lambda: self.cache.is_fetching(ISO, int(which))))
        elif kind == "told" and point == which:
            self.owner.is_held = True
            self._later(lambda: until(lambda: self.owner.told(which)))

    def _later(self, wait: object) -> None:
        """Kill it when something has happened, while the machine goes on."""
        self.is_done = True

        def run() -> None:
            wait()  # type: ignore[operator]
            self._kill()

        self.later.append(threading.Thread(target=run))
        self.later[-1].start()

    def _kill(self) -> None:
        self.is_done = True
        self.owner.is_held = True
        self.owner.kill()
        self.has_killed = True

        def back() -> None:
            time.sleep(AWAY)
            self.owner.more = ""
            self.owner.start()
            self.owner.is_held = False

        self.later.append(threading.Thread(target=back))
        self.later[-1].start()

    def end(self) -> None:
        """Wait until the owner is there again."""
        for thread in self.later:
            thread.join(timeout=120)


@pytest.mark.parametrize("point", POINTS)
def test_the_owner_dies(tmp_path: Path, files: Files, point: str) -> None:
    """It comes back, the machine is switched on again where it stopped: it is installed once, by right bytes."""
    slow = ""
    if point in IN_A_SLICE:
        first = int(point.split()[1]) * SLICE
        slow = slowly(first)
    with Owner(tmp_path / "owner", slow) as owner, Cache(tmp_path / "cache") as cache:
        owner.add(VERSION, files)
        owner.offer(NAME, cache.url)
        tokens = [owner.box.of(NAME).token]
        fault = Fault(owner, cache, point)
        machine = Machine(tmp_path / "machine", owner.box.macs[NAME], cache.url, fault.at)
        ends = [machine.boot()]
        fault.end()
        while ends[-1] != "installed":  # it stopped, or went on to its disk
            assert len(ends) < 3, (ends, machine.broken, owner.box.of(NAME))
            until(lambda: not any((owner.top / "spool/fetched").iterdir()))
            if owner.box.of(NAME).state == "installing":
                # It had its user-data, so it may have begun: its disk boots, until a person arms it once more.
                assert machine.boot() == "disk"
                owner.box.do("arm", NAME)
                tokens.append(owner.box.of(NAME).token)
            ends.append(machine.boot())
        assert fault.has_killed
        until(lambda: owner.box.of(NAME).state == "up")
        assert (ends[-1], machine.installed) == ("installed", 1), (ends, machine.broken)
        assert machine.boot() == "disk", machine.broken
        assert machine.digests == {name: hashlib.sha256(text).hexdigest() for name, text in files.items()}
        assert all(files[name].startswith(part) for name, part in machine.parts)
        assert set(cache.prove().values()) <= {"good"}  # for some seconds after a failure nothing new is kept
        print(f"{point}: {' then '.join(ends)}; {machine.broken}")
        logs = [log.read_text() for log in (cache.top / "log").iterdir()]
        assert not [token for token in tokens for log in logs if token in log]


def test_the_cache_is_killed_in_an_iso(tmp_path: Path, files: Files) -> None:
    """What was whole is not fetched again; what was not is not handed out."""
    slow = slowly(3 * SLICE)
    with Owner(tmp_path / "owner", slow) as owner, Cache(tmp_path / "cache") as cache:
        owner.add(VERSION, files)
        owner.offer(NAME, cache.url)
        killer: list[threading.Thread] = []

        def kill() -> None:
            until(lambda: cache.is_fetching(ISO, 3))
            cache.kill()

        def at(point: str) -> None:
            if point == ISO and not killer:
                killer.append(threading.Thread(target=kill))
                killer[0].start()

        machine = Machine(tmp_path / "machine", owner.box.macs[NAME], cache.url, at)
        assert machine.boot() == "broken"
        killer[0].join()
        assert all(files[ISO].startswith(part) for _name, part in machine.parts)
        assert cache.slices(ISO) == 3
        owner.__exit__()
        owner.more = ""
        owner._over.clear()
        with owner:
            cache.start()
            assert machine.boot() == "installed"
        assert machine.digests[ISO] == hashlib.sha256(files[ISO]).hexdigest()
        whole = len(files[ISO])
        assert (
            whole <= owner.sent(ISO) < whole + 4 * SLICE
        )  # the slice that was cut, and what nginx read ahead of it


@pytest.mark.parametrize("where", range(6))
def test_the_line_breaks_off_in_a_slice(tmp_path: Path, files: Files, where: int) -> None:
    """The owner's workers die with their connections; others start at once. The machine notices nothing."""
    slow = slowly(where * SLICE)
    with Owner(tmp_path / "owner", slow) as owner, Cache(tmp_path / "cache") as cache:
        owner.add(VERSION, files)

        def cut() -> None:
            until(lambda: cache.is_fetching(ISO, where))
            owner.cut()

        cutter = threading.Thread(target=cut)
        cutter.start()
        status, body, _headers = ask(f"{cache.url}/images/noble/{VERSION}/{ISO}")
        cutter.join()
        assert (status, body == files[ISO]) == (200, True)
        assert set(cache.prove().values()) <= {"good"}  # what broke off was asked for again, or passed on
