# SPDX-License-Identifier: GPL-3.0-or-later
"""An owner and caches before it: each a real nginx with the configuration that its role writes, at its own address."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from ansible_collections.homelab.netboot.plugins.module_utils._image import kept
from ansible_collections.homelab.netboot.plugins.module_utils._image import manifest as written
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box

from tests.lab.common import LabError
from tests.mirror import web
from tests.packages.place import TOP, cut_off, rendered, wait_for

OWNER, CACHES, MACHINES = "192.0.2.50", ("192.0.2.61", "192.0.2.62"), ("192.0.2.71", "192.0.2.72")
STRANGER, FULL = "198.51.100.7", "192.0.2.99"
NETWORK = "192.0.2.0/24"
IMAGE, VERSION, NEWER = "noble", "0123456789ab", "ba9876543210"
SLICE = 4 << 20
#: Of the owner's log: what was asked, status, bytes.
_LINE = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) [^"]*" (?P<status>\d+) (?P<bytes>\d+) ')


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait until it is so; LabError when it takes longer."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise LabError(f"not within {seconds:.0f} s")
        time.sleep(0.02)


class Nginx:
    """nginx with a role's configuration below a folder of its own. more: lines for its server at the address."""

    def __init__(self, top: Path, address: str, text: str, more: str = "") -> None:
        self.top, self.address, self.text, self.more = top, address, text, more
        self.conf = top / "nginx.conf"
        self.url = f"http://{address}"

    def __enter__(self) -> Self:
        for folder in ("root/http/images", "root/cache", "run/body", "log"):
            (self.top / folder).mkdir(parents=True, exist_ok=True)
        for folder in ("fetched", "reports", "incoming"):
            (self.top / "spool" / folder).mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def start(self) -> None:
        """Start it, with what it has kept; its sockets are new at each start, as systemd has it."""
        text = self.text.replace(TOP, str(self.top))
        self.conf.write_text(text.replace("server_name _;", f"server_name _; {self.more}"), encoding="utf-8")
        for socket in (self.top / "run").rglob("*.sock"):
            socket.unlink()
        first = self.top / "log/first.log"
        argv: list[str | Path] = [web.program(), "-p", self.top, "-c", self.conf, "-e", first]
        self.process = subprocess.Popen([*argv, "-g", "daemon off;"], start_new_session=True)
        wait_for(self.process, self.address, 80)

    def kill(self) -> None:
        """End it and its workers as a power cut would."""
        if self.process.poll() is None:
            cut_off(self.process)

    def workers(self) -> set[int]:
        """Its processes that answer."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(number) for number in path.read_text().split()}

    def cut(self) -> None:
        """Break all connections off; others, which are not slow, answer at once."""
        before = self.workers()
        self.conf.write_text(self.conf.read_text().replace(self.more, ""))
        self.process.send_signal(signal.SIGHUP)
        until(lambda: len(self.workers() - before) >= len(before))
        for worker in before & self.workers():
            os.kill(worker, signal.SIGKILL)

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def log(self, name: str) -> list[str]:
        """The lines of one of its logs."""
        path = self.top / "log" / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


class Owner(Nginx):
    """The server that the machines belong to, with its program, which runs when a report is there."""

    def __init__(self, top: Path, more: str = "", **settings: Any) -> None:
        place = {
            "address": OWNER,
            "network": NETWORK,
            "relayed": [],
            "cached": [],
            "port": 80,
            "base_url": f"http://{OWNER}",
        }
        caches = [
            {"address": one, "network": f"{machine}/32", "base_url": f"http://{one}", "relayed": []}
            for one, machine in zip(CACHES, MACHINES, strict=True)
        ]
        given = {
            "netboot_apt_cache": False,
            "netboot_result": {"networks": [place], "caches": caches},
            "netboot_root": f"{TOP}/root",
            **settings,
        }
        super().__init__(top, OWNER, rendered(json.dumps(given, sort_keys=True)), more)
        top.mkdir(parents=True, exist_ok=True)
        self.box = Box(top)
        self.images = top / "root/http/images"
        self.is_held = False  # whether the program is kept from running
        self._over = threading.Event()

    def __enter__(self) -> Self:
        super().__enter__()
        self._helper = threading.Thread(target=self._run_the_program, daemon=True)
        self._helper.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._helper.join()
        super().__exit__(*error)

    def _run_the_program(self) -> None:
        """What netboot-reports.path does."""
        while not self._over.wait(0.02):
            if not self.is_held and (self.told("") or any((self.top / "spool/fetched").iterdir())):
                self.box.do("drain")

    def told(self, word: str) -> bool:
        """Whether a report waits, of this word."""
        return any(path.name.endswith(word) for path in (self.top / "spool/reports").iterdir())

    def add(self, version: str, files: Mapping[str, bytes]) -> Path:
        """Have a version of the image, with its manifest."""
        folder = self.images / IMAGE / version
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "manifest.json").write_text(manifest(version, files))
        return folder

    def offer(self, name: str, cache: str) -> None:
        """Arm a machine, whose entry and settings lead to the address of its cache."""
        self.box.plan(**{name: "once"})
        mac, seed = self.box.macs[name], f"{cache}/machines/{name}/@TOKEN@/"
        entry = f"http/grub/machines/{mac}.cfg"
        self.box.put(f"plan/boot/{name}/{entry}", f"install {cache}/images/{IMAGE}/{VERSION}/ {seed}\n")
        self.box.put("plan/local/http/grub/machines", "disk\n")
        self.box.put("plan/static/http/grub/default.cfg", "disk\n")
        self.box.do("publish")
        self.box.do("arm", name)

    def has_sent(self, file: str, size: int) -> None:
        """Wait until so many bytes of a file are in its logs: nginx writes a line after the answer."""
        until(lambda: self.sent(file) == size, 10)

    def sent(self, file: str) -> int:
        """Bytes of a file that it has sent, by its own logs."""
        found = [_LINE.search(line) for name in ("access.log", "caches.log") for line in self.log(name)]
        return sum(int(one["bytes"]) for one in found if one and one["path"].endswith(f"/{file}"))


def manifest(version: str, files: Mapping[str, bytes]) -> str:
    """What module boot_images writes of a version, as far as it matters here."""
    noted = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    fields = (
        "name",
        "digest",
        "compared",
        "signed",
        "release",
        "codename",
        "arch",
        "flavour",
        "source",
        "fetched",
    )
    told: dict[str, Any] = {**dict.fromkeys((*fields, "verified", "origin", "checksum"), ""), "name": version}
    return written.text(
        IMAGE, {**told, "files": noted, "used": 0.0, "reduced_from": {}, "origin_stamp": None}
    )


class Cache(Nginx):
    """A cache before it."""

    def __init__(
        self, top: Path, address: str = CACHES[0], owner: str = f"{OWNER}:80", **settings: Any
    ) -> None:
        given = {
            "netboot_result": {},
            "__pxe_cache_address": CACHES[0],
            "__pxe_cache_port": 80,
            "__pxe_cache_owner": f"{OWNER}:80",
            "__pxe_cache_folder": f"{TOP}/root/cache",
            "__pxe_cache_knows_free": True,
            "__pxe_cache_answered": [NETWORK],
            "__pxe_cache_error_log": f"{TOP}/log/error.log",
            "pxe_cache_free": "1m",
            "netboot_caches": [],
            "netboot_servers": [],
            **settings,
        }
        text = rendered(json.dumps(given, sort_keys=True), role="pxe_cache")
        super().__init__(top, address, text.replace(CACHES[0], address).replace(f"{OWNER}:80", owner))
        self.kept = top / "root/cache"

    def prove(self, *, check: bool = False) -> dict[str, str]:
        """File → what the module finds of it."""
        return {
            f"{one.version}/{one.file}": one.state for one in kept.prove(str(self.kept), self.url, [], check)
        }

    def slices(self, file: str) -> int:
        """How many slices of a file are kept."""
        return sum(len(paths) for path, paths in kept.kept(str(self.kept)).items() if path.endswith(file))

    def is_fetching(self, file: str, number: int) -> bool:
        """Whether a part of that slice is there, which is not whole, and those before it."""
        if self.slices(file) != number:
            return False
        for path in self.kept.rglob("*.??????????"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_size > 0:
                    return True
        return False
