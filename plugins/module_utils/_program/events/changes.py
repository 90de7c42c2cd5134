# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The lines in which the program notes that it changed a machine's state, one JSON object each."""

from __future__ import annotations

import json
import os
from typing import Iterable

from .event import STATE, Record

#: In the state folder; when it is full it becomes FILE.1.
FILE, BYTES = "changes.log", 1 << 20


def line(time: float, mac: str, state: str, reason: str, address: str = "") -> str:
    """What is noted; never a token. address: the machine's, where it has told it."""
    told = {"time": round(time, 3), "mac": mac, "state": state, "reason": reason, "address": address}
    return json.dumps(told) + "\n"


def read(text: str) -> Record | None:
    """What a line says; None when it is none of them."""
    try:
        raw = json.loads(text)
        mac, address = str(raw["mac"]), str(raw["address"])
        return Record(
            float(raw["time"]), STATE, str(raw["state"]), mac=mac, address=address, note=str(raw["reason"])
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def note(state: str, lines: Iterable[str]) -> None:
    """Note changes of states; the file is bounded. OSError when it cannot be written."""
    path = os.path.join(state, FILE)
    if os.path.exists(path) and os.stat(path).st_size > BYTES:
        os.replace(path, path + ".1")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write("".join(lines).encode())
