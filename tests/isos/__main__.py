# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.isos [further options of pytest, such as -k large]

What the other programs said, and the images that were made: build/isos.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab import install
from tests.lab.common import ROOT, LabError, say


def main() -> int:
    """Run the tests; 1 when one failed, or they could not run."""
    try:
        install.setup()
    except LabError as error:
        say(f"isos: {error}")
        return 1
    (ROOT / "build").mkdir(exist_ok=True)
    here = [str(Path(__file__).parent), f"--basetemp={ROOT}/build/isos"]
    pytest = [sys.executable, "-m", "pytest", *here, "-q", "--tb=short", *sys.argv[1:]]
    return subprocess.run(pytest, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
