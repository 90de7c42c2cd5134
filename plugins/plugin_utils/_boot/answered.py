# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Whom dnsmasq answers where several servers share the machines (dnsmasq(8): dhcp-mac, dhcp-userclass, dhcp-ignore)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.pxe import user_class


def lines(owner: Mapping[str, str], server: str, addresses: Iterable[str], *, strangers: bool) -> list[str]:
    """Return the lines that leave machines to the server that owns them.

    What asks as a machine does, and is none, says in its user class which server it means; the others are silent.

    :param owner: MAC → server.
    :param addresses: those of the server, one in each of its networks.
    :param strangers: whether it also answers what nobody has named.
    """
    meant = [f"dhcp-userclass=set:own,{user_class(address)}" for address in addresses]
    if not strangers:
        mine = [f"dhcp-mac=set:own,{mac}" for mac, one in owner.items() if one == server]
        return [*mine, *meant, "dhcp-ignore=tag:!own"]
    others = [f"dhcp-mac=set:others,{mac}" for mac, one in owner.items() if one != server]
    asking = [f"dhcp-userclass=set:asks,{user_class()}", *meant, "dhcp-ignore=tag:asks,tag:!own"]
    return [*others, *(["dhcp-ignore=tag:others"] if others else []), *asking]
