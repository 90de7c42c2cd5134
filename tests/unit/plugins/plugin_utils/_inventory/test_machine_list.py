# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machine_list, machines


def test_it_holds_what_is_needed_and_no_secret() -> None:
    checked = machines.normalise(
        [
            {
                "name": "nuc1",
                "mac": "F4-4D-30-60-64-69",
                "password_hash": "!",
            },
            {"name": "b", "mac": "525400000001"},
        ],
        {"focal": {}},
    )
    assert json.loads(machine_list.text(checked)) == {
        "nuc1": {
            "mac": "f4:4d:30:60:64:69",
            "image": "focal",
            "install": "once",
            "wipe": "blank",
            "host_key": "",
        },
        "b": {
            "mac": "52:54:00:00:00:01",
            "image": "focal",
            "install": "once",
            "wipe": "blank",
            "host_key": "",
        },
    }


def test_no_machines_are_a_plan_too() -> None:
    assert json.loads(machine_list.text([])) == {}
