# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine gets another server, by the tasks of role machine_states: nothing is installed twice, nothing forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.owners.place import SERVERS, Place, is_alone

#: What the role does, but for systemd's part of it: check.yml, then apply.yml with its list of machines already there.
PLAY = """
- hosts: netboot_servers
  gather_facts: false
  become: true
  vars: {netboot_images: {}}
  tasks:
    - name: Check
      ansible.builtin.import_role: {name: homelab.netboot.machine_states, tasks_from: check}
    - name: Move
      ansible.builtin.import_role: {name: homelab.netboot.machine_states, tasks_from: move}
    - name: Publish
      ansible.builtin.command: {argv: [/usr/local/sbin/netboot, publish]}
"""


class Site:
    """The two servers, and the play that changes owners."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.one, self.two = (place.servers[name].box for name in SERVERS)
        self.play = place.top / "play.yml"
        self.play.write_text(PLAY)

    def move(self, *options: str, **owner: str) -> int:
        """Let the plans of those servers that the run has be these, and run it."""
        limit = options[1].split(",") if options else SERVERS
        before = {
            name: box.state / "plan/machines.json"
            for name, box in zip(SERVERS, (self.one, self.two), strict=True)
        }
        texts = {name: path.read_text() if path.exists() else "{}" for name, path in before.items()}
        self.place.plan(**owner)
        for name, path in before.items():
            if name not in limit:
                path.write_text(texts[name])
        code = self.place.playbook(self.play, *options)
        if code:
            for name, path in before.items():
                path.write_text(texts[name])  # a refused run has not written it
        return code


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With nuc1 at server1, where it is armed, and nuc2 at server2."""
    if not is_alone():
        pytest.exit("there are network cards: run `make owners`", returncode=1)
    with Place(tmp_path) as place:
        one = Site(place)
        assert one.move(nuc1="server1", nuc2="server2") == 0, place.output
        assert (one.one.of("nuc1").state, one.two.of("nuc2").state) == ("armed", "armed")
        yield one


def test_who_is_installed_is_not_installed_again(site: Site) -> None:
    site.one.fetch("nuc1")
    site.one.report("nuc1")
    assert site.move(nuc1="server2", nuc2="server2") == 0, site.place.output
    assert site.two.of("nuc1").state == "installed"
    assert site.two.boots_disk("nuc1")
    assert site.one.of("nuc1").given == "server2"
    assert site.move(nuc1="server1", nuc2="server2") == 0, site.place.output
    assert (site.one.of("nuc1").state, site.one.of("nuc1").given) == ("installed", "")


def test_who_waits_to_be_installed_goes_on_waiting_at_one_server(site: Site) -> None:
    old = site.one.of("nuc1").token
    assert site.move(nuc1="server2", nuc2="server2") == 0, site.place.output
    assert site.two.of("nuc1").state == "armed"
    assert site.two.of("nuc1").token != old
    assert "seed=" in site.two.entry("01-nuc1")
    assert site.place.servers["server1"].entry("nuc1") == ""
    assert site.place.ask(site.two.macs["nuc1"]) == {"server2": "lpxelinux.0"}
    site.one.fetch("nuc1", old)
    site.one.report("nuc1", token=old)
    assert site.two.of("nuc1").state == "armed"


def test_the_new_server_alone_takes_nothing_that_the_old_one_offers(site: Site) -> None:
    assert site.move("-l", "server2", nuc1="server2", nuc2="server2") != 0
    assert "machine nuc1: netboot_server: server1 has it, and would go on answering it" in site.place.output
    assert "leave out -l, or add server1 to it" in site.place.output
    assert not site.two.file("nuc1").exists()
    assert site.one.of("nuc1").state == "armed"


def test_the_old_server_alone_gives_and_the_new_one_may_come_later(site: Site) -> None:
    assert site.move("-l", "server1", nuc1="server2", nuc2="server2") == 0, site.place.output
    assert site.place.servers["server1"].entry("nuc1") == ""
    assert not site.two.file("nuc1").exists()
    assert site.move("-l", "server2", nuc1="server2", nuc2="server2") == 0, site.place.output
    assert site.two.of("nuc1").state == "armed"


def test_an_old_server_that_cannot_be_asked_stops_the_run(site: Site) -> None:
    away = {
        "ansible_connection": "ssh",
        "ansible_host": "192.0.2.250",
        "ansible_ssh_common_args": "-o ConnectTimeout=1",
    }
    site.place.settings["server1"] = away
    assert site.move("-l", "server2", nuc1="server2", nuc2="server2") != 0
    assert (
        "machine nuc1: netboot_server: new to this server, and server1 cannot be asked" in site.place.output
    )
    assert "take it out of netboot_servers" in site.place.output
    assert not site.two.file("nuc1").exists()
    # what is not new to a server needs no other one
    assert site.move("-l", "server2", nuc1="server1", nuc2="server2") == 0, site.place.output


def test_who_is_being_installed_stays_where_it_is(site: Site) -> None:
    site.one.fetch("nuc1")
    assert site.move(nuc1="server2", nuc2="server2") != 0
    assert "machine nuc1: netboot_server: server1 is installing it just now; wait" in site.place.output
    assert site.one.of("nuc1").state == "installing"
    assert site.one.may_begin("nuc1")
    assert not site.two.file("nuc1").exists()


def test_a_machine_that_comes_back_after_its_server_was_lost_is_not_armed(site: Site) -> None:
    assert site.move("-l", "server1", nuc1="server2", nuc2="server2") == 0, site.place.output
    assert site.move(nuc1="server1", nuc2="server2") == 0, site.place.output
    assert site.one.of("nuc1").state == "local"
    assert "what server2 knew of it is lost" in site.one.of("nuc1").reason
