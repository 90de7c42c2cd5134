# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The kernel's arguments that start Ubuntu's installer over the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import seed_address
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.releases import find


def kernel_arguments(
    machine: Mapping[str, Any], iso: str, base_url: str, *, install: bool = True
) -> list[str]:
    """Return the kernel's arguments that start Ubuntu's live system, each downloaded thing once.

    :param machine: one machine, as the filter P(homelab.netboot.machines#filter) returns it.
    :param iso: where the ISO is to be fetched.
    :param base_url: the server's HTTP root, without a slash at the end.
    :param install: whether Subiquity installs unattended; otherwise it is left to whoever sits there.

    The token in the seed's address makes it readable for this installation only.

    Sources: casper's scripts (C(ip=), C(url=)), cloud-init's documentation of the NoCloud data source
    (C(ds=), the slash at the end included), Subiquity's documentation (C(autoinstall)).
    """
    release = find(machine["release"])
    unattended = [
        "autoinstall",  # else Subiquity asks whether to go on
        f"ds={release.datasource};s={seed_address(base_url, machine['name'])}",
    ]
    return [
        "ip=dhcp",  # casper configures no network for url= without it
        f"url={iso}",
        *(unattended if install else []),
        # cloud-init reads url= too and would fetch the whole ISO again, once or twice
        "cloud-config-url=/dev/null",
        *release.kernel_args,
        *machine["image_kernel_args"],
        *machine["kernel_args"],
    ]
