# SPDX-License-Identifier: GPL-3.0-or-later
"""One server for all faults; a table of what each came to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import pytest

from tests.faults import box as boxes
from tests.lab.common import ROOT, LabError, alone


@dataclass
class Row:
    """A fault. seen: what the user sees of it. safe: nothing armed was lost, nothing is installed twice."""

    fault: str
    seen: str = ""
    seconds: float = 0.0
    safe: bool = False
    result: str = "FAILED"


ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--keep, --points."""
    parser.addoption("--keep", action="store_true", help="leave the server for the next time")
    parser.addoption("--points", type=int, default=10, help="how many power cuts of a run; 10")


@pytest.fixture(scope="session")
def box(request: pytest.FixtureRequest) -> Iterator[boxes.Box]:
    """The server."""
    with alone(boxes.NAME):
        try:
            yield boxes.up()
        except LabError as error:
            pytest.exit(f"the server could not be made: {error}", returncode=1)
        finally:
            if not request.config.getoption("--keep"):
                boxes.down()


@pytest.fixture
def seen(request: pytest.FixtureRequest, box: boxes.Box) -> Iterator[Callable[[str], None]]:
    """Takes what the user sees. After the test: who is armed still finds the installer, and nobody else does."""
    row = Row(request.node.name.removeprefix("test_").replace("_", " "))
    request.config.stash.setdefault(ROWS, []).append(row)
    box.known = box.states()
    started = time.monotonic()

    def take(text: str) -> None:
        row.seen = text

    yield take
    row.seconds = time.monotonic() - started
    faults = box.unsafe()
    assert faults == []
    row.safe = True
    row.result = "ok" if row.seen else "FAILED"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table and write build/faults.json."""
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    path = ROOT / "build/faults.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    terminalreporter.section("faults")
    wide = max(len(row.fault) for row in rows)
    terminalreporter.write_line(f"{'fault'.ljust(wide)}  seconds  safe  result  what the user sees")
    for row in rows:
        safe = "yes" if row.safe else "NO"
        terminalreporter.write_line(
            f"{row.fault.ljust(wide)}  {row.seconds:7.1f}  {safe:<4}  {row.result:<6}  {row.seen}"
        )
    terminalreporter.write_line(
        "safe: who was armed still is, nobody else finds the installer; also in build/faults.json"
    )
