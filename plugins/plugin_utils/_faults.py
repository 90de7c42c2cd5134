# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""All that is wrong with an input, told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

#: Machines that are named when many share a fault.
_TOLD = 5
#: Characters of a value that a message shows.
_LONGEST = 60


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
    guess = near(word, known)
    return f"did you mean {guess}?" if guess else f"known are {', '.join(known)}"


def near(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known word that somebody may have meant, or nothing.

    :param cutoff: how alike they must be, 0 to 1; 0.8 is for words that may well be meant as they stand.
    """
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1, cutoff=cutoff)), "")


def shown(value: Any) -> str:
    """Return a value for a message: printable, and short."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def gather(faults: Iterable[tuple[str, str]]) -> list[str]:
    """Return pairs of a machine's name and its fault as lines, one for all machines that share a fault."""
    names: dict[str, list[str]] = {}
    for name, fault in faults:
        names.setdefault(fault, []).append(name)
    return [f"{_machines(sharing)}: {fault}" for fault, sharing in names.items()]


def _machines(names: list[str]) -> str:
    if len(names) == 1:
        return f"machine {names[0]}"
    first, rest = names[:_TOLD], len(names) - _TOLD
    return f"machines {', '.join(first)}" + (f" and {rest} more" if rest > 0 else "")
