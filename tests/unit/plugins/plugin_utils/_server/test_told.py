# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers tell of their machines is taken as it is, or refused with where, what and the remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._server import told

WHERE = "http://192.168.1.50/status/machines.json"
NUC1: dict[str, Any] = {
    "mac": "f4:4d:30:60:64:69",
    "image": "noble",
    "state": "up",
    "since": "2026-11-26T18:00:00Z",
    "phase": "up",
    "address": "192.168.1.32",
}


def answer(version: Any = 1, **machines: Any) -> str:
    return json.dumps({"version": version, "told": "2026-11-26T18:00:00Z", "machines": machines})


def test_what_is_told_is_read_and_what_is_not_known_is_none() -> None:
    fresh = {"mac": "52:54:00:00:00:01", "image": "noble", "state": "armed", "since": None, "phase": None}
    later = {**NUC1, "fan": "loud"}
    assert told.read(answer(nuc1=later, nuc2=fresh, all={**fresh, "mac": "any"}), WHERE) == {
        "nuc1": NUC1,
        "nuc2": {**fresh, "address": None},
        "all": {**fresh, "mac": "any", "address": None},
    }


@pytest.mark.parametrize(
    "name", ["{{ 1 }}", "a b", "../x", "-x", "", "x" * 65, "localhost", "LOCALHOST", "127.0.0.1"]
)
def test_names_that_no_machine_has_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a machine's name; this is not what"):
        told.read(answer(**{name: NUC1}), WHERE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("state", value) for value in (None, "", "Up", "{{ up }}", "up\n", 5, ["up"], "on-fire", "x" * 40)),
        *(("phase", value) for value in ("", "{{ x }}", {"a": 1})),
        *(
            ("since", value)
            for value in ("yesterday", "2026-11-26T18:00:00Z\n", 1795700000, "٢026-11-26T18:00:00Z")
        ),
        *(
            ("address", value)
            for value in ("", "127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "evil", "::1")
        ),
        *(("address", value) for value in ("192.168.1.32 -oProxyCommand=x", "{{ x }}", 3232235777)),
        *(("mac", value) for value in (None, "ANY", "F4:4D:30:60:64:69", "f4-4d-30-60-64-69")),
        *(("image", value) for value in ("", "{{ lookup('pipe', 'id') }}", "a/b", 1)),
    ],
)
def test_values_of_another_form_are_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{WHERE}: machine nuc1: {key}: .* cannot be used; "):
        told.read(answer(nuc1={**NUC1, key: value}), WHERE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        '{"version": "1"}',
        '{"version": 1}',
        '{"version": 1, "machines": []}',
        "[" * 99999,
    ],
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=f"^{WHERE}: this is not what the server's program writes; .* netboot_http_port"
    ):
        told.read(text, WHERE)
    with pytest.raises(ValueError, match=r"machine nuc1: state: 'None' cannot be used"):
        told.read(answer(nuc1="up"), WHERE)


def test_another_version_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"tells version 2, and this collection reads version 1; run homelab.netboot.site"
    ):
        told.read(answer(2, nuc1=NUC1), WHERE)


def test_a_machine_that_two_servers_know_is_the_first_ones() -> None:
    other = {**NUC1, "state": "armed", "address": None}
    machines, notes = told.together({"http://a": {"nuc1": NUC1}, "http://b": {"nuc1": other, "nuc2": other}})
    assert machines["nuc1"] == {**NUC1, "server": "http://a"}
    assert machines["nuc2"]["server"] == "http://b"
    assert notes[0].startswith(
        "machine nuc1: both http://a and http://b tell of it; what http://a says is taken"
    )


def test_an_address_that_the_router_gave_on_is_the_last_ones() -> None:
    old, new = {**NUC1, "since": "2026-11-01T00:00:00Z"}, {**NUC1, "since": "2026-11-02T00:00:00Z"}
    never = {**NUC1, "since": None}
    for machines in ({"a": old, "b": new, "c": never}, {"c": never, "b": new, "a": old}):
        found, notes = told.together({"http://a": machines})
        assert {name: entry["address"] for name, entry in found.items()} == {
            "a": None,
            "b": "192.168.1.32",
            "c": None,
        }
        assert len(notes) == 2
        assert (
            "both told the address 192.168.1.32; b did so last and keeps it. Write ansible_host for "
            in notes[-1]
        )
    unknown = {**NUC1, "address": None}
    assert told.together({"http://a": {"a": unknown, "b": unknown}}).notes == []


@pytest.mark.parametrize(
    "server",
    [
        "",
        "192.168.1.50",
        "ftp://x",
        "http://",
        "http://x:0",
        "http://x:y",
        "http://x:99999",
        "http://u:p@x",
        "http://x/status",
        "http://x?a",
        "http://x#a",
        5,
        None,
    ],
)
def test_what_is_no_address_of_a_server_is_refused(server: Any) -> None:
    with pytest.raises(
        ValueError, match=r"is not the address of a server; write it like http://192\.168\.1\.50 or "
    ):
        told.address_of(server)


@pytest.mark.parametrize("server", ["http://192.168.1.50", "http://192.168.1.50/", "https://boot.lan:8080"])
def test_addresses_of_servers(server: str) -> None:
    assert told.address_of(server) == f"{server.rstrip('/')}/status/machines.json"
