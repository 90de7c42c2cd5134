# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""ISO images that are files of the controller: which are there, and which must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def digests(looked: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return short name → SHA-256 in hex of the files whose checksum was taken.

    :param looked: results of ansible.builtin.stat in a loop over the images as items C(key) and C(value).
    """
    return {
        one["item"]["key"]: one["stat"]["checksum"] for one in looked if "checksum" in one.get("stat", {})
    }


def missing(
    looked: Iterable[Mapping[str, Any]], seen: Mapping[str, Any], is_file: Callable[[str], bool]
) -> list[str]:
    """Return the files that are not there though they are needed.

    The server needs an image's file while it does not have the image; and to tell whether it has it, unless a checksum
    or a version says what is wanted.

    :param looked: as for L(digests); the items' values are images as C(images.normalise) returns them.
    :param seen: short name → what module P(homelab.netboot.boot_images#module) says of it, at least C(present).
    :param is_file: whether there is such a file on the controller.
    """
    faults = []
    for one in looked:
        name, image = one["item"]["key"], one["item"]["value"]
        known = (image["checksum"] or image["version"]) and seen.get(name, {}).get("present")
        if not known and not is_file(image["origin"]):
            faults.append(image["origin"])
    return faults
