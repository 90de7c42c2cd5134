# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.lifecycle [--row PART_OF_NAME]"""

from __future__ import annotations

import argparse
import sys
import time

from tests.lab import accel, install
from tests.lab.common import ROOT, LabError, need_root, say

from . import machines, run


def main() -> int:
    """Run the test; exit code 0 only when every step of every life is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.lifecycle", description="Whole lives of machines.")
    parser.add_argument("--row", default="", help="only the machines whose name contains this")
    lives = machines.chosen(parser.parse_args().row)
    started = time.monotonic()
    try:
        if not lives:
            raise LabError(f"no such machine; there are {', '.join(life.name for life in machines.LIVES)}")
        install.setup()
        need_root()
        moments = run.run_lives(lives, say)
    except LabError as error:
        say(f"lifecycle: {error}")
        return 1
    place = ROOT / "build" / "lifecycle.json"
    place.write_text(run.as_json(moments), encoding="utf-8")
    print("\n".join(run.table(moments)))
    print(accel.told(life.firmware.arch for life in lives))
    faults = [f"{moment.machine}, {moment.step}: {fault}" for moment in moments for fault in moment.faults]
    print("\n".join(faults) or "all as it should be", end="; ")
    print(f"{time.monotonic() - started:.0f} s; also in {place.relative_to(ROOT)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
