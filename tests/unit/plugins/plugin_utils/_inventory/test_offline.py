# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines

FALLBACK = {"apt": {"fallback": "offline-install"}}
NO_MIRROR: dict[str, Any] = {"apt": {"mirror-selection": {"primary": []}}}


def faults(small: bool = True, **settings: Any) -> list[str]:
    image = {"release": "24.04.3", "sizes": {"whole_iso": 1}, "small": small}
    try:
        machines.normalise([{"name": "n", "mac": "f4:4d:30:60:64:69", **settings}], {"noble": image})
    except InputError as error:
        return error.faults
    return []


@pytest.mark.parametrize("layer", ["autoinstall_site", "autoinstall_group", "autoinstall"])
@pytest.mark.parametrize(
    ("asked", "word"),
    [(FALLBACK, "fallback: offline-install"), (NO_MIRROR, "mirror-selection: primary: []")],
    ids=["fallback", "mirrors"],
)
def test_what_installs_from_the_iso_does_not_go_with_a_smaller_one(layer: str, asked: Any, word: str) -> None:
    (fault,) = faults(**{layer: asked})
    assert fault == (
        f"machine n: netboot_autoinstall: apt: {word} installs packages from the ISO, and those of image noble are "
        "left out (netboot_images: small). Remove small: true there, name another image in netboot_image, or let the "
        "installer ask a mirror"
    )
    assert faults(small=False, **{layer: asked}) == []
    assert faults(install="never", **{layer: asked}) == []


def test_the_last_layer_counts() -> None:
    assert faults(autoinstall_site=FALLBACK, autoinstall={"apt": {"fallback": "abort"}}) == []
    assert len(faults(autoinstall_site=FALLBACK, autoinstall={"apt": {"geoip": False}})) == 1
    assert faults(autoinstall={"apt": {"mirror-selection": {"primary": ["country-mirror"]}}}) == []


@pytest.mark.parametrize("apt", [None, "x", [], {"mirror-selection": "x"}])
def test_what_is_wrong_there_is_said_elsewhere(apt: Any) -> None:
    assert not any("left out" in fault for fault in faults(autoinstall={"apt": apt}))


def test_the_whole_iso_does_not_count_for_memory() -> None:
    """Before the smaller one is made, nobody knows how small it will be."""
    assert faults(memory="1GB") == []


@pytest.mark.parametrize("small", [True, False])
def test_who_lacks_memory_is_told_of_smaller_isos(small: bool) -> None:
    image = {"release": "24.04.3", "sizes": {"iso": 1 << 30, "initrd": 0}, "small": small}
    machine = {"name": "n", "mac": "f4:4d:30:60:64:69", "memory": "2.9GB"}
    with pytest.raises(InputError) as caught:
        machines.normalise([machine], {"noble": image})
    (fault,) = caught.value.faults
    assert "2.9GB is too little for image noble, which needs 3 GB" in fault
    assert ("small: true" in fault) != small
