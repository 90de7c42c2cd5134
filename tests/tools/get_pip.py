# SPDX-License-Identifier: GPL-3.0-or-later
"""Let ansible-test make its environments where the server of its pip installer cannot be reached.

For each environment ansible-test downloads `get-pip-VERSION.py`, once, into its cache. Where the server does not
answer, this writes a stand-in there that does the same with Python's own ensurepip; where it does, and a stand-in is
still there, this removes it.
"""

from __future__ import annotations

import importlib.util
import re
import urllib.request
from pathlib import Path

SECONDS = 10.0
STAND_IN = "import ensurepip\nensurepip.bootstrap(default_pip=True)\n"


def main() -> None:
    """Write the stand-in if it is needed."""
    spec = importlib.util.find_spec("ansible_test")
    if spec is None or spec.origin is None:
        raise SystemExit("ansible-test is not installed: run `make` first")
    package = Path(spec.origin).parent
    version = _only(r"pip='([\d.]+)'", package / "_internal/python_requirements.py")
    url = (
        _only(r"url = '(https://\S+)' % pip_version", package / "_util/target/setup/requirements.py")
        % version
    )
    cached = Path(f"~/.ansible/test/cache/get_pip_{version.replace('.', '_')}.py").expanduser()
    if cached.exists() and cached.read_text() != STAND_IN:
        return
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - https, see the pattern
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            cached.unlink(missing_ok=True)
    except OSError:
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(STAND_IN)


def _only(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text())
    if found is None:
        raise SystemExit(f"{path}: found nothing like {pattern}: this ansible-test is not known here")
    return found[1]


if __name__ == "__main__":
    main()
