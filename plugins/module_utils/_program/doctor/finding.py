# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What a check found: faults with their remedies, and a line about what is as it should be."""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence

from ..contract import TOKEN_PATTERN
from ..states import printable

#: How bad: WRONG keeps machines from booting, or soon will; NOTE may be meant so.
WRONG, NOTE = "wrong", "note"
_TOKEN = re.compile(TOKEN_PATTERN)
SITE = "run the playbook homelab.netboot.site"


class Finding(NamedTuple):
    """One fault. check: the check that found it; where: a service, a file, an address; shown_by: lines of a log."""

    check: str
    where: str
    what: str
    remedy: str
    level: str = WRONG
    shown_by: Sequence[str] = ()


class Result(NamedTuple):
    """What one check found. good: what is as it should be, for a person; may be empty."""

    check: str
    findings: Sequence[Finding]
    good: str


def clean(text: str) -> str:
    """A text without tokens and without anything that a terminal would obey."""
    return printable(_TOKEN.sub("-", text))
