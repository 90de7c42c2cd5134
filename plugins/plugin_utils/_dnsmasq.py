# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which loader dnsmasq offers to whom (dnsmasq(8): dhcp-mac, pxe-service, dhcp-option-pxe)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._machines import ANY, CHOICES, DEFAULTS

_MENU_TEXT = "homelab.netboot"
#: dnsmasq's names of client architectures (RFC 4578, 2.1; IANA "Processor Architecture Types") that boot a loader
#: from the folder of UEFI loaders, with the loader. Some x64 firmware calls itself BC_EFI.
UEFI = {"X86-64_EFI": "shimx64.efi", "BC_EFI": "shimx64.efi", "ARM64_EFI": "shimaa64.efi"}
#: The same for UEFI HTTP Boot, which dnsmasq knows by number only.
HTTP_BOOT = {"16": "shimx64.efi", "19": "shimaa64.efi"}
#: dnsmasq's first release with dhcp-option-pxe and dhcp-pxe-vendor, which HTTP Boot beside a router needs.
HTTP_BOOT_SINCE = (2, 91)


def loader_lines(
    machines: Iterable[Mapping[str, Any]],
    uefi_loaders: Collection[str] = (),
    base_url: str = "",
    version: str = "",
) -> list[str]:
    """Return the lines that give every client its loader: most get the same, the others are tagged by MAC.

    One C(pxe-service) applies to each client: dnsmasq then starts it at once, where two would make a menu.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :param uefi_loaders: names of the files in the folder C(efi/) of the TFTP and HTTP roots. An architecture whose
        loader is missing is not answered at all, so that its firmware goes on at once.
    :param base_url: the server's HTTP root, without a slash at the end.
    :param version: dnsmasq's, or the text that C(dnsmasq --version) prints.
    """
    lines = _bios_lines(machines)
    for arch, loader in UEFI.items():
        if loader in uefi_loaders:
            lines.append(f"pxe-service={arch},{_MENU_TEXT},efi/{loader}")
    over_http = {arch: loader for arch, loader in HTTP_BOOT.items() if loader in uefi_loaders}
    if over_http and _numbers(version) >= HTTP_BOOT_SINCE:
        lines.append("dhcp-pxe-vendor=PXEClient,HTTPClient")
        for arch, loader in over_http.items():
            # the vendor class reads "HTTPClient:Arch:00016:…"
            lines += [
                f"dhcp-vendorclass=set:http{arch},HTTPClient:Arch:000{arch}",
                f"pxe-service={arch},{_MENU_TEXT},efi/{loader}",
                f"dhcp-option-pxe=tag:http{arch},67,{base_url}/efi/{loader}",
            ]
    return lines


def _bios_lines(machines: Iterable[Mapping[str, Any]]) -> list[str]:
    loaders = {machine["mac"]: machine["loader"] for machine in machines}
    default = loaders.pop(ANY, DEFAULTS["loader"])
    lines = []
    others = [loader for loader in CHOICES["loader"] if loader != default and loader in loaders.values()]
    for loader in others:
        lines += [f"dhcp-mac=set:{loader},{mac}" for mac, its in loaders.items() if its == loader]
        lines.append(f"pxe-service=tag:{loader},x86PC,{_MENU_TEXT},{loader}")
    unless = "".join(f"tag:!{loader}," for loader in others)
    return [*lines, f"pxe-service={unless}x86PC,{_MENU_TEXT},{default}"]


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first version number in a text, as numbers; none when there is none."""
    found = re.search(r"\d+(\.\d+)+", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
