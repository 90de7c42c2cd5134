# SPDX-License-Identifier: GPL-3.0-or-later
"""What the seed says of the cache; that apt and curtin do as it says is tried in tests/packages, with the real apt."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import apt_cache, seeds

NUC1 = {
    "name": "nuc1",
    "mac": "f4:4d:30:60:64:69",
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"],
}
URL = "http://192.168.1.50:8080"
NETWORK = {"name": "", "base_url": URL}
OURS = """\
Acquire::http::Proxy "http://192.168.1.50:8080/"; // netboot_apt_cache
Acquire::http::Proxy::192.168.1.50 "DIRECT"; // netboot_apt_cache
Acquire::https::Proxy "DIRECT"; // netboot_apt_cache
"""


def told(*, cached: bool = True, **more: Any) -> Any:
    plan = seeds.files(machines.normalise([{**NUC1, **more}]), [NETWORK], cached=cached)
    return yaml.safe_load(plan["seed/nuc1/user-data"])["autoinstall"]


def doubts(**apt: Any) -> list[str]:
    return seeds.doubts(machines.normalise([{**NUC1, "autoinstall_site": apt}]), cached=True)


def test_only_with_a_cache() -> None:
    assert "apt" not in told(cached=False)
    assert told()["apt"] == {"conf": OURS}


def test_who_may_boot_in_several_networks_asks_where_it_is() -> None:
    networks = [{**NETWORK, "name": "office"}, {"name": "lab", "base_url": "http://10.0.20.1"}]
    plan = seeds.files(
        machines.normalise([{**NUC1, "mac": "any", "install": "always", "wipe": "always"}]),
        networks,
        cached=True,
    )
    apt = yaml.safe_load(plan["seed/nuc1/user-data"])["autoinstall"]["apt"]["conf"]
    assert 'Acquire::http::Proxy "@SERVER@/";' in apt
    assert apt.count('"DIRECT";') == 3
    assert 'Acquire::http::Proxy::10.0.20.1 "DIRECT";' in apt


def test_what_the_user_says_of_apt_stays() -> None:
    apt = told(autoinstall={"apt": {"geoip": False, "conf": 'APT::X "y";'}})["apt"]
    assert apt == {"geoip": False, "conf": 'APT::X "y";\n' + OURS}


def test_it_is_taken_away_behind_the_users_commands_and_before_the_report() -> None:
    mine = {"late-commands": ["echo mine"]}
    assert told(autoinstall=mine)["late-commands"][:2] == ["echo mine", apt_cache.take_away()]
    assert "report.py" in told(autoinstall=mine)["late-commands"][2]
    assert apt_cache.take_away() not in told(autoinstall=mine, keep_apt_cache=True)["late-commands"]
    assert apt_cache.take_away() not in told(cached=False)["late-commands"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"proxy": "http://p:3128"}, "proxy"),
        ({"apt": {"proxy": "http://p:3128"}}, "apt.proxy"),
        ({"apt": {"http_proxy": "http://p:3128"}}, "apt.http_proxy"),
        ({"apt": {"conf": 'Acquire::HTTP::Proxy "http://p:3128";'}}, "apt.conf"),
    ],
)
def test_whoever_names_another_proxy_has_that_one_and_is_told(given: Any, path: str) -> None:
    settings = told(autoinstall_site=given)
    assert "netboot_apt_cache" not in str(settings)
    (doubt,) = doubts(**given)
    assert f"netboot_autoinstall_site: {path}: is yours, so the server's cache" in doubt


def test_mirrors_by_tls_are_told() -> None:
    (doubt,) = doubts(apt={"primary": [{"arches": ["default"], "uri": "https://mirror.example.org/ubuntu"}]})
    assert "netboot_autoinstall_site: apt: mirror.example.org is asked by https" in doubt
    assert doubts(apt={"primary": [{"arches": ["default"], "uri": "http://mirror.example.org/ubuntu"}]}) == []


@pytest.mark.parametrize(
    ("apt", "hosts"),
    [
        ({"primary": [{"uri": "http://Mirror.lan:8080/ubuntu"}]}, ["mirror.lan:8080"]),
        ({"mirror-selection": {"primary": ["country-mirror", {"uri": "http://a.lan/u"}]}}, ["a.lan"]),
        ({"security": [{"uri": "http://s.lan/ubuntu"}]}, ["s.lan"]),
        ({"sources": {"x": {"source": "deb [arch=amd64] http://b.lan/x $RELEASE main"}}}, ["b.lan"]),
        ({"sources": {"x": {"source": "ppa:me/tools", "key": "http://of-a-key.lan"}}}, ["ppa.launchpad.net"]),
        (
            {"sources_list": "deb http://c.lan/u noble main\ndeb http://u:p@d.lan/u noble main"},
            ["c.lan", "d.lan"],
        ),
        ({"primary": [{"uri": "http://de.archive.ubuntu.com/ubuntu"}]}, []),
        ({"primary": [{"uri": "https://e.lan/ubuntu"}], "http_proxy": "http://p:3128"}, []),
        ({"primary": [{"uri": 'http://a"b;}.lan/ubuntu'}]}, []),
        ("nothing of use", []),
    ],
)
def test_mirrors_are_found_wherever_they_are_named(apt: Any, hosts: list[str]) -> None:
    assert apt_cache.hosts([{"apt": apt}]) == hosts


@pytest.mark.parametrize(
    "host", ["evil.archive.ubuntu.com", "archive.ubuntu.com.evil", "archive.ubuntu.com:25"]
)
def test_not_all_that_looks_so_is_ubuntus(host: str) -> None:
    assert not apt_cache.is_ubuntu(host)
