# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.secure_boot [--few]: does the firmware what the run predicted?"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import accel, install
from tests.lab.common import BUILD, LabError, say
from tests.lab.firmware import SECURE
from tests.secure_boot import machine, rows

FOLDER = BUILD / "secure-boot"
WIDTH = 2  # machines at a time; each needs a processor


def result(row: rows.Row, folder: Path, shim: Path) -> tuple[str, rows.Said, float]:
    """Ask the collection about a row, then boot it."""
    sbverify = shutil.which("sbverify") or ""
    place = folder / row.name
    place.mkdir()
    before = rows.said(shim, folder / machine.GRUB, sbverify)
    machine.variables(place / "variables.fd", row.knows)
    machine.disk(place / "disk.img", shim, folder / machine.GRUB)
    begin = time.monotonic()
    return machine.boot(place), before, time.monotonic() - begin


def line(row: rows.Row, became: str, before: rows.Said, seconds: float, faults: list[str]) -> str:
    """A row of the table."""
    cells = [" and ".join(row.knows), " and ".join(row.signed), before.predicts(row.knows), became]
    cells.append("-" if became == "started" else rows.why())
    widths = (15, 15, 10, 10, 14)
    text = "  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{text}{seconds:4.0f} s  {'; '.join(faults) or 'as predicted'}"


def test(chosen: list[rows.Row]) -> int:
    """Boot all rows, print the table; return how many are wrong."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    machine.unpacked(FOLDER)
    shims = {
        signed: machine.cut(FOLDER / machine.SHIM, FOLDER / f"shim-{'-'.join(signed)}.efi", away)
        for signed, away in rows.SIGNED.items()
    }
    bad = 0
    print(accel.told([SECURE.arch]))
    print("firmware knows   shim signed by   predicted   firmware    why says")
    with ThreadPoolExecutor(WIDTH) as pool:
        for row, done in zip(chosen, pool.map(lambda one: result(one, FOLDER, shims[one.signed]), chosen)):
            became, before, seconds = done
            faults = rows.wrong(row, before, became)
            bad += bool(faults)
            print(line(row, became, before, seconds, faults), flush=True)
    return bad


def main() -> int:
    """Run the rows; exit code 0 only when all are as predicted."""
    parser = argparse.ArgumentParser(prog="python -m tests.secure_boot", description=__doc__)
    parser.add_argument("--few", action="store_true", help="three rows instead of all nine")
    few = parser.parse_args().few
    begin = time.monotonic()
    try:
        install.setup()
        chosen = [row for row in rows.ROWS if not few or (row.knows, row.signed) in rows.FEW]
        bad = test(chosen)
    except LabError as error:
        say(f"secure-boot: {error}")
        return 1
    print(f"{len(chosen) - bad} of {len(chosen)} as predicted, {time.monotonic() - begin:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
