# SPDX-License-Identifier: GPL-3.0-or-later
"""Run everything that is tested, the targets of the Makefile, and say at the end what was good: `make test`.

Two stages. What has no clock of its own runs in two lanes side by side; then, alone on the machine, what boots
machines: their firmware gives up when it has to wait. A failure stops nothing; its last lines stand at the very end,
where a person and a CI's page look first. Whole outputs: build/test/TARGET.log.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

#: Stages one after the other, lanes side by side, targets of a lane one after the other.
STAGES = (
    (("molecule",), ("lint", "test-unit", "fuzz", "sanity", "units", "galaxy", "faults")),
    (("matrix", "lifecycle"),),
)
#: Lines of a failed target's output that are shown again.
TAIL = 40
LOGS = Path("build/test")
#: Set when the user or the machine wants an end.
STOPPED = threading.Event()


@dataclass(frozen=True)
class Result:
    """How one target ended."""

    target: str
    code: int
    seconds: float

    def __str__(self) -> str:
        """Return its line of the table."""
        return f"{self.target:<10} {'good' if self.code == 0 else 'FAILED':<6} {self.seconds:7.0f} s"


def run(target: str) -> Result:
    """Run a target of the Makefile, its output into a file."""
    print(f"{target} …\n", end="", flush=True)  # in one piece, as another lane prints too
    begin = time.monotonic()
    with (LOGS / f"{target}.log").open("wb") as log:
        code = subprocess.run(
            ["make", "--no-print-directory", target], stdout=log, stderr=subprocess.STDOUT, check=False
        ).returncode
    result = Result(target, code, time.monotonic() - begin)
    print(f"{result}\n", end="", flush=True)
    return result


def run_lane(targets: Sequence[str]) -> list[Result]:
    """Run targets one after the other."""
    return [run(target) for target in targets if not STOPPED.is_set()]


def stop(number: int, dummy: object) -> None:
    """Let the running targets clean up and end, and start no other.

    Ctrl-C at a terminal reaches them without our help; a SIGTERM to us alone does not.
    """
    STOPPED.set()
    if number == signal.SIGTERM:
        os.killpg(0, signal.SIGINT)


def main() -> int:
    """Run every stage; return the exit code."""
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    LOGS.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    results: list[Result] = []
    for lanes in STAGES:
        with ThreadPoolExecutor(len(lanes)) as pool:
            for lane in pool.map(run_lane, lanes):
                results += lane
    failed = [result for result in results if result.code]
    for result in failed:
        log = LOGS / f"{result.target}.log"
        print(f"\n--- the end of {log}", *log.read_text(errors="replace").splitlines()[-TAIL:], sep="\n")
    print("", *results, sep="\n")
    verdict = "FAILED" if failed else "stopped" if STOPPED.is_set() else "all passed"
    print(f"make test: {verdict} in {(time.monotonic() - begin) / 60:.0f} min")
    return 0 if verdict == "all passed" else 1


if __name__ == "__main__":
    sys.exit(main())
