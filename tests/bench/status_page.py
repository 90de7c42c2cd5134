# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status page costs with 1,000 machines and with one, by the program, started as the timer starts it."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import COLLECTIONS, Row
from tests.bench.stories import PROGRAM

MACHINES, TURNS = 1000, 5
EVENTS = 40
"""An installation has some thirty."""
RUN = f"from {PROGRAM}.cli import main; raise SystemExit(main())"


class Place:
    """A server with so many machines, each with a story and a state; its settings."""

    def __init__(self, top: Path, count: int) -> None:
        self.root, self.state, self.spool = top / "root", top / "state", top / "spool"
        stories = self.state / "events/machines"
        for folder in (stories, self.state / "machines", self.state / "plan", self.spool):
            folder.mkdir(parents=True)
        group = grp.getgrgid(os.getegid()).gr_name
        settings = {"root": self.root, "state": self.state, "spool": self.spool, "group": group}
        (top / "settings.json").write_text(json.dumps({name: str(value) for name, value in settings.items()}))
        self.argv = [sys.executable, "-c", RUN, "--settings", str(top / "settings.json"), "page"]
        self.time = time.time() - 86400
        machines = {}
        for number in range(count):
            mac = f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"
            machines[f"m{number}"] = {"mac": mac, "image": "noble", "install": "once", "wipe": "blank"}
            machines[f"m{number}"]["host_key"] = ""
            state = {
                "version": 1,
                "mac": mac,
                "name": f"m{number}",
                "state": "installed",
                "reason": "",
                "token": "",
            }
            state.update(since="2026-11-25T15:25:36Z", by_hand=False, wipe=False, disarmed=False, clock=None)
            state.update(address="", host_keys=[])
            file = mac.replace(":", "-") + ".json"
            (self.state / "machines" / file).write_text(json.dumps(state))
            self.story(number, EVENTS)
        (self.state / "plan/machines.json").write_text(json.dumps(machines))

    def story(self, number: int, count: int) -> None:
        """Write a machine's story."""
        mac = f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"
        name, path = f"m{number}", f"/machines/m{number}/-/meta-data"
        told = [[self.time + n, "http", path, mac, name, "10.0.0.7", 18, 200, "agent"] for n in range(count)]
        (self.state / f"events/machines/{mac.replace(':', '-')}.json").write_text(json.dumps(told))

    def write(self) -> float:
        """Seconds of one run of the program."""
        started = time.perf_counter()
        subprocess.run(self.argv, env={**os.environ, "PYTHONPATH": str(COLLECTIONS)}, check=True)
        return time.perf_counter() - started

    def anew(self) -> float:
        """The same when the program does not know what it wrote."""
        (self.state / "shown.json").unlink(missing_ok=True)
        return self.write()

    def after_news(self, turn: int) -> float:
        """The same after one machine did something."""
        self.story(0, EVENTS + 1 + turn)
        return self.write()


def page_1000_vs_1() -> list[Row]:
    """One machine did something; nothing happened at all; and the first time, when all pages are written."""
    with tempfile.TemporaryDirectory() as top:
        many, one = Place(Path(top, "many"), MACHINES), Place(Path(top, "one"), 1)
        first = [(many.anew(), one.anew()) for _turn in range(TURNS)]
        news = [(many.after_news(turn), one.after_news(turn)) for turn in range(TURNS)]
        idle = [(many.write(), one.write()) for _turn in range(TURNS)]
        size = (many.root / "http/status/index.html").stat().st_size
        print(f"  the first page has {size:,} bytes")

    def row(name: str, pairs: list[tuple[float, float]], means: str, at_most: float) -> Row:
        ours, other = (min(pair[place] for pair in pairs) for place in (0, 1))
        return Row(name, round(ours, 3), round(other, 3), "s", means, at_most=at_most)

    told = f"with {MACHINES:,} machines vs. with one"
    return [
        row("page_news", news, f"the status page after one machine did something, {told}", 10),
        row("page_idle", idle, f"the same when nothing happened, {told}", 10),
        row(
            "page_first",
            first,
            f"the first time, when each machine's page is written, {told}",
            15,
        ),
    ]
