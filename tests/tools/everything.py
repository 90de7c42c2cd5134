# SPDX-License-Identifier: GPL-3.0-or-later
"""Run everything that is tested, the targets of the Makefile, and say at the end what was good: `make test`.

Two stages. Services, containers and packets run side by side, and keep two processors busy. Then comes what boots
machines, one after the other, as their firmware gives up when it has to wait. This leaves processors idle, so what only
computes runs beside it, and makes way. A failure stops nothing; what it said of itself stands at the very end, where a
person and a CI's page look first. Whole outputs: build/test/NAME.log.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))
#: What takes longest begins first, so that all lanes have work to the end. What is not named stands between the two.
LONG = (
    "faults",
    "molecule neighbours",
    "molecule default",
    "molecule firewall",
    "molecule pxe_tftp_assets",
    "owners",
    "molecule remove",
    "molecule pxe_http",
    "molecule machine_states",
    "molecule check_mode",
    "mirror",
    "molecule pxe_dnsmasq",
    "caches",
)
SHORT = ("packages", "power", "isos")
#: Twice as many as a small machine has processors: many wait half of their time for services, packets and disks.
LANES = 4
#: What only computes, without services, packets or clocks, so that it may wait.
COMPUTES = ("test-unit", "units", "sanity", "lint", "galaxy", "fuzz")
#: Stages one after the other: how many run at a time, and what; and what runs beside, one after the other.
STAGES: tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        LANES,
        (*LONG, *(f"molecule {name}" for name in SCENARIOS if f"molecule {name}" not in LONG), *SHORT),
        (),
    ),
    (1, ("matrix", "lifecycle", "secure-boot FEW=1"), COMPUTES),
)
#: As of `nice`: it gets what the others leave, and a twentieth of a processor that they all want.
MAKES_WAY = 10
#: Lines of a failed target's output that are shown again: its last ones, and those that say what was wrong.
TAIL, WORDS = 12, 24
LOGS = Path("build/test")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SAYS = re.compile(r"^(?:FAILED|ERROR|E {3}|fatal:|failed:|\[ERROR\]|FAIL\b|make.*Error)|Error: | not ok$")
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
        return f"{self.target:<28} {'good' if self.code == 0 else 'FAILED':<6} {self.seconds:7.0f} s"

    @property
    def log(self) -> Path:
        """Where its output is."""
        return LOGS / f"{self.target.replace(' ', '-')}.log"


def run(target: str, niceness: int = 0) -> Result | None:
    """Run a target of the Makefile, "molecule NAME" for a scenario, its output into a file; nothing after a stop."""
    if STOPPED.is_set():
        return None
    print(f"{target} …\n", end="", flush=True)  # in one piece, as another one prints too
    name, *words = target.split()
    words = [word if "=" in word else f"SCENARIO={word}" for word in words]
    begin = time.monotonic()
    with Result(target, 0, 0).log.open("wb") as log:
        code = subprocess.run(
            ["nice", f"--adjustment={niceness}", "make", "--no-print-directory", name, *words],
            stdin=subprocess.DEVNULL,  # ssh makes what it shares with others non-blocking, and Ansible refuses that
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    result = Result(target, code, time.monotonic() - begin)
    print(f"{result}\n", end="", flush=True)
    return result


def telling(lines: Iterable[str]) -> list[str]:
    """The lines of an output that say what was wrong, and its end.

    >>> telling(["a", "E   assert 1 == 2", "\x1b[31mFAILED test_x\x1b[0m", *"bcdefghijklmnop"])[:3]
    ['E   assert 1 == 2', 'FAILED test_x', 'e']
    """
    plain = [_COLOUR.sub("", line).lstrip("│ ").rstrip() for line in lines]
    return [line for line in plain[:-TAIL] if _SAYS.search(line)][-WORDS:] + plain[-TAIL:]


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
    for width, targets, beside in STAGES:
        with ThreadPoolExecutor(1) as aside, ThreadPoolExecutor(width) as pool:
            computing = [aside.submit(run, target, MAKES_WAY) for target in beside]
            results += [result for result in pool.map(run, targets) if result]
            results += [result for one in computing if (result := one.result())]
    failed = [result for result in results if result.code]
    for result in failed:
        said = telling(result.log.read_text(errors="replace").splitlines())
        print(f"\n--- from {result.log}", *said, sep="\n")
    print("", *results, sep="\n")
    verdict = "FAILED" if failed else "stopped" if STOPPED.is_set() else "all passed"
    print(f"make test: {verdict} in {(time.monotonic() - begin) / 60:.0f} min")
    return 0 if verdict == "all passed" else 1


if __name__ == "__main__":
    sys.exit(main())
