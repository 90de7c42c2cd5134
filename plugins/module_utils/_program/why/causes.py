# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What keeps machines from going on, as a table: where it shows, how it is known, what it is, one remedy. Pure.

The first row that fits is the verdict, so what is certain stands before what is only likely. What the server's logs
cannot tell apart is one row, and its cause begins with "Either".
"""

from __future__ import annotations

from typing import Iterable

from .at_the_installer import INSTALLER
from .at_the_loader import LOADER
from .at_the_network import NETWORK
from .cause import Cause

#: In the order of a boot.
CAUSES = (*NETWORK, *LOADER, *INSTALLER)


def of(key: str) -> Iterable[Cause]:
    """The rows for a milestone that is missing."""
    return (row for row in CAUSES if key in row.at)
