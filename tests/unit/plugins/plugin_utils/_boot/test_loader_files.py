# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import loader_files
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import releases
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._boot.place import NETWORK

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
        [NETWORK],
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
    plan = files({"name": "rest", "mac": "any", "install": "always", "wipe": "always"})
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
    plan = loader_files.files(machines.normalise([machine], {"focal": image}), [NETWORK])
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
        plan = loader_files.files(checked, [NETWORK])
        texts = [text for path, text in plan.items() if path.startswith("boot/")]
        assert all(f"ds={source};s=http://192.168.1.50/machines/nuc1/@TOKEN@/" in text for text in texts)


def test_only_the_entries_of_armed_machines_know_a_token() -> None:
    plan = files({"name": "nuc1", "mac": MAC, "menu": ["rescue"]})
    for path, text in plan.items():
        assert ("@TOKEN@" in text) is path.startswith("boot/")


LAB = {
    **NETWORK,
    "name": "lab",
    "address": "10.0.20.1",
    "network": "10.0.20.0/22",
    "base_url": "http://10.0.20.1:8080",
}
OFFICE = {**NETWORK, "name": "office"}
#: What PXELINUX asks for in 10.0.20.0/22 and in 192.168.1.0/24, before it asks for C(default).
BY_ADDRESS = {"0A0014", "0A0015", "0A0016", "0A0017"}, {"C0A801"}


def of_two(*raw: dict[str, Any]) -> dict[str, str]:
    images = {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}}
    return loader_files.files(machines.normalise(raw, images, [LAB, OFFICE]), [LAB, OFFICE])


def test_a_machine_s_entries_name_the_address_in_its_network() -> None:
    plan = of_two({"name": "nuc1", "mac": MAC, "network_name": "lab"})
    own = [text for path, text in plan.items() if path.startswith("boot/nuc1/")]
    assert len(own) == 3
    assert all("10.0.20.1:8080" in text and "192.168.1.50" not in text for text in own)


def test_what_stands_for_any_has_entries_for_each_network_that_it_may_ask_in() -> None:
    rest = {"name": "rest", "mac": "any", "install": "always", "wipe": "always"}
    plan = {
        path[len("boot/rest/") :]: text for path, text in of_two(rest).items() if path.startswith("boot/")
    }
    files = [
        (BY_ADDRESS[0], "10.0.20.1", "//10.0.20.1:8080/"),
        (BY_ADDRESS[1], "192.168.1.50", "//192.168.1.50/"),
    ]
    expected = {
        path: root
        for digits, address, root in files
        for path in (
            *(f"tftp/pxelinux.cfg/{one}" for one in digits),
            f"http/grub/{address}/default.cfg",
            f"http/ipxe/{address}/default.ipxe",
        )
    }
    assert set(plan) == set(expected)
    for path, root in expected.items():
        others = {other for dummy, dummy2, other in files} - {root}
        assert root in plan[path], path
        assert not any(other in plan[path] for other in others), path
    only = of_two({**rest, "network_name": "office"})
    assert {path for path in only if path.startswith("boot/")} == {
        "boot/rest/tftp/pxelinux.cfg/C0A801",
        "boot/rest/http/grub/192.168.1.50/default.cfg",
        "boot/rest/http/ipxe/192.168.1.50/default.ipxe",
    }


def test_with_several_networks_strangers_find_their_disks_at_each_address() -> None:
    plan = of_two()
    for digits in (*BY_ADDRESS[0], *BY_ADDRESS[1]):
        assert "LOCALBOOT" in plan[f"static/tftp/pxelinux.cfg/{digits}"]
    for address in ("10.0.20.1", "192.168.1.50"):
        assert "chainloader" in plan[f"static/http/grub/{address}/default.cfg"]
    assert "source $prefix/$net_default_server/default.cfg" in plan["static/http/grub/grub.cfg"]
    assert "$net_default_server" not in files()["static/http/grub/grub.cfg"]


def test_machines_behind_a_relay_find_the_files_of_the_network_that_it_asks_in() -> None:
    rest = {"name": "rest", "mac": "any", "install": "always", "wipe": "always", "network_name": "office"}
    networks = [LAB, {**OFFICE, "relayed": ["192.168.30.0/24"]}]
    images = {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}}
    plan = loader_files.files(machines.normalise([rest], images, networks), networks)
    for digits in ("C0A801", "C0A81E"):
        assert "//192.168.1.50/" in plan[f"boot/rest/tftp/pxelinux.cfg/{digits}"]


ROME = {
    **NETWORK,
    "host": "pi-rome",
    "name": "rome",
    "address": "192.168.30.5",
    "network": "192.168.30.0/24",
    "base_url": "http://192.168.30.5",
    "server": "192.168.1.50",
}


def with_cache(*raw: dict[str, Any]) -> dict[str, str]:
    images = {"focal": {"folder": "images/focal/c351", "release": "20.04.6"}}
    own = {**NETWORK, "relayed": [], "cached": [ROME["network"]]}
    return loader_files.files(machines.normalise(raw, images, [own, ROME]), [own, ROME])


def test_a_machine_whose_network_has_a_cache_is_sent_there_for_all_that_goes_by_http() -> None:
    plan = with_cache(
        {"name": "nuc1", "mac": MAC, "network_name": "rome"}, {"name": "nuc2", "mac": MAC[:-1] + "0"}
    )
    there = {path: text for path, text in plan.items() if path.startswith("boot/nuc1/")}
    assert len(there) == 3
    assert all("192.168.30.5" in text and "192.168.1.50" not in text for text in there.values())
    assert all("192.168.30.5" not in text for path, text in plan.items() if path.startswith("boot/nuc2/"))


def test_a_cache_has_nothing_by_tftp() -> None:
    plan = with_cache({"name": "nuc1", "mac": MAC, "network_name": "rome", "quirks": ["tftp-only"]})
    grub = plan[f"boot/nuc1/http/grub/machines/{MAC}.cfg"]
    assert "linux (tftp,192.168.1.50)/images/" in grub
    assert "'url=http://192.168.30.5/images/" in grub


def test_strangers_behind_a_cache_are_told_from_those_before_it() -> None:
    """PXELINUX by its own address, and so GRUB, whose files come from the server in both networks."""
    rest = {"name": "rest", "mac": "any", "install": "always", "wipe": "always"}
    plan = with_cache(rest)
    assert "//192.168.30.5/" in plan["boot/rest/tftp/pxelinux.cfg/C0A81E"]
    assert "//192.168.1.50/" in plan["boot/rest/tftp/pxelinux.cfg/C0A801"]
    assert "(http,192.168.30.5)/" in plan["boot/rest/http/grub/192.168.30.5/default.cfg"]
    lines = plan["static/http/grub/grub.cfg"].splitlines()
    at = lines.index("    source $prefix/192.168.30.5/default.cfg")
    assert lines[at - 1].startswith("  if regexp '^192[.]168[.]30[.][0-9]+$' \"$net_default_ip\"")
    assert at < lines.index("  source $prefix/$net_default_server/default.cfg")
    assert "regexp" not in of_two(rest)["static/http/grub/grub.cfg"]
