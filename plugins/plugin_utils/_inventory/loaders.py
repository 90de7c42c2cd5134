# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which UEFI loader a machine asks for, when it does not take what most get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import YEARS
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import quirks

#: Values of netboot_secure_boot_ca.
CHOICES = ("auto", *YEARS)


def wanted(machine: Mapping[str, Any]) -> str:
    """Return C(ipxe), C(2011), C(2023), or nothing for what most get."""
    if quirks.has(machine, quirks.IPXE):
        return quirks.IPXE
    authority: str = machine["secure_boot_ca"]
    return authority if authority in YEARS else ""


def asked(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tasks hand to the filter P(homelab.netboot.loaders#filter): nothing, or C(machine) (its name),
    C(image) and C(wants). No secret of the machine is in it.
    """
    wants = wanted(machine)
    return {"machine": machine["name"], "image": machine["image"], "wants": wants} if wants else {}


def faults(machine: Mapping[str, Any]) -> Iterator[str]:
    """Return what does not go together, without the machine's name."""
    authority = machine["secure_boot_ca"]
    if authority != "auto" and quirks.has(machine, quirks.IPXE):
        yield (
            f"secure_boot_ca: '{authority}' does not go with ipxe in netboot_quirks, since iPXE is not signed by "
            "anybody; leave one of the two out"
        )
