# SPDX-License-Identifier: GPL-3.0-or-later
"""Links from page to page lead to a file, and to a heading in it; the first page leads to all, and is short enough."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.tests.tools import bench_picture

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "roles/*/README.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
)
_LINK, _HEADING = re.compile(r"\]\((?!https?:)([^)\s]+)\)"), re.compile(r"(?m)^#+ +(.+)$")


def anchors(text: str) -> set[str]:
    """What headings are called in links, as GitHub makes it.

    >>> sorted(anchors("# The server's `x`"))
    ['the-servers-x']
    """
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in _HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in _LINK.findall(page.read_text()):
        path, dummy, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            wrong.append(link)
    assert not wrong


def test_the_readme_leads_to_every_page() -> None:
    # docs/docsite/conf.py reads this table, too: pages that are not in it cannot be found on the site
    table = (ROOT / "README.md").read_text().partition("\n## Read on\n")[2]
    assert {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")} <= set(_LINK.findall(table))


def test_the_readme_is_read_to_its_end() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_plot_of_the_measures_shows_its_table() -> None:
    rows = bench_picture.table(bench_picture.PAGE.read_text())
    assert [row[0] for row in rows] == [1, 10, 100, 1000, 10_000]
    assert bench_picture.PICTURE.read_text() == bench_picture.draw(rows), "run tests/tools/bench_picture.py"
