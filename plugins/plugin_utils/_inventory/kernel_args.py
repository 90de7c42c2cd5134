# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Kernel arguments that a person adds, for an image or a machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# PXELINUX ends a kernel line at the line's end, and a word of it at white space.
_WORD = re.compile(r"[!-~]+")
# iPXE's scripts know no quotes: a comment, what joins two commands, and the value of a setting (ipxe.org/scripting).
_IPXE = re.compile(r"#.*|\|\||&&|.*\$\{.*")
# Linux keeps 2,048 bytes of its command line on x86 and arm64 (COMMAND_LINE_SIZE); ours needs some 400 of them.
_LONGEST = 1500


def faults(words: Any) -> Iterator[str]:
    """Yield what is wrong with a list of kernel arguments, each with its remedy."""
    if not isinstance(words, list):
        yield "must be a list of words such as [console=ttyS0]"
        return
    for word in words:
        if not isinstance(word, str):
            yield f"{word!r} is not a text; write it in quotes"
        elif not _WORD.fullmatch(word):
            yield f"'{word}' is not one word; give each argument as an item of its own"
        elif _IPXE.fullmatch(word):
            yield f"'{word}' means something else to iPXE, which would not pass it on; leave it out"
    if sum(len(str(word)) + 1 for word in words) > _LONGEST:
        yield f"more than {_LONGEST} characters, which do not fit on the kernel's command line; leave some out"
