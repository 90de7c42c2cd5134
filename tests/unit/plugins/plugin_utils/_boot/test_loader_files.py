# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import loader_files
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import releases

MAC = "f4:4d:30:60:64:69"
ALWAYS = {
    "local/http/grub/machines",
    "local/http/ipxe/machines",
    "local/tftp/pxelinux.cfg",
    "static/http/grub/default.cfg",
    "static/http/grub/grub.cfg",
    "static/http/ipxe/boot.ipxe",
    "static/http/ipxe/default.ipxe",
    "static/tftp/pxelinux.cfg/default",
}


def files(*raw: dict[str, Any]) -> dict[str, str]:
    return loader_files.files(
        machines.normalise(raw, {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}}),
        "http://192.168.1.50",
    )


def test_everybody_finds_its_disk() -> None:
    plan = files()
    assert set(plan) == ALWAYS
    assert not any("images/" in text for text in plan.values())


def test_a_machine_that_may_be_installed_has_an_entry_for_every_loader() -> None:
    plan = files({"name": "nuc1", "mac": MAC})
    assert set(plan) - ALWAYS == {
        "boot/nuc1/tftp/pxelinux.cfg/01-f4-4d-30-60-64-69",
        f"boot/nuc1/http/grub/machines/{MAC}.cfg",
        "boot/nuc1/http/ipxe/machines/f4-4d-30-60-64-69.ipxe",
    }
    assert all("/images/focal/" in plan[path] for path in set(plan) - ALWAYS)


def test_whatever_boots_takes_the_place_of_the_default() -> None:
    plan = files({"name": "rest", "mac": "any", "install": "always"})
    assert set(plan) - ALWAYS == {
        "boot/rest/tftp/pxelinux.cfg/default",
        "boot/rest/http/grub/default.cfg",
        "boot/rest/http/ipxe/default.ipxe",
    }


def test_a_machine_that_is_never_installed_has_its_files_too_and_so_is_spared_what_others_get() -> None:
    plan = files({"name": "nuc1", "mac": MAC, "install": "never"})
    assert len([path for path in plan if path.startswith("boot/nuc1/")]) == 3


def test_a_kernel_is_told_what_release_image_and_machine_say(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(releases.find("20.04"), kernel_args=("of=release",))
    monkeypatch.setattr(releases, "RELEASES", (row,))
    image = {"folder": "images/focal/c351", "release": "20.04.6", "kernel_args": ["of=image"]}
    machine = {"name": "nuc1", "mac": MAC, "kernel_args": ["of=machine"]}
    plan = loader_files.files(machines.normalise([machine], {"focal": image}), "http://192.168.1.50")
    own = [text for path, text in plan.items() if path.startswith("boot/nuc1/")]
    assert len(own) == 3
    assert all(text.index("of=release") < text.index("of=image") < text.index("of=machine") for text in own)


def test_a_menu_is_there_when_the_machine_is_not_installed_too() -> None:
    plan = files({"name": "nuc1", "mac": MAC, "menu": ["rescue"]})
    text = plan["static/tftp/pxelinux.cfg/01-f4-4d-30-60-64-69"]
    assert "DEFAULT local" in text
    assert "LABEL rescue" in text
    assert "autoinstall" not in text
    assert "DEFAULT install" in plan["boot/nuc1/tftp/pxelinux.cfg/01-f4-4d-30-60-64-69"]


def test_the_release_decides_how_the_data_source_is_called() -> None:
    machine = {"name": "nuc1", "mac": MAC}
    for release, source in {"22.04.5": "nocloud-net", "24.04": "nocloud", None: "nocloud-net"}.items():
        checked = machines.normalise([machine], {"focal": {"release": release}})
        plan = loader_files.files(checked, "http://192.168.1.50")
        texts = [text for path, text in plan.items() if path.startswith("boot/")]
        assert all(f"ds={source};s=http://192.168.1.50/machines/nuc1/@TOKEN@/" in text for text in texts)


def test_only_the_entries_of_armed_machines_know_a_token() -> None:
    plan = files({"name": "nuc1", "mac": MAC, "menu": ["rescue"]})
    for path, text in plan.items():
        assert ("@TOKEN@" in text) is path.startswith("boot/")
