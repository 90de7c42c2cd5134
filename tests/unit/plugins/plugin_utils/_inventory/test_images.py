# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import images

DIGEST = "sha256:" + "0" * 64


def test_an_image_gets_all_its_settings() -> None:
    checksum = DIGEST.upper().replace("SHA", "sha")
    image = images.normalise({"focal": {"url": "https://x/f.iso", "checksum": checksum}})["focal"]
    kernels = image.pop("kernels")
    assert image == {
        "source": "url",
        "origin": "https://x/f.iso",
        "checksum": DIGEST,
        "version": "",
        "keep": 1,
        "arch": "amd64",
        "flavour": "",
        "small": False,
        "kernel_args": [],
    }
    assert set(kernels) == {"", "20.04", "22.04", "24.04", "26.04"}
    assert kernels["24.04"] == ["casper/vmlinuz", "casper/initrd"]


@pytest.mark.parametrize(
    ("settings", "kernel", "flavour"),
    [
        ({"hwe": True}, ["casper/hwe-vmlinuz", "casper/hwe-initrd"], "hwe"),
        ({"kernel": "casper/x"}, ["casper/x", "casper/initrd"], "0dda"),
        ({"initrd": "casper/x"}, ["casper/vmlinuz", "casper/x"], "91a6"),
    ],
)
def test_another_kernel_makes_another_version(settings: Any, kernel: list[str], flavour: str) -> None:
    image = images.normalise({"focal": {"path": "/x.iso", **settings}})["focal"]
    assert (image["kernels"][""], image["kernels"]["22.04"], image["flavour"]) == (kernel, kernel, flavour)


@pytest.mark.parametrize("source", ["path", "src"])
def test_a_local_file_needs_no_checksum(source: str) -> None:
    image = images.normalise({"focal": {source: "/x.iso"}})["focal"]
    assert (image["source"], image["origin"], image["checksum"]) == (source, "/x.iso", "")
    image = images.normalise({"focal": {source: "/x.iso"}}, {"focal": "ab"})["focal"]
    assert image["checksum"] == "sha256:ab"


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ({"url": "https://x/f.iso"}, "a download needs a checksum"),
        ({"url": "https://x/f.iso", "checksum": "sha1:abc"}, "must be sha256:DIGEST"),
        ({"path": "/x.iso", "src": "/x.iso"}, "not 2 of them"),
        ({"path": "/x.iso", "release": "noble"}, "give either path or release, not both"),
        ({"url": "https://x/f.iso", "checksum": DIGEST, "mirror": "https://x"}, "give either url or mirror"),
        ({"path": "/x.iso", "checksm": DIGEST}, "unknown setting checksm; did you mean checksum?"),
        ({"path": "/x.iso", "checksum": "sha256:https://x/SHA256SUMS"}, "goes only with url"),
        ({"path": "/x.iso", "checksum": "sha512:" + "0" * 64}, "must be sha256:DIGEST"),
        ({"path": "/x.iso", "keep": 0}, "keep '0' must be a number from 1"),
        ({"path": "/x.iso", "keep": "many"}, "keep 'many' must be a number from 1"),
        ({"path": "/x.iso", "version": 24.04}, "version 24.04 must be a text in quotes"),
        ({"path": "/x.iso", "version": "../x"}, "must be a text in quotes"),
        ({"path": "/x.iso", "arch": "i386"}, "arch 'i386' is not one of amd64, arm64"),
        ({"path": "/x.iso", "hwe": "yes"}, "hwe 'yes' must be true or false"),
        ({"path": "/x.iso", "hwe": True, "kernel": "x"}, "either hwe or kernel and initrd, not both"),
        ("/x.iso", "must be a mapping"),
    ],
)
def test_a_fault_names_the_image_and_the_remedy(image: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        images.normalise({"focal": image, "noble": {"path": "/n.iso"}})
    (fault,) = caught.value.faults
    assert fault.startswith("image focal: netboot_images: ")
    assert told in fault


@pytest.mark.parametrize("name", ["Focal", "a b", "../x", "", ".x"])
def test_a_name_must_fit_into_an_address(name: str) -> None:
    with pytest.raises(InputError, match="becomes part of an address"):
        images.normalise({name: {"path": "/x.iso"}})


FACTS = {
    "release": "22.04.5",
    "arch": "amd64",
    "version": "c3514bf0056a",
    "sizes": {"iso": 2_136_926_208, "vmlinuz": 11_657_608, "initrd": 72_000_000},
}


def test_a_note_says_what_an_image_is_and_needs() -> None:
    assert images.note("jammy", FACTS) == (
        "image jammy: Ubuntu 22.04.5 for amd64, version c3514bf0056a; machines need at least 5.2 GB of memory, "
        "3.6 GB with root=/dev/ram0 in netboot_kernel_args"
    )
    assert images.note("x", {**FACTS, "release": "25.10"}).endswith(
        "25.10 for amd64, a release that this collection does not know, version c3514bf0056a; "
        "machines need at least 5.2 GB of memory"
    )
    assert "known when its ISO is there" in images.note("x", {**FACTS, "release": None, "sizes": {}})


def test_a_note_says_what_a_smaller_iso_saves() -> None:
    sizes: dict[str, int] = {"whole_iso": 2136926208, "iso": 1 << 30, "initrd": 70 << 20}
    assert images.note("jammy", {**FACTS, "sizes": sizes}).endswith(
        "machines need at least 3.2 GB of memory, 2.6 GB with root=/dev/ram0 in netboot_kernel_args, "
        "and 5.2 GB with the whole ISO, which had 2 GB and now has 1 GB"
    )
    del sizes["iso"]
    assert images.note("jammy", {**FACTS, "sizes": sizes}) == (
        "image jammy: the memory that it needs is known when its smaller ISO was made"
    )


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_small_is_true_or_false(value: Any) -> None:
    assert images.normalise({"noble": {"small": True}})["noble"]["small"] is True
    with pytest.raises(InputError, match=r"image noble: netboot_images: small '.*' must be true or false"):
        images.normalise({"noble": {"small": value}})
