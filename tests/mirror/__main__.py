# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.mirror [further options of pytest, such as -k cut]

In a network of its own, which has nothing but loopback. What the mirror and the playbooks said: build/mirror.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab import install
from tests.lab.common import ROOT, LabError, need_root, say
from tests.mirror import web


def main() -> int:
    """Run the tests; 1 when one failed, or they could not run."""
    try:
        install.setup()
        need_root()
        web.program()
    except LabError as error:
        say(f"mirror: {error}")
        return 1
    (ROOT / "build").mkdir(exist_ok=True)
    here = [str(Path(__file__).parent), f"--basetemp={ROOT}/build/mirror"]
    pytest = [sys.executable, "-m", "pytest", *here, "-q", "--tb=short", *sys.argv[1:]]
    apart = ["unshare", "--net", "--mount", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    return subprocess.run([*apart, *pytest], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
