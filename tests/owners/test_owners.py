# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom two servers answer in one network, and to which of them the playbooks go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.owners.place import SERVERS, Place, is_alone

NUC1, NUC2, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:99"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """With one machine for each server."""
    if not is_alone():
        pytest.exit("there are network cards: run `make owners`", returncode=1)
    with Place(tmp_path) as one:
        one.plan(nuc1="server1", nuc2="server2")
        for server in one.servers.values():
            server.box.do("publish")
        yield one


def test_each_machine_is_offered_by_its_own_server_only(place: Place) -> None:
    assert place.ask(NUC1) == {"server1": "lpxelinux.0"}
    assert place.ask(NUC2) == {"server2": "lpxelinux.0"}
    assert "seed=" in place.servers["server1"].entry("nuc1")
    assert place.servers["server2"].entry("nuc1") == ""
    assert place.ask(STRANGER) == {}


def test_a_stranger_is_answered_by_the_server_that_is_told_to(place: Place) -> None:
    place.settings["server2"]["netboot_strangers"] = True
    place.plan(nuc1="server1", nuc2="server2")
    assert place.ask(STRANGER) == {"server2": "lpxelinux.0"}
    assert place.ask(NUC1) == {"server1": "lpxelinux.0"}
    assert place.ask(NUC2) == {"server2": "lpxelinux.0"}


def test_who_gives_the_addresses_gives_them_to_all_and_tells_its_own_what_to_boot(place: Place) -> None:
    place.servers["server1"].dhcp = {
        "first": "192.0.2.100",
        "last": "192.0.2.149",
        "router": "",
        "dns": [],
        "lease": "12h",
    }
    place.plan(nuc1="server1", nuc2="server2")
    assert place.ask(NUC1) == {"server1": "lpxelinux.0"}
    assert place.ask(NUC2) == {"server1": "", "server2": "lpxelinux.0"}
    assert place.ask(STRANGER) == {"server1": ""}
    for mac in (NUC1, NUC2, STRANGER):
        given = place.offers(mac)["server1"]
        assert given["address"].startswith("192.0.2.1")
        # firmware that takes its word for a boot server's would not look at the offer of the other one
        assert (given["class"], given["menu"]) == ("", "")
    assert place.doctor("server1", "server1") == ""
    assert place.doctor("server1", "server2") == ""


def test_each_server_hears_itself_and_not_the_other(place: Place) -> None:
    place.settings["server2"]["netboot_strangers"] = True
    place.plan(nuc1="server1", nuc2="server2")
    for server in SERVERS:
        assert place.doctor(server, server) == ""
    for server, meant in (("server1", "server2"), ("server2", "server1")):
        assert place.doctor(server, meant) == "", "asked from another host, it answers, too"
    place.servers["server2"].stop()
    assert "answers came from nobody" in place.doctor("server1", "server2")


def test_playbooks_go_to_the_server_of_each_machine(place: Place) -> None:
    one, two = (place.servers[name].box for name in SERVERS)
    assert place.playbook("disarm") == 0, place.output
    assert (one.of("nuc1").state, two.of("nuc2").state) == ("local", "local")
    assert place.playbook("arm", "-l", "nuc2", "-e", "confirm=yes") == 0, place.output
    assert (one.of("nuc1").state, two.of("nuc2").state) == ("local", "armed")
    assert not one.file("nuc2").exists()
    assert place.playbook("status", "-e", "json=true") == 0, place.output
    assert '"machine": "nuc1"' in place.output
    assert '"machine": "nuc2"' in place.output
    assert place.playbook("why", "-l", "nuc1") == 0, place.output
    assert "nuc1" in place.output
    assert place.playbook("watch", "-l", "nuc2", "-e", "patience=1", "-e", "pause=1") != 0
    assert "not over after 1 seconds" in place.output
    assert place.playbook("provision", "-e", "confirm=yes") != 0
    assert "these machines have 2 (server1, server2). Run it once for each" in place.output
    # nobody switches it on, but it is its own server that is asked
    assert place.playbook("provision", "-l", "nuc1", "-e", "confirm=yes", "--check") == 0, place.output
    assert "[nuc1 -> server1]" in place.output
    assert "-> server2]" not in place.output


MISSING = "machine nuc1: netboot_server: is missing, and there are several servers"
UNKNOWN = "machine nuc1: netboot_server: 'nobody' is no host of netboot_servers; known are server1, server2"


@pytest.mark.parametrize(
    ("name", "server", "told"),
    [(name, "", MISSING) for name in ("arm", "disarm", "status", "watch", "start", "site")]
    + [(name, "nobody", UNKNOWN) for name in ("arm", "site")],
)
def test_a_machine_without_a_server_is_refused(place: Place, name: str, server: str, told: str) -> None:
    place.machines["nuc1"]["netboot_server"] = server
    assert place.playbook(name, "-e", "confirm=yes") != 0
    assert told in place.output, place.output
    assert "changed=1" not in place.output
