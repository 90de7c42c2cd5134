# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The lines of nginx's log (ACCESS_FORMAT in the contract); tokens are not in it. Pure."""

from __future__ import annotations

import re

from ..contract import ACCESS_LINE
from .event import HEAD, HTTP, Record

_SLASHES = re.compile("//+")


def read(text: str) -> Record | None:
    """What a line says; None when it is none of that log. The time is that of the answer's end."""
    line = ACCESS_LINE.match(text)
    if line is None:
        return None
    return Record(
        float(line["when"]),
        HEAD if line["method"] == "HEAD" else HTTP,
        _SLASHES.sub("/", line["path"]),  # shim asks for efi//grubx64.efi
        address=line["ip"],
        bytes=int(line["bytes"]),
        status=int(line["status"]),
        note=line["agent"],
    )
