# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.lifecycle [--row PART_OF_NAME]"""

from __future__ import annotations

import argparse
import sys
import time

from tests.lab import accel, install
from tests.lab.common import ROOT, LabError, need_root, say

from . import machines, provisioned, run


def main() -> int:
    """Run the test; exit code 0 only when every step of every life is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.lifecycle", description="Whole lives of machines.")
    parser.add_argument("--row", default="", help="only the machines whose name contains this")
    row = parser.parse_args().row
    lives, others = machines.chosen(row), provisioned.chosen(row)
    started = time.monotonic()
    try:
        if not lives and not others:
            names = [one.name for one in (*machines.LIVES, *provisioned.MACHINES)]
            raise LabError(f"no such machine; there are {', '.join(names)}")
        install.setup()
        need_root()
        moments = run.run_lives(lives, others, say)
    except LabError as error:
        say(f"lifecycle: {error}")
        return 1
    place = ROOT / "build" / "lifecycle.json"
    place.write_text(run.as_json(moments), encoding="utf-8")
    print("\n".join(run.table(moments)))
    print(accel.told([*(one.firmware.arch for one in lives), *(one.firmware.arch for one in others)]))
    faults = [f"{moment.machine}, {moment.step}: {fault}" for moment in moments for fault in moment.faults]
    print("\n".join(faults) or "all as it should be", end="; ")
    print(f"{time.monotonic() - started:.0f} s; also in {place.relative_to(ROOT)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
