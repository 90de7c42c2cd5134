# SPDX-License-Identifier: GPL-3.0-or-later
"""From switched off to configured by one's own playbook, in one command; in the order of the tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.provision import ADDRESS, Home, Machines

OTHER_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"


def provision(home: Home, *words: str, machines: Machines | None = None, **variables: Any) -> tuple[int, str]:
    """Run it with extra variables, where they have a "=", and limits; its exit status, and what it said."""
    options = [part for word in words for part in (["-e", word] if "=" in word else ["-l", word])]
    done = home.run("homelab.netboot.provision", *options, machines=machines, **variables)
    assert not (machines and machines.errors), machines.errors
    return done.returncode, done.stdout


def test_what_cannot_be_is_said_before_anybody_is_armed(home: Home, tmp_path: Path) -> None:
    before = home.token("nuc1")
    missing = tmp_path / "none.yml"
    cases: list[tuple[str, list[str], dict[str, Any]]] = [
        (f"Could not find or access '{missing}'", [f"then={missing}"], {}),
        ("the role 'no.such.role' was not found", ["then=no.such.role"], {}),
        ("nuc1, nuc2: with netboot_mac: any, which stands for many", [], {"netboot_mac": "any"}),
        ("nuc1, nuc2: with netboot_mac: any", [], {"netboot_install": "always", "netboot_wipe": "always"}),
    ]
    for told, words, variables in cases:
        status, said = provision(home, "confirm=yes", *words, **variables)
        assert status != 0
        assert told in said
    assert home.token("nuc1") == before


def test_two_machines_one_of_which_fails(home: Home, then: Path) -> None:
    machines = Machines(home, "nuc1", "nuc2")
    status, said = provision(home, f"then={then}", "confirm=yes", "patience=180", machines=machines)
    assert status == 2, said[-6000:]
    assert "nuc2 is not up: failed" in said
    for step in ("netboot: installing: ", "netboot: installed ", f"netboot: up at {ADDRESS}"):
        assert step in said, step
    assert home.system.host.file("/root/hello").content_string == "hello nuc1\n"
    assert home.state("nuc1") == "up"
    lines = home.known.read_text().splitlines()
    assert lines
    assert all(line.startswith("|1|") for line in lines)  # hashed, as ssh would here
    assert re.search(rf"- nuc1 [-.\w ]*min +{ADDRESS} up", said)
    assert re.search(r"- nuc2 [- ]* failed", said)


def test_once_more_nothing_changes_and_the_playbook_runs_again(home: Home, then: Path) -> None:
    home.system.host.run_expect([0], "rm /root/hello")
    known, token = home.known.read_text(), home.token("nuc1")
    status, said = provision(home, "nuc1", f"then={then}")
    assert status == 0, said[-6000:]
    assert re.search(r"nuc1 : ok=\d+ changed=1 ", said), "but for the user's own task"
    assert home.system.host.file("/root/hello").content_string == "hello nuc1\n"
    assert (home.known.read_text(), home.token("nuc1"), home.state("nuc1")) == (known, token, "up")


def test_a_key_that_changed_without_an_installation_is_an_error(home: Home, then: Path) -> None:
    known, other = home.known.read_text(), f"{ADDRESS} ssh-ed25519 {OTHER_KEY}\n"
    home.known.write_text(other)
    status, said = provision(home, "nuc1", f"then={then}")
    assert status == 2
    assert f"its SSH host key (ssh-ed25519) is not the one that known_hosts has for {ADDRESS}" in said
    assert home.known.read_text() == other
    home.known.write_text(known)


def test_installed_again_it_has_other_keys(home: Home, then: Path) -> None:
    known = home.known.read_text()
    renew = "rm /etc/ssh/ssh_host_* && ssh-keygen -A && systemctl restart ssh"
    home.system.host.run_expect([0], renew)
    words = ("nuc1", "reinstall=yes", "confirm=yes", "patience=120", f"then={then}")
    status, said = provision(home, *words, machines=Machines(home, "nuc1"))
    assert status == 0, said[-6000:]
    # it was found where it told that it is, and is no machine with UEFI
    assert "nuc1 runs, but its firmware lists no entry for the network" in said
    assert len(home.known.read_text().splitlines()) == len(known.splitlines())
    assert not set(home.known.read_text().splitlines()) & set(known.splitlines())


def test_who_never_asks_is_told_when_the_time_is_over(home: Home) -> None:
    status, said = provision(home, "nuc2", "confirm=yes", "patience=4")
    assert status == 2
    assert "nuc2 is not up: armed, has not asked for the network after 4 seconds (patience)" in said
    assert "has not asked for the network yet." in said
