# SPDX-License-Identifier: GPL-3.0-or-later
"""Which UEFI loader a machine asks for, from the inventory to what tasks hand on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines


def machine(**more: Any) -> dict[str, Any]:
    given = {"name": "nuc1", "mac": "f4:4d:30:60:64:69", "ssh_keys": [], **more}
    (found,) = machines.normalise([given], {"noble": {}})
    return found


@pytest.mark.parametrize("given", ["2023", 2023])
def test_an_authority_may_be_text_or_a_number(given: object) -> None:
    found = machine(secure_boot_ca=given)
    assert found["secure_boot_ca"] == "2023"
    assert found["loader"] == {"machine": "nuc1", "image": "noble", "wants": "2023"}
    assert machines.normalise([found], {"noble": {}}) == [found]


def test_most_machines_ask_for_nothing() -> None:
    assert machine()["loader"] == {}
    assert machine(quirks=["ipxe"])["loader"] == {"machine": "nuc1", "image": "noble", "wants": "ipxe"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"secure_boot_ca": "2020"},
            "machine nuc1: netboot_secure_boot_ca: '2020' is not one of auto, 2011, 2023",
        ),
        (
            {"secure_boot_ca": None},
            "machine nuc1: netboot_secure_boot_ca: 'None' is not one of auto, 2011, 2023",
        ),
        (
            {"secure_boot_ca": 2011, "quirks": ["ipxe"]},
            "machine nuc1: netboot_secure_boot_ca: '2011' does not go with ipxe in netboot_quirks",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as error:
        machine(**given)
    assert told in str(error.value)
    assert str(error.value).count("secure_boot_ca") == 1
