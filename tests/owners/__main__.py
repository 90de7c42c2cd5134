# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.owners [further options of pytest, such as -k stranger]

In a network of its own, without the host's cards. What dnsmasq and the playbooks said: build/owners.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab import install
from tests.lab.common import ROOT, LabError, need_root, say


def main() -> int:
    """Run the tests; 1 when one failed, or they could not run."""
    try:
        install.setup()
        need_root()
    except LabError as error:
        say(f"owners: {error}")
        return 1
    (ROOT / "build").mkdir(exist_ok=True)
    here = [str(Path(__file__).parent), f"--basetemp={ROOT}/build/owners"]
    pytest = [sys.executable, "-m", "pytest", *here, "-q", "--tb=short", *sys.argv[1:]]
    apart = ["unshare", "--mount", "--net", "--", "sh", "-c", 'mount -t sysfs none /sys && exec "$@"', "sh"]
    return subprocess.run([*apart, *pytest], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
