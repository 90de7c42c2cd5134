# SPDX-License-Identifier: GPL-3.0-or-later
"""A cache that has kept images: what its owner sees of it, and that it goes without a trace."""

from __future__ import annotations

from pathlib import Path

from tests.lab import playbook, server
from tests.lab.common import BUILD, LabError, run
from tests.lab.server import Server

#: Turn round one byte of what nginx keeps, in the middle of its largest file.
SPOIL = """
import pathlib
path = max(pathlib.Path("/srv/netboot/cache").rglob("*"), key=lambda one: one.stat().st_size * one.is_file())
with path.open("r+b") as file:
    file.seek(path.stat().st_size // 2)
    byte = file.read(1)
    file.seek(-1, 1)
    file.write(bytes([byte[0] ^ 255]))
"""
#: What must not be there any more, each with what looks for it.
LEFT = {
    "units": "systemctl list-unit-files --no-legend 'netboot*'",
    "files": "ls -d /etc/netboot /srv/netboot /var/log/netboot /usr/local/lib/netboot 2>/dev/null",
    "ears": "ss -H -lntu | grep -E ':(67|80) '",
    "packages": "dpkg -l nginx dnsmasq-base 2>/dev/null | grep ^ii",
}


def _play(cache: Server, book: str, inventories: list[Path], *options: str) -> str:
    """Run a playbook for the cache alone; its output, and at the end whether it went well."""
    argv = playbook.command(inventories, {}, f"homelab.netboot.{book}")
    log = BUILD / "matrix" / f"cached-{book}.log"
    try:
        playbook.run_site([*argv, "--limit", cache.name, *options], log, lambda _task: None)
    except LabError:
        return log.read_text(encoding="utf-8") + "\nfailed"
    return log.read_text(encoding="utf-8") + "\ngood"


def faults(cache: Server, inventories: list[Path]) -> list[str]:
    """Return what doctor does not see of a byte that is wrong, or sees without one."""
    found = []
    run(*server.ssh(cache, "python3", "-"), stdin=SPOIL)
    first, second = (_play(cache, "doctor", inventories) for _turn in range(2))
    if "fetched anew" not in first:
        found.append(f"doctor did not see a wrong byte on {cache.name}")
    if not second.endswith("good") or "fetched anew" in second:
        found.append(f"doctor on {cache.name} sees something wrong: {BUILD}/matrix/cached-doctor.log")
    return found


def remains(cache: Server, inventories: list[Path]) -> list[str]:
    """Remove the cache; return what of it is still there."""
    if not _play(cache, "remove", inventories, "-e", "confirm=yes").endswith("good"):
        return [f"{cache.name} could not be removed: {BUILD}/matrix/cached-remove.log"]
    said = {what: run(*server.ssh(cache, look), check=False).strip() for what, look in LEFT.items()}
    return [f"{what} of a cache that was removed: {text}" for what, text in said.items() if text]
