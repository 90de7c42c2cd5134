# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What the page says of the inventory's machines, for programs; docs/status-page.md describes the form. Pure."""

from __future__ import annotations

import json

from ..contract import TOLD_VERSION
from .known import Known, Row, moment


def text(known: Known, written: float) -> str:
    """As JSON. Only what the server itself knows: no words of a machine, none of strangers. written: since 1970."""
    machines = {row.machine: _machine(row) for row in known.rows}
    return json.dumps({"version": TOLD_VERSION, "told": moment(written), "machines": machines}) + "\n"


def _machine(row: Row) -> dict[str, str | None]:
    """What is not known is null."""
    return {
        "mac": row.mac,
        "image": row.image or None,
        "state": row.state,
        "since": moment(row.since) or None,
        "phase": row.phase or None,
        "address": row.address or None,
    }
