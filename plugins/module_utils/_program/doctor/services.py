# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Do the services run, and will they after a restart of the host? Pure."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from ..contract import BOOT_SERVER, WEB_SERVER
from .finding import SITE, Finding, Result

CHECK = "services"
TARGET = "netboot.target"
#: Must be active; those in STARTED also enabled (the others belong to the target, which starts them).
RUNNING = (BOOT_SERVER, WEB_SERVER, "netboot-reports.path", "netboot-expire.timer", TARGET)
STARTED = (BOOT_SERVER, WEB_SERVER, TARGET)
#: Run now and then, and must not have failed.
AT_TIMES = ("netboot-publish.service", "netboot-reports.service", "netboot-expire.service")
#: What systemctl(1) is asked for.
PROPERTIES = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState")

Units = Mapping[str, Mapping[str, str]]


def read(shown: str) -> Units:
    """Units by name, from what `systemctl show` printed."""
    units: dict[str, dict[str, str]] = {}
    for block in shown.strip().split("\n\n"):
        one = dict(line.partition("=")[::2] for line in block.splitlines())
        units[one.get("Id", "")] = one
    return units


def stopped(units: Units) -> list[str]:
    """Units that are to run and do not."""
    return [name for name in RUNNING if units.get(name, {}).get("ActiveState") != "active"]


def failed(units: Units) -> list[str]:
    """Units whose last run failed."""
    return [name for name in AT_TIMES if units.get(name, {}).get("ActiveState") == "failed"]


def judge(units: Units, journal: Mapping[str, Sequence[str]]) -> Result:
    """journal: the last lines of each unit that does not run."""
    found = [*_stopped(units, journal), *_disabled(units), *_failed(units, journal)]
    return Result(CHECK, found, f"{len(RUNNING)} units run, and start with the host")


def _stopped(units: Units, journal: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for name in stopped(units):
        one = units.get(name, {})
        lines = journal.get(name, ())
        if one.get("LoadState") != "loaded":
            state = one.get("LoadState", "not-found")
            yield Finding(CHECK, name, f"systemd does not have it ({state})", SITE, shown_by=lines)
        else:
            state = f"{one.get('ActiveState')}, {one.get('SubState')}"
            remedy = f"mend what its journal says, then systemctl start {TARGET} {name}"
            yield Finding(CHECK, name, f"it does not run ({state})", remedy, shown_by=lines)


def _disabled(units: Units) -> Iterator[Finding]:
    for name in STARTED:
        one = units.get(name, {})
        if one.get("LoadState") == "loaded" and one.get("UnitFileState") != "enabled":
            state = one.get("UnitFileState") or "unknown"
            what = f"it does not start with the host ({state})"
            yield Finding(CHECK, name, what, f"systemctl enable {name}")


def _failed(units: Units, journal: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    for name in failed(units):
        remedy = f"mend what its journal says, then systemctl start {name}"
        yield Finding(CHECK, name, "its last run failed", remedy, shown_by=journal.get(name, ()))
