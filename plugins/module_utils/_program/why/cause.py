# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""A row of the table of causes, and the remedies that many rows have. Pure."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from .case import Test

SITE = "Run the playbook homelab.netboot.site; it puts right what the server hands out."
ARM = "Then arm it: ansible-playbook homelab.netboot.arm -l {name}"
QUIRK = "If nothing blocks it, give the machine netboot_quirks: [tftp-only] and run homelab.netboot.site."

#: The milestones that come when all is served.
LATE = ("disk", "report")


class Cause(NamedTuple):
    """A row. at: the milestones that are missing when it shows. fits: the events that show it, or whether it is so."""

    key: str
    at: Sequence[str]
    fits: Test
    cause: str
    remedy: str
