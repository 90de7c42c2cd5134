# SPDX-License-Identifier: GPL-3.0-or-later
"""What `netboot doctor` asks is not taken for the question of a machine."""

from __future__ import annotations

import time
from pathlib import Path

from ansible_collections.homelab.netboot.plugins.module_utils._program.events.kept import Kept
from ansible_collections.homelab.netboot.plugins.module_utils._program.settings import Settings
from ansible_collections.homelab.netboot.plugins.module_utils._program.why import facts

#: That of every Linux host's own interface lo.
OWN, OTHER = "00:00:00:00:00:00", "52:54:00:00:00:09"


def test_this_host_is_no_stranger(tmp_path: Path) -> None:
    now = time.time()
    lines = [f"{now:.6f} here dnsmasq-dhcp[1]: 7 PXE(lan0) {mac} proxy" for mac in (OWN, OTHER)]
    settings = Settings(root=str(tmp_path), state=str(tmp_path), spool=str(tmp_path))
    with Kept(str(tmp_path), {}, str(tmp_path), log="", journal=lambda dummy: (lines, "1")) as kept:
        kept.refresh()
        assert {OWN, OTHER} <= set(kept.macs())
        assert [event.mac for event in facts.look(settings, kept).strangers] == [OTHER]
