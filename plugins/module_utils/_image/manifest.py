# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is known of a version, in JSON that anybody may read: where it is from, what vouched for it, what its files are.

Web and TFTP servers hand it out, so no address in it has what only its user may know.
"""

from __future__ import annotations

import json
import time
from typing import Any, Mapping

from ansible_collections.homelab.netboot.plugins.module_utils._image import fetch

NAME = "manifest.json"
FORMAT = 1
#: What the fields of store.Version are called there.
_KEYS = {"name": "version", "digest": "sha256", "compared": "checksum", "signed": "signed_by"}
_SAME = ("release", "codename", "arch", "flavour", "source", "fetched", "verified", "files", "used")
#: What was asked for when it was found last, so that the next run knows the same request again.
_ASKED = {"origin": "source", "checksum": "checksum", "origin_stamp": "stamp"}


def public(address: str) -> str:
    """Write an address, or a checksum that may be one, without user, password and what stands behind C(?).

    >>> public("sha256:https://me:p@ss@example.org/SHA256SUMS?token=1")
    'sha256:https://example.org/SHA256SUMS'
    >>> public("/srv/iso/what?.iso")
    '/srv/iso/what?.iso'
    """
    return fetch.shown(address).partition("?")[0].partition("#")[0] if "://" in address else address


def text(image: str, fields: Mapping[str, Any]) -> str:
    """Write the manifest of a version; `fields` are those of store.Version."""
    told = {
        "format": FORMAT,
        "image": image,
        **{name: fields[field] for field, name in _KEYS.items()},
        **{field: fields[field] for field in _SAME},
        "reduced_from": fields["reduced_from"],
        "asked": {name: fields[field] for field, name in _ASKED.items()},
    }
    for place in (told, told["asked"]):
        place.update({key: public(place[key]) for key in ("source", "checksum")})
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def fields(written: str) -> dict[str, Any]:
    """Read a manifest; raises ValueError, TypeError, LookupError, AttributeError or RecursionError when it is none."""
    told = json.loads(written)
    if told["format"] != FORMAT:
        raise ValueError(f"a format that is not known: {told['format']}")
    whole = told["reduced_from"]
    return {
        **{field: told[name] for field, name in _KEYS.items()},
        **{field: told[field] for field in _SAME},
        **{field: told["asked"][name] for field, name in _ASKED.items()},
        "reduced_from": {key: whole[key] for key in ("size", "sha256")} if whole else {},
    }


def now() -> str:
    """The time as ISO 8601 has it, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
