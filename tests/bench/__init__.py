# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of speed and cost: `python -m tests.bench` from the top of the repository.

`extract.py`: the module that takes kernel and initrd out of an ISO. `iso_task.py`: the whole Ansible task, beside that
of another collection. `installs.py`: bytes that an installation fetches, from the logs of `make matrix`.
`transfers.py`: nginx and dnsmasq under load; as root, in a boot network of its own (`boot_server.py`, `clients.py`,
`plain_server.py`), which is removed at the end, however that comes.
`caches.py`: images by way of two caches, and packages by the cache of packages, in a network of their own.
`stories.py`: what `netboot why` costs after a year. `status_page.py`: what the status page costs with 1,000 machines.
`machines.py`: what each additional machine costs in a run of site.yml, on the same server.
Each measure is a ratio of two things done in one run on one machine; run them when nothing else runs there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
COLLECTIONS = ROOT / ".collections"  # where Python finds this collection by its full name
SIZES = {"vmlinuz": 12 << 20, "initrd": 90 << 20}  # bytes, as Ubuntu's are


class Skipped(Exception):  # noqa: N818  # no error: the text says what to do first
    """A measure lacks its input."""


@dataclass(frozen=True)
class Row:
    """One line of the table and of build/bench.json."""

    name: str
    ours: float
    other: float
    unit: str
    means: str
    at_most: float = math.inf  # what the ratio has to keep to
    at_least: float = 0.0

    def __post_init__(self) -> None:
        if self.at_most == math.inf and not self.at_least:
            raise ValueError(f"{self.name} has no limit, so it could not be missed")

    @property
    def ratio(self) -> float:
        return round(self.ours / self.other, 4)

    @property
    def limit(self) -> str:
        """What the ratio has to keep to, in words."""
        return f"at least {self.at_least:g}" if self.at_least else f"at most {self.at_most:g}"

    @property
    def missed(self) -> str:
        """What was expected and is not so; empty when all is well."""
        is_kept = self.at_least <= self.ratio <= self.at_most
        return "" if is_kept else f"the ratio is {self.ratio:g}, expected {self.limit}"
