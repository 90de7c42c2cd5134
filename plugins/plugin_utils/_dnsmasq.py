# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which loader dnsmasq offers to whom (dnsmasq(8): dhcp-mac, pxe-service)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._machines import ANY, CHOICES, DEFAULTS

_MENU_TEXT = "homelab.netboot"


def loader_lines(machines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines that give every BIOS client its loader: most get the same, the others are tagged by MAC.

    One C(pxe-service) applies to each client: dnsmasq then starts it at once, where two would make a menu.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    """
    loaders = {machine["mac"]: machine["loader"] for machine in machines}
    default = loaders.pop(ANY, DEFAULTS["loader"])
    lines = []
    others = [loader for loader in CHOICES["loader"] if loader != default and loader in loaders.values()]
    for loader in others:
        lines += [f"dhcp-mac=set:{loader},{mac}" for mac, its in loaders.items() if its == loader]
        lines.append(f"pxe-service=tag:{loader},x86PC,{_MENU_TEXT},{loader}")
    unless = "".join(f"tag:!{loader}," for loader in others)
    return [*lines, f"pxe-service={unless}x86PC,{_MENU_TEXT},{default}"]
