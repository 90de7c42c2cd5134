# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._provision.known_hosts import changes, place

NAME = "192.168.1.21"
RSA, ED, OTHER = "ssh-rsa AAAAB3", "ssh-ed25519 AAAAC3", "ssh-ed25519 AAAAC4"


def said(**settings: str) -> str:
    """What ssh -G prints, but for much else."""
    usual = {
        "hostname": NAME,
        "port": "22",
        "hashknownhosts": "no",
        "userknownhostsfile": "/r/known /r/known2",
    }
    return "".join(f"{key} {value}\n" for key, value in {**usual, **settings}.items()) + "canonicaldomains\n"


def test_ssh_says_where_it_looks() -> None:
    assert place(said()) == {"name": NAME, "file": "/r/known", "is_kept": True, "hashes": False}
    assert place(said(port="2222"))["name"] == f"[{NAME}]:2222"
    assert place(said(port="2222", hostkeyalias="nuc1"))["name"] == "nuc1"
    assert place(said(hashknownhosts="yes"))["hashes"]


@pytest.mark.parametrize("file", ["none", "/dev/null"])
def test_whoever_keeps_no_keys_gets_none(file: str) -> None:
    assert not place(said(userknownhostsfile=file))["is_kept"]


def found(*keys: str, name: str = "|1|abc=|def=") -> str:
    """What ssh-keygen -F prints, hashed as with HashKnownHosts."""
    return "".join(f"# Host {NAME} found: line {n}\n{name} {key}\n" for n, key in enumerate(keys, 1))


@pytest.mark.parametrize("is_new", [False, True])
def test_who_is_not_known_is_added(is_new: bool) -> None:
    assert changes("", [RSA, ED], NAME, is_new=is_new) == {"remove": False, "add": [RSA, ED], "fault": ""}


@pytest.mark.parametrize("is_new", [False, True])
def test_who_is_known_stays(is_new: bool) -> None:
    assert changes(found(RSA, ED), [RSA, ED], NAME, is_new=is_new) == {
        "remove": False,
        "add": [],
        "fault": "",
    }
    assert changes(found(f"{ED} a comment"), [RSA, ED], NAME, is_new=is_new)["add"] == [RSA]


def test_another_key_of_an_installed_machine_takes_the_place_of_all_old_ones() -> None:
    assert changes(found(RSA, OTHER), [RSA, ED], NAME, is_new=True) == {
        "remove": True,
        "add": [RSA, ED],
        "fault": "",
    }


def test_another_key_of_any_other_machine_is_a_fault_with_a_remedy() -> None:
    told = changes(found(RSA, OTHER), [RSA, ED], NAME, is_new=False)
    assert (told["remove"], told["add"]) == (False, [])
    assert f"(ssh-ed25519) is not the one that known_hosts has for {NAME}" in told["fault"]
    assert f"ssh-keygen -R '{NAME}'" in told["fault"]


def test_a_type_that_the_machine_did_not_tell_does_not_matter() -> None:
    assert changes(found(RSA, ED), [ED], NAME, is_new=False) == {"remove": False, "add": [], "fault": ""}


def test_lines_with_a_marker_are_no_host_keys() -> None:
    marked = f"# Host {NAME} found: line 1 CA\n@cert-authority * {OTHER}\n@revoked * {OTHER}\n"
    assert changes(marked, [ED], NAME, is_new=False) == {"remove": False, "add": [ED], "fault": ""}


def test_who_told_no_key_must_be_known_already() -> None:
    assert changes("", [], NAME, is_new=True)["fault"] == (
        f"it told the server no SSH host key, and known_hosts has none for {NAME}"
    )
    assert changes(found(ED), [], NAME, is_new=True)["fault"] == ""
