# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose page is written: its folders, its program, and logs of ours."""

from __future__ import annotations

import html.parser
import time
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.homelab.netboot.plugins.module_utils._program import listing
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.kept import Kept
from ansible_collections.homelab.netboot.plugins.module_utils._program.page import writing
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box

#: Elements that have no end.
VOID = ("meta", "link")


class Shown(Box):
    """A server, with a page and metrics."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        self.now = time.time()
        self.page = self.root / "http/status"

    def logs(self, *lines: str) -> None:
        """What dnsmasq and nginx write now, as the program reads it before it looks."""
        log = self.state.parent / "access.log"
        journal = [line for line in lines if line[:10].isdigit()]
        with log.open("a") as file:
            file.writelines(f"{line}\n" for line in lines if not line[:10].isdigit())
        names = {machine.mac: machine.name for machine in listing.chosen(self.settings, [])}
        tftp = str(self.root / "tftp")
        with Kept(str(self.state), names, tftp, log=str(log), journal=lambda _at: (journal, "")) as kept:
            kept.refresh()

    def asks(self, mac: str, second: int = 0, note: str = "") -> list[str]:
        """The lines of a machine that asks for something to boot."""
        who = f"{self.now - 100 + second:.1f} h dnsmasq-dhcp[1]: 1 "
        return [f"{who}vendor class: PXEClient{note}", f"{who}PXE(lan0) {mac} proxy"]

    def fetches(self, path: str, second: int = 1, size: int = 7) -> str:
        """The line of a file that is fetched by HTTP."""
        when = f"{self.now - 100 + second:.1f}"
        return f'x {when} 192.168.1.77 "GET {path} HTTP/1.1" 200 {size} 0.1 "agent"'

    def refresh(self) -> bool:
        return writing.refresh(self.settings, lambda: self.now)

    def text(self, path: str = "index.html") -> str:
        return (self.page / path).read_text()

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Every file below state and root, with what changes when it is written."""
        files = (path for top in (self.state, self.root) for path in top.rglob("*"))
        return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


class Reader(html.parser.HTMLParser):
    """Reads a page as a browser does: its elements in order, its texts, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    def names(self) -> set[str]:
        return {tag for tag, _attributes in self.elements}

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _tag, given in self.elements for key, value in given.items() if key == name]


def pages(top: Path) -> Iterable[Path]:
    return sorted(top.rglob("*.html"))
