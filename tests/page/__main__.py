# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the status page with Chromium: `make page`. Pictures: build/page."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from tests.lab import install
from tests.page import checks, site
from tests.page.browser import Browser
from tests.tools.wheel import fetch

PACKAGES = {
    "chromium": "the browser",
    "fonts-dejavu-core": "its letters",
}
#: axe-core comes in a package of Python's, so that npm is not needed; nothing else of it is used.
AXE = "axe-playwright-python==0.1.8"
BUILD = site.ROOT / "build/page"


def axe() -> str:
    """The text of axe-core."""
    package = next(BUILD.glob("*.whl"), None) or fetch(AXE, BUILD)
    with zipfile.ZipFile(package) as wheel:
        return wheel.read("axe_playwright_python/axe.min.js").decode()


def main() -> int:
    """Run all checks; 1 when one failed."""
    install.setup(PACKAGES)
    BUILD.mkdir(parents=True, exist_ok=True)
    rules, failed = axe(), 0
    with tempfile.TemporaryDirectory() as top:
        shown = site.make(Path(top))
        with site.served(shown) as (address, asked), Browser() as browser:
            for check in checks.ALL:
                name = check.__name__.replace("_", " ")
                try:
                    check(checks.Place(browser, address, asked, shown, rules, BUILD))
                except (AssertionError, RuntimeError) as error:
                    failed += 1
                    print(f"FAILED  {name}: {error}", flush=True)
                else:
                    print(f"ok      {name}", flush=True)
    print(f"page: {failed or 'nothing'} failed; pictures in {BUILD.relative_to(site.ROOT)}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
