# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine as far as HTTP knows it: its loader, casper, cloud-init, and our programs that run in the installer."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.caches.place import MACHINES
from tests.lab.common import ROOT

PROGRAMS = ROOT / "plugins/plugin_utils/_ubuntu/programs"
SEEDS = ("meta-data", "user-data", "vendor-data", "network-config")
PATIENCE = 20


class Broken(Exception):  # noqa: N818 - the machine stops, and is switched on again
    """What it needs did not come."""


def ask(
    url: str, method: str = "GET", body: bytes | None = None, source: str = MACHINES[0], **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers; Broken when the answer breaks off, with the bytes that came."""
    host, _slash, path = url.removeprefix("http://").partition("/")
    link = http.client.HTTPConnection(host, timeout=60, source_address=(source, 0))
    try:
        link.request(
            method, f"/{path}", body, {name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = link.getresponse()
        return answer.status, answer.read(), {key.lower(): text for key, text in answer.getheaders()}
    except http.client.IncompleteRead as error:
        raise Broken(f"{url} broke off", error.partial) from error
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"{url}: {error!r}", b"") from error
    finally:
        link.close()


class Machine:
    """It boots by its entry until it is installed. at: is called with the name of each point that it comes to."""

    def __init__(
        self, top: Path, mac: str, cache: str, at: Callable[[str], None] = lambda _point: None
    ) -> None:
        self.top, self.mac, self.cache, self.at = top, mac, cache, at
        self.installed = 0  # how often its disk was written
        self.digests: dict[str, str] = {}
        self.broken: list[str] = []
        self.parts: list[tuple[str, bytes]] = []  # what came of a file that broke off

    def boot(self) -> str:
        """Switch it on: C(disk), C(installed), or C(broken)."""
        try:
            return self._boot()
        except Broken as error:
            self.broken.append(str(error.args[0]))
            return "broken"

    def _boot(self) -> str:
        self.at("entry")
        words = self._get(f"{self.cache}/grub/machines/{self.mac}.cfg").decode().split("\n")
        entry = next((line.split() for line in words if line.startswith("install ")), None)
        if entry is None:
            return "disk"
        _install, image, seed = entry
        for name in ("vmlinuz", "initrd", "noble.iso"):
            self.at(name)
            self._file(image, name)
        for name in SEEDS:
            self.at(name)
            self._get(seed + name)
        self._installer(seed)
        return "installed"

    def _get(self, url: str) -> bytes:
        status, body, _headers = ask(url)
        if status != 200:
            raise Broken(f"{url}: status {status}")
        return body

    def _file(self, image: str, name: str) -> None:
        """As casper's wget: once, and a file that broke off is an end."""
        host, _slash, path = f"{image}{name}".removeprefix("http://").partition("/")
        link = http.client.HTTPConnection(host, timeout=60, source_address=(MACHINES[0], 0))
        digest, size, parts = hashlib.sha256(), 0, []
        try:
            link.request("GET", f"/{path}")
            answer = link.getresponse()
            if answer.status != 200:
                raise Broken(f"{path}: status {answer.status}")
            while block := answer.read(1 << 20):
                digest.update(block)
                parts.append(block)
                size += len(block)
                self.at(f"{name} {size}")
        except http.client.IncompleteRead as error:
            parts.append(error.partial)
            size += len(error.partial)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"{path}: {error!r}") from error
        finally:
            link.close()
        if size != int(answer.headers["Content-Length"]):
            self.parts.append((name, b"".join(parts)))
            raise Broken(f"{path} broke off after {size} bytes")
        self.digests[name] = digest.hexdigest()

    def _installer(self, seed: str) -> None:
        """early-commands, the installer's own steps, late-commands, and the first start."""
        top, _machines, name, token, _end = seed.rsplit("/", 4)
        shutil.rmtree(self.top, ignore_errors=True)
        self.top.mkdir(parents=True)
        for program in ("begin.py", "report.py"):
            shutil.copy(PROGRAMS / program, self.top)
        words = {word: f"{top}/reports/{name}.{token}.{word}" for word in ("begun", "installed", "failed")}
        settings = {"name": name, **words, "receipt": f"{seed}receipt", "patience": PATIENCE}
        (self.top / "settings.json").write_text(json.dumps(settings))
        self.at("begun")
        if subprocess.run([sys.executable, "-I", self.top / "begin.py"], check=False).returncode:
            raise Broken("the server did not note that the installation begins")
        self.at("receipt")
        self.installed += 1
        for number in range(3):
            self.at(f"progress {number}")
            step = {"name": f"subiquity/Step/{number}", "event_type": "start", "description": "x" * 4000}
            with contextlib.suppress(Broken):  # the installer goes on when nobody takes it
                ask(f"{top}/progress/{name}.{token}", "POST", json.dumps(step).encode())
        self.at("installed")
        subprocess.run([sys.executable, "-I", self.top / "report.py", "installed"], check=True)
        self.at("up")
        for _attempt in range(10):  # cloud-init's phone_home, ten tries
            try:
                key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D m"
                body = f"pub_key_ed25519={key.replace(' ', '+')}".encode()
                status = ask(f"{top}/reports/{name}.{token}.up", "POST", body)[0]
            except Broken:
                status = 0
            if status in (201, 204):
                return
            subprocess.run(["sleep", "0.5"], check=True)
