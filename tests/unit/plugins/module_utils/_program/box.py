# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's folders with the real file system, its program, and its clock."""

from __future__ import annotations

import grp
import json
import os
from pathlib import Path

from ansible_collections.homelab.netboot.plugins.module_utils._program import contract, files
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import RefusedError, load
from ansible_collections.homelab.netboot.plugins.module_utils._program.publication import preview
from ansible_collections.homelab.netboot.plugins.module_utils._program.server import Server
from ansible_collections.homelab.netboot.plugins.module_utils._program.settings import Settings
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Now, State, parse

ENTRY, SEEDS = "tftp/pxelinux.cfg", "http/machines"
LOCAL, DEFAULT = "LOCALBOOT\n", "unknown: LOCALBOOT\n"


def mac_of(number: int) -> str:
    return f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"


class Box:
    """A server's folders, its program, and its clock."""

    def __init__(self, top: Path) -> None:
        self.root, self.state, self.spool = top / "root", top / "state", top / "spool"
        for place in (self.state, self.spool / "fetched", self.spool / "reports"):
            place.mkdir(parents=True)
        group = grp.getgrgid(os.getegid()).gr_name
        self.settings = Settings(str(self.root), str(self.state), str(self.spool), group, 4.0)
        self.since_boot = 1000.0
        self.macs: dict[str, str] = {}
        self.host_keys: dict[str, str] = {}
        self.said: list[str] = []
        self.put("plan/local/tftp/pxelinux.cfg", LOCAL)
        self.put("plan/static/tftp/pxelinux.cfg/default", DEFAULT)

    def put(self, path: str, text: str) -> None:
        place = self.state / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def plan(self, **machines: str) -> None:
        """name=install or name=any."""
        listed: dict[str, dict[str, str]] = {}
        for name, install in machines.items():
            mac = "any" if install == "any" else self.macs.setdefault(name, mac_of(len(self.macs)))
            wipe = "always" if install in ("any", "always") else "blank"
            listed[name] = {
                "mac": mac,
                "image": "focal",
                "install": "always" if install == "any" else install,
                "wipe": wipe,
                "host_key": self.host_keys.get(name, ""),
            }
            file = "default" if mac == "any" else f"01-{name}"
            self.put(f"plan/boot/{name}/{ENTRY}/{file}", f"seed=http://x/machines/{name}/@TOKEN@/\n")
            for seed in contract.SEED_FILES:
                self.put(f"plan/seed/{name}/{seed}", f"{name} {seed} @TOKEN@\n")
        self.put("plan/machines.json", json.dumps(listed))

    def server(self) -> Server:
        return Server(self.settings, self.said.append, lambda: Now("wall", "boot", self.since_boot))

    def do(self, command: str, *names: str) -> int:
        foretold = self.foretold() if command == "publish" else None
        begin = len(self.said)
        with self.server() as server:
            getattr(server, command)(*([names] if names else []))
            if foretold is not None and not server.failed and "not armed" not in " ".join(self.said[begin:]):
                assert server.armed() == foretold, "what a check run says, and what is done then"
            return server.changed

    def foretold(self) -> dict[str, dict[str, str]] | None:
        """Who would be armed; None where notes wait that would change that, or the list cannot be read."""
        if any(self.spool.glob("*/*")):
            return None
        try:
            machines = load(str(self.state / "plan")).by_mac()
        except RefusedError:
            return None
        before = {path: path.stat().st_mtime_ns for path in self.state.rglob("*")}
        told = preview(self.settings, machines, lambda line: None)
        assert before == {path: path.stat().st_mtime_ns for path in self.state.rglob("*")}
        return told

    def file(self, name: str) -> Path:
        """Where a machine's state is."""
        return self.state / f"machines/{self.macs.get(name, 'any').replace(':', '-')}.json"

    def of(self, name: str) -> State:
        return parse(self.file(name).read_text())

    def entry(self, name: str) -> str:
        return (self.root / ENTRY / name).read_text()

    def seeds(self, name: str) -> dict[str, str]:
        """What its installer can fetch, without the receipt."""
        top = self.root / SEEDS / self.of(name).name / self.of(name).token
        found = {path.name: path.read_text() for path in top.iterdir()} if self.of(name).token else {}
        found.pop(contract.RECEIPT, None)
        return found

    def may_begin(self, name: str) -> bool:
        """Whether its installer goes on."""
        return bool(list((self.root / SEEDS).glob(f"{name}/*/{contract.RECEIPT}")))

    def fetch(self, name: str, token: str = "") -> None:
        (self.spool / "fetched" / f"{name}.{token or self.of(name).token}").write_text("x")
        self.do("drain")

    def report(self, name: str, word: str = "installed", token: str = "", body: str = "") -> None:
        (self.spool / "reports" / f"{name}.{token or self.of(name).token}.{word}").write_text(body)
        self.do("drain")

    def served(self) -> dict[str, str]:
        """All that is served, path → text."""
        return {path: (self.root / path).read_text() for path in files.walk(str(self.root))}

    def boots_disk(self, name: str) -> bool:
        return self.entry(f"01-{name}") == LOCAL and not (self.root / SEEDS / name).exists()
