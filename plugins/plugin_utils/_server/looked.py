# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What one look at the server printed, by its parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

#: Lines of this form begin a part.
_PART = "# part "


def parts(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return the lines of each part that roles/netboot/files/look.py printed, by the part's name."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith(_PART):
            name = line.removeprefix(_PART)
        else:
            found.setdefault(name, []).append(line)
    return found


def facts(looked: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what is said in the parts, as far as it is not about addresses and firewalls.

    - C(packages): names of the packages that are installed; C(cut_off): whether dpkg was ended amid its work.
    - C(uefi_loaders): names of the files that UEFI machines are offered. C(marks): files that an earlier run left
      since it was ended before it could remove them.
    - C(sockets): lines of ss(8). C(units): of each of our units its C(pid), V(0) when it does not run, and whether it
      is C(ready): running, and started at every start of the host.
    - C(heard): which services of ours answered the look: C(http ADDRESS:PORT), C(pxe INTERFACE ADDRESS).
    - C(gives): interfaces on which our dnsmasq already gives addresses.
    - C(noted): answers that hold, by name: C(key) of the question, and C(answer).
    - C(dnsmasq): the line in which dnsmasq says its version; empty when it is not installed.

    :param looked: lines by the part's name, as L(parts) returns them.
    """
    packages = [line.partition("\t") for line in looked.get("packages", [])]
    return {
        "packages": [name for state, _tab, name in packages if state.strip() == "ii"],
        "cut_off": bool(looked.get("cut_off")),
        "uefi_loaders": looked.get("uefi_loaders", []),
        "marks": looked.get("marks", []),
        "sockets": looked.get("sockets", []),
        "units": dict(_units(looked.get("units", []))),
        "heard": [line for part in looked if part.startswith("heard ") for line in looked[part]],
        "gives": looked.get("gives", []),
        "noted": {note.pop("name"): note for note in map(json.loads, looked.get("noted", []))},
        "dnsmasq": next(
            (line for line in looked.get("dnsmasq", []) if line.startswith("Dnsmasq version")), ""
        ),
    }


def _units(lines: Iterable[str]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Read what C(systemctl show) prints of several units, with an empty line between them (systemctl(1))."""
    for block in "\n".join(lines).split("\n\n"):
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in said:
            ready = said.get("ActiveState") == "active" and said.get("UnitFileState") == "enabled"
            yield said["Id"], {"pid": said.get("MainPID", "0"), "ready": ready}
