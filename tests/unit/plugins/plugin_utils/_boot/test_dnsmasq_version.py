# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.dnsmasq_version import notes


@pytest.mark.parametrize(
    ("version", "faults", "lines"),
    [
        ("", 0, 1),
        ("Dnsmasq version 2.76  Copyright", 1, 1),
        ("2.78", 0, 1),
        ("2.90", 0, 1),
        ("Candidate: 2.91-1", 0, 0),
        ("2.100", 0, 0),
        ("3.0", 0, 0),
    ],
)
def test_what_a_version_cannot_do_is_said(version: str, faults: int, lines: int) -> None:
    found = notes(version, ["shimx64.efi"])
    assert (len(found["faults"]), len(found["say"])) == (faults, lines)


def test_the_versions_are_named() -> None:
    found = notes("Dnsmasq version 2.76  Copyright", ["ipxe.efi"])
    assert found["faults"][0].startswith("the server's dnsmasq is 2.76, and 2.78 or newer is needed")
    assert found["say"][0].endswith("dnsmasq 2.91 or newer is needed, and this server's is 2.76.")


def test_without_a_loader_for_uefi_nothing_is_said_of_http_boot() -> None:
    assert notes("2.90") == {"faults": [], "say": []}
