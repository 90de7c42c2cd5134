# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What a machine is to boot: the same facts for every loader, which only differ in how they write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._releases import find

#: Stands in the plan for the one-time token of the arming; the server puts it in (role machine_states).
TOKEN = "@TOKEN@"  # noqa: S105 - not one itself


def image_path(machine: Mapping[str, Any], file: str) -> str:
    """Return where a file of the machine's image lies below the server's HTTP and TFTP roots.

    The folder is that of one version, so that a machine gets kernel, initrd and ISO of the same one, whatever the
    server changes to while it starts: casper refuses to start otherwise.
    """
    return f"{machine['folder']}/{file}"


def kernel_arguments(machine: Mapping[str, Any], base_url: str) -> list[str]:
    """Return the kernel's arguments that start Subiquity unattended, each downloaded thing once.

    :param machine: one machine, as the filter P(homelab.netboot.machines#filter) returns it.
    :param base_url: the server's HTTP root, without a slash at the end.

    The token in the seed's address makes it readable for this installation only.

    Sources: casper's scripts (C(ip=), C(url=)), cloud-init's documentation of the NoCloud data source
    (C(ds=), the slash at the end included), Subiquity's documentation (C(autoinstall)).
    """
    return [
        "ip=dhcp",  # casper configures no network for url= without it
        f"url={base_url}/{image_path(machine, machine['image'] + '.iso')}",
        "autoinstall",  # else Subiquity asks whether to go on
        f"ds={find(machine['release']).datasource};s={base_url}/machines/{machine['name']}/{TOKEN}/",
        # cloud-init reads url= too and would fetch the whole ISO again, once or twice
        "cloud-config-url=/dev/null",
        *machine["kernel_args"],
    ]
