# SPDX-License-Identifier: GPL-3.0-or-later
"""All machines of the matrix are booted together, once; each row is then a test of its own."""

from __future__ import annotations

import sys

import pytest

from tests.lab import accel
from tests.lab.common import ROOT, LabError
from tests.matrix import fleet, report
from tests.matrix.rows import Row, chosen

OUTCOMES = pytest.StashKey[dict[str, fleet.Outcome]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--row."""
    parser.addoption("--row", default="", help="only the rows whose name contains this")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a row."""
    rows = chosen(metafunc.config.getoption("--row"))
    if not rows:
        raise pytest.UsageError(f"no such row; there are {', '.join(row.name for row in chosen(''))}")
    metafunc.parametrize("row", rows, ids=[row.name for row in rows])


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, fleet.Outcome]:
    """What every row came to, by name."""
    rows: list[Row] = chosen(request.config.getoption("--row"))
    try:
        done = fleet.run_rows(rows, lambda text: print(text, file=sys.stderr, flush=True))
    except LabError as error:
        pytest.exit(f"the matrix could not be run: {error}", returncode=1)
    found = {outcome.row.name: outcome for outcome in done}
    request.config.stash[OUTCOMES] = found
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table and write build/matrix.json."""
    done = list(config.stash.get(OUTCOMES, {}).values())
    if done:
        path = ROOT / "build" / "matrix.json"
        path.write_text(report.as_json(done), encoding="utf-8")
        terminalreporter.section("boot matrix")
        for line in report.table(done):
            terminalreporter.write_line(line)
        terminalreporter.write_line(accel.told(outcome.row.firmware.arch for outcome in done))
        terminalreporter.write_line(f"also in {path.relative_to(ROOT)}")
