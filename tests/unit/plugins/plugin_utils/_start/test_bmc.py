# SPDX-License-Identifier: GPL-3.0-or-later
"""What emulated BMCs are asked and answer is in tests/power; here is what those never say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._start import bmc

REDFISH = {"type": "redfish", "address": "192.168.1.60", "user": "admin", "password": "SECRET"}
IPMI = {**REDFISH, "type": "ipmi"}


def answer(state: str | None, *targets: str) -> dict[str, Any]:
    place = {"system_uri": "/redfish/v1/Systems/1"}
    boot = [[place, {"BootSourceOverrideTarget@Redfish.AllowableValues": [*targets]}]] if targets else []
    system = [[place, {"Id": "1", "PowerState": state}]]
    return {
        "redfish_facts": {
            "system": {"entries": system},
            "boot_override": {"ret": bool(boot), "entries": boot},
        }
    }


@pytest.mark.parametrize(
    ("state", "runs"),
    [("On", True), ("Off", False), ("PoweringOn", True), ("PoweringOff", False), (None, True)],
)
def test_what_runs_is_restarted_and_what_does_not_is_switched_on(state: str | None, *, runs: bool) -> None:
    assert bmc.is_on(REDFISH, answer(state, "Pxe")) is runs
    switch = "PowerForceRestart" if runs else "PowerOn"
    assert bmc.calls(REDFISH, runs=runs)[1].options["command"] == [switch]


def test_what_cannot_boot_from_the_network_is_said_before_anything_is_done() -> None:
    assert bmc.is_on({**REDFISH, "bootdevice": "UefiHttp"}, answer("Off", "Pxe", "UefiHttp")) is False
    assert bmc.is_on(REDFISH, answer("Off")) is False  # it does not say what it can
    with pytest.raises(bmc.BmcError, match="boot from UefiHttp, only from Pxe, Hdd; see bootdevice"):
        bmc.is_on({**REDFISH, "bootdevice": "UefiHttp"}, answer("Off", "Pxe", "Hdd"))


def test_certificates_are_looked_at_unless_somebody_says_otherwise() -> None:
    asked = bmc.question(REDFISH).options
    assert asked == {
        "baseuri": "192.168.1.60",
        "username": "admin",
        "password": "SECRET",
        "validate_certs": True,
        "category": ["Systems"],
        "command": ["GetSystemInventory", "GetBootOverride"],
    }
    more = {"validate_certs": False, "timeout": 5, "port": 8443, "address": "fe80::1", "resource_id": "1"}
    for call in (bmc.question({**REDFISH, **more}), *bmc.calls({**REDFISH, **more}, runs=True)):
        assert call.options["baseuri"] == "[fe80::1]:8443"
        assert call.options["validate_certs"] is False
        assert call.options["timeout"] == 5
        assert call.options.get("resource_id", "1") == "1"


def test_ipmi_is_told_its_own_way() -> None:
    given = {**IPMI, "port": 6230, "key": "00ff", "uefiboot": True}
    place = {"name": "192.168.1.60", "user": "admin", "password": "SECRET", "port": 6230, "key": "00ff"}
    assert [dict(call.options) for call in (bmc.question(given), *bmc.calls(given, runs=True))] == [
        {**place, "state": "on"},
        {**place, "bootdev": "network", "uefiboot": True},
        {**place, "state": "reset"},
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "HTTP Error 403 on POST request to 'https://x', extended message: '[{'a': 'b'}]'",
            "HTTP Error 403 on POST request to 'https://x'; see user and password, and what that user may do",
        ),
        (
            "Unsupported parameters for (community.general.redfish_info) module: validate_certs. Supported parameters",
            "Unsupported parameters for (community.general.redfish_info) module: validate_certs; "
            f"community.general is too old: {bmc.INSTALL}",
        ),
        ("Unauthorized name in RAKP2", "Unauthorized name in RAKP2; see user and password"),
        (
            "HTTP Error 404 on GET request to 'https://x'",
            "HTTP Error 404 on GET request to 'https://x'; what answers",
        ),
        ("Boot property not found", "Boot property not found; its own pages and its log may say more"),
        (
            "URL Error on GET request to 'https://x': 'timed out'",
            "URL Error on GET request to 'https://x': 'timed out'; nothing answers there: see address and port",
        ),
    ],
)
def test_what_a_module_says_is_told_with_a_remedy(said: str, told: str) -> None:
    with pytest.raises(bmc.BmcError) as caught:
        bmc.is_on(REDFISH, {"failed": True, "msg": said})
    assert str(caught.value).startswith(told)


def test_no_password_is_in_what_python_says_of_a_call() -> None:
    assert "SECRET" not in repr([bmc.question(REDFISH), *bmc.calls(IPMI, runs=True)])
