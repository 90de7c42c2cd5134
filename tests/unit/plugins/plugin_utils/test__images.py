# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils import _images
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError

DIGEST = "sha256:" + "0" * 64


def test_an_image_gets_all_its_settings() -> None:
    assert _images.normalise({"focal": {"url": "https://x/f.iso", "checksum": DIGEST}}) == {
        "focal": {
            "source": "url",
            "from": "https://x/f.iso",
            "checksum": DIGEST,
            "kernel": "casper/vmlinuz",
            "initrd": "casper/initrd",
        }
    }


@pytest.mark.parametrize("source", ["path", "src"])
def test_a_local_file_needs_no_checksum(source: str) -> None:
    image = _images.normalise({"focal": {source: "/x.iso"}})["focal"]
    assert (image["source"], image["from"], image["checksum"]) == (source, "/x.iso", "")


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ({"url": "https://x/f.iso"}, "a download needs a checksum"),
        ({"url": "https://x/f.iso", "checksum": "sha1:abc"}, "must be sha256:DIGEST"),
        ({"path": "/x.iso", "src": "/x.iso"}, "not 2 of them"),
        ({}, "not 0 of them"),
        ({"path": "/x.iso", "checksm": DIGEST}, "unknown setting checksm; did you mean checksum?"),
        ({"path": "/x.iso", "checksum": "sha256:https://x/SHA256SUMS"}, "goes only with url"),
        ("/x.iso", "must be a mapping"),
    ],
)
def test_a_fault_names_the_image_and_the_remedy(image: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        _images.normalise({"focal": image, "noble": {"path": "/n.iso"}})
    (fault,) = caught.value.faults
    assert fault.startswith("image focal: netboot_images: ")
    assert told in fault


@pytest.mark.parametrize("name", ["Focal", "a b", "../x", "", ".x"])
def test_a_name_must_fit_into_an_address(name: str) -> None:
    with pytest.raises(InputError, match="becomes part of an address"):
        _images.normalise({name: {"path": "/x.iso"}})
