# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""All that is wrong with an input, told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The input is not usable; the message lists every fault, one a line."""

    def __init__(self, what: str, faults: Iterable[str]) -> None:
        """Keep the faults.

        :param what: what was checked, for the first line.
        :param faults: each names the thing, the variable and the remedy.
        """
        self.faults = list(faults)
        super().__init__(
            "\n".join([f"{what}, nothing was changed:", *(f"- {fault}" for fault in self.faults)])
        )


def suggest(word: str, known: Iterable[str]) -> str:
    """Return how to go on when a word is unknown: the nearest known one, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
