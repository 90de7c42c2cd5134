# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Where everything is on this server, and what time it is."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Sequence

from .states import Now


@dataclass(frozen=True)
class Settings:
    """Where everything is. root: what is served; state: plan, states, logs; spool: what nginx puts down for us.

    group: the web server's. hours: how long user-data is handed out after it was first fetched. page: whether there is
    a status page. textfile: where the metrics are written; empty for a place that only root reads. caches: how entries
    name the caches of this server, which hand on what it has, each an address, with its port if that is not the usual
    one.
    """

    root: str = "/srv/netboot"
    state: str = "/var/lib/netboot"
    spool: str = "/var/spool/netboot"
    group: str = "www-data"
    hours: float = 4.0
    page: bool = True
    textfile: str = ""
    caches: Sequence[str] = ()

    @classmethod
    def load(cls, path: str) -> Settings:
        """Read a JSON file; what it leaves out is as above."""
        with open(path, encoding="utf-8") as file:
            return cls(**json.load(file))


def clock() -> Now:
    """This moment."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    wall = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Now(wall, boot, time.clock_gettime(time.CLOCK_BOOTTIME))
