# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import images

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n…"


@pytest.mark.parametrize(
    ("name", "image", "release", "codename"),
    [
        ("noble", {}, "24.04", "noble"),
        ("noble", None, "24.04", "noble"),
        ("24.04", {}, "24.04", "noble"),
        ("24.04.3", {}, "24.04.3", "noble"),
        ("server", {"release": "jammy"}, "22.04", "jammy"),
        ("server", {"release": "Jammy"}, "22.04", "jammy"),
        ("server", {"release": 20.04}, "20.04", "focal"),
        ("noble", {"release": "22.04.5"}, "22.04.5", "jammy"),
    ],
)
def test_a_release_is_known_by_codename_or_number(name: str, image: Any, release: str, codename: str) -> None:
    found = images.normalise({name: image})[name]
    assert (found["source"], found["origin"], found["checksum"]) == ("name", "", "")
    assert (found["release"], found["codename"]) == (release, codename)
    assert (found["mirrors"], found["signed_by"]) == ([], "")
    assert found["kernels"]["24.04"] == ["casper/vmlinuz", "casper/initrd"]


def test_an_image_by_name_has_the_settings_of_others() -> None:
    image = {
        "release": "noble",
        "arch": "arm64",
        "hwe": True,
        "keep": 3,
        "mirror": "https://x/y",
        "signed_by": "/k",
    }
    found = images.normalise({"server": image})["server"]
    assert (found["arch"], found["flavour"], found["keep"]) == ("arm64", "hwe", 3)
    assert (found["mirrors"], found["signed_by"]) == (["https://x/y"], "/k")
    several = images.normalise({"noble": {"mirror": ["https://x", "file:///y"], "signed_by": KEY}})["noble"]
    assert (several["mirrors"], several["signed_by"]) == (["https://x", "file:///y"], KEY)


def test_only_an_image_by_name_carries_what_belongs_to_it() -> None:
    assert "release" not in images.normalise({"noble": {"path": "/x.iso"}})["noble"]


@pytest.mark.parametrize(
    ("name", "image", "told"),
    [
        (
            "nobel",
            {},
            "'nobel' is no Ubuntu release that is known here; did you mean noble? Name the image so",
        ),
        ("server", {}, "'server' is no Ubuntu release that is known here; known are 20.04, 22.04"),
        ("noble", {"release": "23.10"}, "'23.10' is no Ubuntu release"),
        ("noble", {"release": "24.04.0"}, "'24.04.0' is no Ubuntu release"),
        ("noble", {"release": "24.04.3.1"}, "'24.04.3.1' is no Ubuntu release"),
        ("noble", {"checksum": "sha256:" + "0" * 64}, "checksum goes with url, path or src"),
        ("noble", {"mirror": "/srv/isos"}, "mirror '/srv/isos' must be an address"),
        ("noble", {"mirror": ["https://x", "ftp://x"]}, "mirror 'ftp://x' must be an address"),
        ("noble", {"signed_by": "843938DF"}, "signed_by must be a public key"),
        ("noble", {"mirorr": "https://x"}, "unknown setting mirorr; did you mean mirror?"),
        ("noble", {"arch": "riscv64"}, "arch 'riscv64' is not one of"),
    ],
)
def test_a_fault_names_the_image_and_the_remedy(name: str, image: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        images.normalise({name: image, "other": {"path": "/n.iso"}})
    (fault,) = caught.value.faults
    assert fault.startswith(f"image {name}: netboot_images: ")
    assert told in fault
