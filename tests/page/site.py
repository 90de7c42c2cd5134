# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's status page, made by the program itself from what the lab recorded, and served on this host."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

from ansible_collections.homelab.netboot.plugins.module_utils._program.page.html import REFRESH
from ansible_collections.homelab.netboot.plugins.module_utils._program.server import Server
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Now
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.page.showing import Shown
from ansible_collections.homelab.netboot.tests.unit.why.stories import text

ROOT = Path(__file__).resolve().parents[2]
#: An installation of the demo, from the first question to the report.
BOOT = text("good-demo")[:25]
MAC, ADDRESS, FIRST = "f4:4d:30:60:64:69", "192.168.1.32", 1795620286.0
LONG = "this-machine-has-the-longest-name-that-a-machine-can-have-" + 5 * "x"
HOSTILE = "<script>window.hacked=1</script>\u202e<b>bold"
DOCTOR = """{"asked": %d, "results": [
 {"check": "services", "good": "dnsmasq and nginx run", "findings": []},
 {"check": "files", "good": "9 files that entries lead to are there", "findings": []},
 {"check": "PXE", "good": "answers 4 kinds of firmware", "findings": []},
 {"check": "other servers", "good": "", "findings": [{"level": "note", "where": "192.168.1.1",
  "what": "this DHCP server names a boot file of its own, undionly.kpxe", "shown_by": [],
  "remedy": "take it out of the router's settings"}]},
 {"check": "disks", "good": "", "findings": [{"level": "wrong", "where": "/srv/netboot",
  "what": "only 12 MB are free", "remedy": "make space", "shown_by": []}]}]}"""


class Site(Shown):
    """Some machines at different points of their way."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        self.at = self.now

    def server(self) -> Server:
        wall = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.at))
        return Server(self.settings, self.said.append, lambda: Now(wall, "boot", self.at))

    def do(self, command: str, *names: str) -> int:
        with mock.patch("time.time", return_value=self.at), self.server() as server:
            getattr(server, command)(*([names] if names else []))
            return server.changed

    def boot(self, name: str, begin: float, lines: tuple[str, ...] = BOOT) -> list[str]:
        """The lines of a machine that boots then."""
        mac = self.macs[name]
        address = f"192.168.1.{40 + list(self.macs).index(name)}"
        number = 1 + list(self.macs).index(name)

        def moved(line: str) -> str:
            line = re.sub(r"\b1795620\d{3}\.\d+", lambda one: f"{float(one[0]) - FIRST + begin:.6f}", line)
            line = line.replace(MAC, mac).replace(MAC.replace(":", "-"), mac.replace(":", "-"))
            line = line.replace("165817130", f"16581713{number}").replace("nuc1", name)
            line = line.replace("/srv/netboot/tftp", str(self.root / "tftp"))
            return re.sub(rf"{re.escape(ADDRESS)}\b", address, line)

        return [moved(line) for line in lines]

    def ends(self, name: str, at: float, word: str) -> None:
        self.at = at - 30
        self.fetch(name)
        self.at = at
        self.report(name, word)


def make(top: Path) -> Site:
    """A site with everything that a page can show."""
    site, now = Site(top), time.time()
    machines = ("nuc1", "nuc2", "nuc3", "desk-of-alice", "nas", "rack-1", "lab")
    site.plan(**dict.fromkeys(machines, "once"), **{LONG: "never"})
    plan = site.state / "plan/machines.json"
    plan.write_text(plan.read_text().replace("focal", "noble"))
    site.at = now - 7200
    site.do("publish")
    lines = site.boot("nuc1", now - 3600)
    site.ends("nuc1", now - 3549, "installed")
    site.at = now - 3510
    site.report("nuc1", f"up.{ADDRESS}")
    lines += site.boot("nuc1", now - 3500, BOOT[:13])
    lines += site.boot("nuc2", now - 40, BOOT[:22])
    site.at = now - 10
    site.fetch("nuc2")
    lines += site.boot("nuc3", now - 1800, BOOT[:24])
    site.ends("nuc3", now - 1750, "failed")
    missing = BOOT[13].replace('" 200 8247232', '" 404 146')
    lines += site.boot("desk-of-alice", now - 900, (*BOOT[:13], missing))
    lines += site.boot("lab", now - 25, BOOT[:15])
    site.at = now - 60
    site.do("arm", "rack-1")
    site.macs["stranger"] = "52:54:00:12:34:56"
    hostile = f"PXEClient{HOSTILE}"
    lines += site.boot(
        "stranger", now - 300, tuple(line.replace("PXEClient", hostile, 1) for line in BOOT[:3])
    )
    version = site.root / "http/images/noble/217c6811e195"
    version.mkdir(parents=True)
    note = '{"release": "24.04.4", "arch": "amd64", "files": {"noble.iso": {"stamp": [3303444480, 1]}}}'
    (version / "manifest.json").write_text(note)
    (version.parent / "current").symlink_to(version.name)
    (site.state / "doctor.json").write_text(DOCTOR % (now - 86000))
    with mock.patch("time.time", return_value=now):
        site.logs(*sorted(lines, key=lambda line: float(line.split()[not line[:10].isdigit()])))
    site.refresh()
    return site


def headers() -> dict[str, str]:
    """What nginx sends with the page."""
    template = (ROOT / "roles/pxe_http/templates/nginx.conf.j2").read_text()
    found = re.findall(r'add_header (\S+) (?:"([^"]*)"|(\S+)) always;', template)
    assert len(found) > 3
    return {name: quoted or plain for name, quoted, plain in found}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the page; asks browsers to come again sooner than in half a minute."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        place = Path(self.translate_path(self.path))
        if not place.is_file():
            self.send_error(404)
            return
        body = place.read_bytes()
        body = body.replace(f"}}, {1000 * REFRESH});".encode(), b"}, 300);")
        body = body.replace(
            f'http-equiv="refresh" content="{REFRESH}"'.encode(), b'http-equiv="refresh" content="1"'
        )
        self.send_response(200)
        self.send_header("Content-Type", f"{self.guess_type(str(place))}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers().items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # the browser went on to another page
            self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def served(site: Site) -> Iterator[tuple[str, list[str]]]:
    """The address, and the paths that were asked for."""
    asked: list[str] = []
    handler = type("Here", (Handler,), {"asked": asked})
    folder = str(site.page.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/status/index.html", asked
        finally:
            server.shutdown()
            thread.join()
