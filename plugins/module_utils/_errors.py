# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What modules tell their users when something cannot be done."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right: the text names it, says why and what to do.

    What is not printable, as it may be in names that were read, stands there as an escape.
    """

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


def printable(text: str) -> str:
    """The text with an escape for each control character, and for each byte that was no UTF-8."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # how Python keeps a byte that was no UTF-8 (PEP 383)
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
