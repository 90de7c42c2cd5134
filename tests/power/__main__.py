# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.power [further options of pytest, such as -k ipmi]

In a network of its own, which has nothing but loopback and one cable, and where /usr/local/sbin is the test's.
What the playbooks and the BMCs said: build/power.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab import install
from tests.lab.common import ROOT, LabError, need_root, say
from tests.tools import community_general


def main() -> int:
    """Run the tests; 1 when one failed, or they could not run."""
    try:
        install.setup()
        need_root()
    except LabError as error:
        say(f"power: {error}")
        return 1
    community_general.folder()
    (ROOT / "build").mkdir(exist_ok=True)
    here = [str(Path(__file__).parent), f"--basetemp={ROOT}/build/power"]
    pytest = [sys.executable, "-m", "pytest", *here, "-q", "--tb=short", *sys.argv[1:]]
    # /sys shows the network cards of whoever mounted it
    apart = ["unshare", "--mount", "--net", "--", "sh", "-c", 'mount -t sysfs none /sys && exec "$@"', "sh"]
    return subprocess.run([*apart, *pytest], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
