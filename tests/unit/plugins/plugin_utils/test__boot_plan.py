# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils import _boot_plan, _machines

MACHINES = _machines.normalise(
    [
        {"name": "nuc1", "mac": "f4:4d:30:60:64:69"},
        {"name": "spared", "mac": "f4:4d:30:60:64:6a", "install": "never"},
        {"name": "rest", "mac": "any", "install": "always"},
    ],
    {"focal": {}},
)


def test_every_machine_has_its_entries_for_every_loader() -> None:
    plan = _boot_plan.files(MACHINES, "http://192.168.1.50")
    for name, paths in {
        "nuc1": ["tftp/pxelinux.cfg/01-f4-4d-30-60-64-69", "http/grub/machines/f4:4d:30:60:64:69.cfg"],
        "rest": ["tftp/pxelinux.cfg/default", "http/grub/default.cfg"],
    }.items():
        for path in paths:
            assert f"http://192.168.1.50/machines/{name}/@TOKEN@/" in plan[f"boot/{name}/{path}"]
    assert "boot/spared/tftp/pxelinux.cfg/01-f4-4d-30-60-64-6a" in plan


def test_for_every_entry_there_is_something_for_the_time_when_the_machine_is_not_armed() -> None:
    plan = _boot_plan.files(MACHINES, "http://192.168.1.50")
    for path in plan:
        kind, dummy, rest = path.partition("/")
        if kind == "boot":
            served = rest.partition("/")[2]
            folder = served.rpartition("/")[0]
            assert f"static/{served}" in plan or f"local/{folder}" in plan
    for path, text in plan.items():
        assert path.startswith("boot/") or "@TOKEN@" not in text
