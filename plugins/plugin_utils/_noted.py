# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Questions to the server that it need not be asked again: their answers are noted there, and still hold."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What answers on the server.
_CODE = ("module_utils", "modules")


def find(noted: Mapping[str, Any], folder: str, name: str, question: Any) -> dict[str, Any]:
    """Return what is noted of a question.

    >>> found = find({}, "/var/lib/netboot/answers", "images", {"images": {}})
    >>> found["answer"], found["note"]["path"]
    (None, '/var/lib/netboot/answers/images.json')

    :param noted: name → C(key) and C(answer), of those notes on the server that hold.
    :param folder: where notes are, on the server.
    :param name: of the note; each has one question at a time.
    :param question: plain data.
    :returns: C(answer), V(None) when the question must be asked, and C(note): where the module is to note its answer,
        with the key of the question.
    """
    text = json.dumps([code(), question], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()
    known = noted.get(name, {})
    answer = known["answer"] if known.get("key") == key else None
    return {"answer": answer, "note": {"path": f"{folder}/{name}.json", "key": key}}


@functools.cache
def code() -> str:
    """Return the SHA-256 of the code that answers: another version of it may judge otherwise."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in files())).hexdigest()


def files() -> list[Path]:
    """Return that code's files, in an order that is the same everywhere."""
    plugins = Path(__file__).parents[1]
    return sorted(path for folder in _CODE for path in (plugins / folder).rglob("*.py"))
