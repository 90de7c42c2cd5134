# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.sources import digests, missing


def looked(checksum: str = "", version: str = "", **stat: Any) -> list[dict[str, Any]]:
    image = {"origin": "/iso/noble.iso", "checksum": checksum, "version": version}
    return [{"item": {"key": "noble", "value": image}, "stat": stat}]


def test_digests_are_those_that_were_taken() -> None:
    assert digests([*looked(checksum="sha256:x"), *looked(exists=False)]) == {}
    found = looked()
    found[0]["stat"]["checksum"] = "abc"
    assert digests(found) == {"noble": "abc"}


@pytest.mark.parametrize(
    ("exists", "present", "checksum", "version", "faulty"),
    [
        (True, False, "", "", False),
        (False, False, "sha256:x", "", True),
        (False, True, "sha256:x", "", False),
        (False, True, "", "24.04", False),
        (False, True, "", "", True),
        (False, False, "", "24.04", True),
    ],
)
def test_a_file_is_needed_until_the_server_has_what_is_meant(
    exists: bool, present: bool, checksum: str, version: str, faulty: bool
) -> None:
    found = missing(looked(checksum, version), {"noble": {"present": present}}, lambda path: exists)
    assert found == (["/iso/noble.iso"] if faulty else [])


def test_an_image_of_which_the_server_says_nothing_is_needed() -> None:
    assert missing(looked("sha256:x"), {}, lambda path: False) == ["/iso/noble.iso"]
