# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the page in a browser. Each check may fail alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.page.browser import Browser, until
from tests.page.site import Site

#: Width of the screen, and whether its colours are dark; a phone's of 320 CSS pixels is WCAG's smallest (1.4.10).
SCREENS = {"desktop": (1280, False), "dark": (1280, True), "phone": (320, False), "phone-dark": (390, True)}
PAGES = ("index.html", "machines/nuc1.html", "machines/desk-of-alice.html", "unknown/52-54-00-12-34-56.html")


@dataclass
class Place:
    """What checks need. asked: the paths that the browser asked for. rules: axe-core. pictures: a folder."""

    browser: Browser
    address: str
    asked: list[str]
    site: Site
    rules: str
    pictures: Path

    def open(self, path: str = "index.html", screen: str = "desktop") -> None:
        width, dark = SCREENS[screen]
        self.browser.look(width, dark=dark)
        self.browser.go(self.address.replace("index.html", path))


def axe_finds_nothing_on_any_page_or_screen(at: Place) -> None:
    for path in PAGES:
        for screen in SCREENS:
            at.open(path, screen)
            at.browser.run(at.rules)
            found = json.loads(
                at.browser.run(
                    "axe.run().then((said) => JSON.stringify([said.violations, said.passes.length]))"
                )
            )
            told = [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found[0]]
            assert not told, f"{path} on {screen}: {told}"
            assert found[1] > 15, "axe looked at nothing"


def axe_would_find_something(at: Place) -> None:
    at.open()
    at.browser.run("document.documentElement.removeAttribute('lang')")
    at.browser.run(at.rules)
    found = at.browser.run("axe.run().then((said) => said.violations.map((one) => one.id).join())")
    assert "html-has-lang" in found


def pictures_are_made(at: Place) -> None:
    for screen in SCREENS:
        for path in PAGES:
            at.open(path, screen)
            name = path.rpartition("/")[2].partition(".")[0]
            at.browser.picture(at.pictures / f"{name}-{screen}.png", whole=True)
    at.browser.look(1000, 1000)
    at.browser.go(at.address)
    at.browser.picture(at.pictures / "status-page.webp")  # docs/status-page.webp
    assert (at.pictures / "status-page.webp").stat().st_size < 100_000


def nothing_is_wider_than_the_screen(at: Place) -> None:
    for path in PAGES:
        for screen in SCREENS:
            at.open(path, screen)
            wide = at.browser.run("document.documentElement.scrollWidth")
            assert wide <= SCREENS[screen][0], f"{path} on {screen}: {wide} pixels"


def a_table_is_a_table_also_on_a_phone(at: Place) -> None:
    at.open(screen="phone")
    for role in ("table", "row", "rowheader", "cell", "columnheader"):
        tree = at.browser.tell("Accessibility.getFullAXTree")["nodes"]
        assert any(node.get("role", {}).get("value") == role for node in tree), role


def what_a_machine_calls_itself_is_no_script(at: Place) -> None:
    for path in ("index.html", "unknown/52-54-00-12-34-56.html"):
        at.open(path)
        assert at.browser.run("window.hacked === undefined")
        assert at.browser.run("document.body.innerText.includes('<script>window.hacked=1</script>')"), path
        assert at.browser.run("!/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)")


def all_can_be_done_by_keyboard_and_the_place_is_seen(at: Place) -> None:
    at.open()
    links = at.browser.run("document.querySelectorAll('a[href], summary').length")
    seen = []
    for _turn in range(links):
        at.browser.press("Tab")
        width = at.browser.run("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2, "the place of the keyboard is not seen"
        seen.append(at.browser.run("document.activeElement.innerText"))
    assert "nuc1" in seen
    at.open("machines/nuc1.html")
    at.browser.run("document.querySelector('details:last-of-type summary').focus()")
    at.browser.press("Enter")
    at.browser.wait("document.querySelector('details:last-of-type').open")


def news_come_by_themselves_and_the_reader_stays_where_they_are(at: Place) -> None:
    at.open("machines/nuc1.html")
    at.browser.run("window.same = true; document.querySelector('details:last-of-type summary').focus()")
    at.browser.press("Enter")
    at.site.now = time.time() + 100
    at.site.logs(at.site.fetches("/machines/nuc1/-/meta-data", 0))
    at.site.refresh()
    at.browser.wait("document.body.innerText.includes('/machines/nuc1/-/meta-data')")
    assert at.browser.run("window.same"), "the page was loaded again"
    assert at.browser.run("[...document.querySelectorAll('details')].slice(-1)[0].open")
    at.browser.wait("document.activeElement.id === document.querySelector('details:last-of-type summary').id")


def it_works_without_scripts(at: Place) -> None:
    at.browser.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        at.browser.look(1280)
        at.browser.tell("Page.navigate", url=at.address)
        count = len(at.asked)
        until(
            lambda: sum(path.endswith("index.html") for path in at.asked[count:]) > 1, "it is asked for again"
        )
    finally:
        at.browser.tell("Emulation.setScriptExecutionDisabled", value=False)


def the_browser_complains_of_nothing(at: Place) -> None:
    at.open()
    assert at.browser.faults == []


ALL: tuple[Callable[[Place], None], ...] = (
    axe_finds_nothing_on_any_page_or_screen,
    axe_would_find_something,
    pictures_are_made,
    nothing_is_wider_than_the_screen,
    a_table_is_a_table_also_on_a_phone,
    what_a_machine_calls_itself_is_no_script,
    all_can_be_done_by_keyboard_and_the_place_is_seen,
    news_come_by_themselves_and_the_reader_stays_where_they_are,
    it_works_without_scripts,
    the_browser_complains_of_nothing,
)
