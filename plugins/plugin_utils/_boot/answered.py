# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Whom dnsmasq offers to boot where several servers share the machines (dnsmasq(8): dhcp-mac, dhcp-userclass, tag-if,
dhcp-ignore)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.pxe import user_class

#: Tag of those that boot nothing of this server's.
LEFT = "left"
#: Tag of those that ask in a network where this server gives the addresses.
GIVES = "gives"


def lines(owner: Mapping[str, str], server: str, addresses: Iterable[str], *, strangers: bool) -> list[str]:
    """Return the lines that leave machines to the server that owns them.

    Where another server gives the addresses, they are not answered at all. Where this one does, they get an address, as
    all do, and are told nothing of booting: the lines that would tell it are not for L(LEFT) (L(dnsmasq)).
    What asks as a machine does, and is none, says in its user class which server it means.

    :param owner: MAC → server.
    :param addresses: those of the server, one in each of its networks.
    :param strangers: whether it also answers what nobody has named.
    """
    meant = [f"dhcp-userclass=set:own,{user_class(address)}" for address in addresses]
    ignored = f"dhcp-ignore=tag:{LEFT},tag:!{GIVES}"
    if not strangers:
        mine = [f"dhcp-mac=set:own,{mac}" for mac, one in owner.items() if one == server]
        return [*mine, *meant, f"tag-if=set:{LEFT},tag:!own", ignored]
    others = [f"dhcp-mac=set:{LEFT},{mac}" for mac, one in owner.items() if one != server]
    asking = [f"dhcp-userclass=set:asks,{user_class()}", *meant, f"tag-if=set:{LEFT},tag:asks,tag:!own"]
    return [*others, *asking, ignored]
