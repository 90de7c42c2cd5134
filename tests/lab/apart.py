# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one folder of tests by pytest, apart from this host: in a network of its own that has nothing but loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import install
from .common import ROOT, LabError, need_root, say

# /sys shows the network cards of whoever mounted it
SCRIPT = 'mount -t sysfs none /sys && ip link set lo up && exec "$@"'
APART = ["unshare", "--mount", "--net", "--", "sh", "-c", SCRIPT, "sh"]


def run_tests(
    main: str, options: Sequence[str], *, prepare: Callable[[], object] = lambda: None, is_apart: bool = True
) -> int:
    """Run the tests beside `main`, the path of a `__main__.py`; 1 when one failed, or they could not run.

    options: further ones of pytest. prepare: fetches what they need while there is a network, and may raise LabError.
    What they leave is in build/NAME.
    """
    folder = Path(main).parent
    try:
        install.setup()
        if is_apart:
            need_root()
        prepare()
    except LabError as error:
        say(f"{folder.name}: {error}")
        return 1
    (ROOT / "build").mkdir(exist_ok=True)
    place = [str(folder), f"--basetemp={ROOT}/build/{folder.name}"]
    pytest = [sys.executable, "-m", "pytest", *place, "-q", "--tb=short", *options]
    return subprocess.run([*(APART if is_apart else []), *pytest], check=False).returncode
