# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines, power

REDFISH = {"type": "redfish", "address": "192.168.1.60", "user": "admin", "password": "SECRET"}
IPMI = {**REDFISH, "type": "ipmi"}


@pytest.mark.parametrize(
    "right",
    [
        {},
        REDFISH,
        {
            **REDFISH,
            "address": "fe80::1",
            "port": 8443,
            "resource_id": "1",
            "timeout": 10,
            "validate_certs": False,
        },
        {
            **REDFISH,
            "address": "bmc1.lan",
            "bootdevice": "UefiHttp",
            "boot_override_mode": "UEFI",
            "ca_path": "~/ca",
        },
        {**IPMI, "key": "00ff", "uefiboot": True, "port": 6230},
    ],
)
def test_what_is_right(right: dict[str, Any]) -> None:
    assert power.faults(right, "f4:4d:30:60:64:69") == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("redfish", f"must be a mapping such as {power.EXAMPLE}"),
        ({"address": "x"}, "type: must be one of redfish, ipmi"),
        ({**REDFISH, "type": ["ipmi"]}, "type: must be one of redfish, ipmi"),
        ({**REDFISH, "adress": "x"}, "adress: no such key; did you mean address?"),
        ({**IPMI, "resource_id": "1"}, "resource_id: no such key; known are "),
        ({**REDFISH, "password": ""}, "password: is missing; write the BMC's own"),
        ({**REDFISH, "password": 12345}, "password: must be text, so put it in quotes"),
        ({**REDFISH, "port": "443"}, "port: must be a number"),
        ({**REDFISH, "port": 70000}, "port: must be a number"),
        ({**REDFISH, "validate_certs": "no"}, "validate_certs: must be true or false"),
        *(
            ({**REDFISH, "address": address}, "address: must be the BMC's address or host name alone")
            for address in ("https://192.168.1.60", "192.168.1.60:443", "192.168.1.600", "bmc 1")
        ),
        ({**REDFISH, "bootdevice": "pxe"}, "bootdevice: must be one of Pxe, UefiHttp"),
        ({**IPMI, "key": "xyz"}, "key: must be hexadecimal digits, two for each byte"),
    ],
)
def test_what_is_wrong_is_told_without_a_secret(wrong: Any, told: str) -> None:
    (fault,) = power.faults(wrong, "f4:4d:30:60:64:69")
    assert fault.startswith(told)
    assert "SECRET" not in fault
    assert "12345" not in fault


def test_whatever_boots_has_no_bmc() -> None:
    assert power.faults(REDFISH, "any") == [
        "one BMC for whatever boots; name each machine with its netboot_mac, or leave this out"
    ]


def of_two(one: Any, other: Any) -> list[str]:
    raw = [
        {"name": f"nuc{n}", "mac": f"f4:4d:30:60:64:0{n}", "power": given}
        for n, given in enumerate((one, other), 1)
    ]
    try:
        machines.normalise(raw)
    except InputError as error:
        return error.faults
    return []


@pytest.mark.parametrize(
    "other",
    [
        REDFISH,
        {**REDFISH, "port": 443},
        {**REDFISH, "resource_id": "2"},
        IPMI,
    ],
)
def test_one_bmc_cannot_switch_two_machines(other: dict[str, Any]) -> None:
    told = "machines nuc1 and nuc2: netboot_power: both have the BMC 192.168.1.60; each needs its own, or a resource_id"
    for pair in ((REDFISH, other), (other, REDFISH)):
        (fault,) = of_two(*pair)
        assert fault.startswith(told)


def test_a_chassis_can_and_so_can_two_ports() -> None:
    blade = {**REDFISH, "resource_id": "1"}
    assert of_two(blade, {**blade, "resource_id": "2"}) == []
    assert of_two(blade, blade) != []
    assert of_two(IPMI, {**IPMI, "port": 6230}) == []


def test_the_password_goes_no_further() -> None:
    raw = {"name": "nuc1", "mac": "f4:4d:30:60:64:69", "power": REDFISH}
    assert "SECRET" not in str(machines.normalise([raw]))
    with pytest.raises(InputError) as caught:
        machines.normalise([{**raw, "power": {**REDFISH, "typ": "x"}}])
    assert caught.value.faults == ["machine nuc1: netboot_power: typ: no such key; did you mean type?"]
