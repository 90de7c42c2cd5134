# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which loader dnsmasq offers to whom (dnsmasq(8): dhcp-mac, dhcp-match, pxe-service, dhcp-boot, dhcp-option-pxe)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import BY_IPXE, IPXES, SHIMS
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import ipxe
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.dnsmasq_version import (
    HTTP_BOOT_SINCE,
    numbers,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import quirks

_MENU_TEXT = "homelab.netboot"
#: Tag of an iPXE that runs (its option 175, ipxe.org/howto/dhcpd).
_RUNS = "runs-ipxe"


@dataclass(frozen=True)
class Arch:
    """A kind of UEFI client: its number (RFC 4578, 2.1; IANA "Processor Architecture Types"), dnsmasq's name for it,
    and its processor as UEFI calls it (efi_arch). HTTP Boot has no names in dnsmasq."""

    number: int
    name: str
    efi_arch: str
    http: bool = False


#: Some x64 firmware calls itself BC_EFI.
ARCHS = (
    Arch(7, "X86-64_EFI", "x64"),
    Arch(9, "BC_EFI", "x64"),
    Arch(11, "ARM64_EFI", "aa64"),
    Arch(16, "16", "x64", http=True),
    Arch(19, "19", "aa64", http=True),
)


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
        loader is missing is not answered at all, so that its firmware goes on at once. With IMAGE.by-ipxe among them,
        UEFI machines that get that image are offered iPXE, as those with the quirk are.
    :param base_url: the server's HTTP root, without a slash at the end.
    :param version: dnsmasq's, or the text that C(dnsmasq --version) prints.
    """
    machines = list(machines)
    tftp_only = _Split(machines, quirks.TFTP_ONLY, lambda machine: quirks.has(machine, quirks.TFTP_ONLY))
    lines = [*tftp_only.lines]
    lines += _service("x86PC", "pxelinux", tftp_only.yes)
    lines += _service("x86PC", "lpxelinux", tftp_only.no)
    return lines + _uefi_lines(machines, set(uefi_loaders), base_url, numbers(version))


class _Split:
    """The clients parted by a word that is true of some: what to write before a line that is for those, or the others.

    yes, no: tags, each with a comma; empty for all clients; None for nobody. lines: that set the tags.
    """

    def __init__(
        self, machines: Sequence[Mapping[str, Any]], word: str, has: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        usual = any(has(machine) for machine in machines if machine["mac"] == ANY)
        odd = [machine["mac"] for machine in machines if machine["mac"] != ANY and has(machine) is not usual]
        tag = f"not-{word}" if usual else word
        odd_ones = f"tag:{tag}," if odd else None
        others = f"tag:!{tag}," if odd else ""
        self.lines = [f"dhcp-mac=set:{tag},{mac}" for mac in odd]
        self.yes: str | None = others if usual else odd_ones
        self.no: str | None = odd_ones if usual else others


def _service(arch: str, loader: str, who: str | None) -> list[str]:
    if who is None:
        return []
    return [f"pxe-service={who}{arch},{_MENU_TEXT},{loader}"]


def _uefi_lines(
    machines: Sequence[Mapping[str, Any]],
    there: Collection[str],
    base_url: str,
    version: tuple[int, ...],
) -> list[str]:
    images = {name[: -len(BY_IPXE)] for name in there if name.endswith(BY_IPXE)}
    by_ipxe = _Split(
        machines, quirks.IPXE, lambda one: quirks.has(one, quirks.IPXE) or one["image"] in images
    )
    archs = [
        arch
        for arch in ARCHS
        if _offers(arch, there, by_ipxe) and (not arch.http or version >= HTTP_BOOT_SINCE)
    ]
    lines = (
        by_ipxe.lines
        if any({SHIMS[arch.efi_arch], IPXES[arch.efi_arch]} <= set(there) for arch in archs)
        else []
    )
    scripts: dict[str, None] = {}
    services = []
    for arch in archs:
        tag = f"http{arch.number}"
        if arch.http:
            # the vendor class reads "HTTPClient:Arch:00016:…"
            services.append(f"dhcp-vendorclass=set:{tag},HTTPClient:Arch:{arch.number:05}")
        for loader, who in _offers(arch, there, by_ipxe):
            only = who
            if loader in IPXES.values():
                only = f"{who}tag:!{_RUNS},"
                scripts[f"dhcp-boot={who}tag:{_RUNS},tag:uefi,{base_url}/{ipxe.SCRIPT}"] = None
            services += _service(arch.name, f"efi/{loader}", only)
            if arch.http:
                services.append(f"dhcp-option-pxe={only}tag:{tag},67,{base_url}/efi/{loader}")
    if scripts:
        # Once it runs, iPXE asks again, as any PXE client: it then gets its script. BIOS machines may have an iPXE of
        # their own in the network card's ROM, which is to go on to PXELINUX.
        numbers = [arch.number for arch in archs if not arch.http]
        lines += [f"dhcp-match=set:{_RUNS},175"]
        lines += [f"dhcp-match=set:uefi,option:client-arch,{number}" for number in numbers]
    http = ["dhcp-pxe-vendor=PXEClient,HTTPClient"] if any(arch.http for arch in archs) else []
    return [*lines, *scripts, *http, *services]


def _offers(arch: Arch, there: Collection[str], by_ipxe: _Split) -> list[tuple[str, str]]:
    """Return which files are offered to clients of a kind, each with the tags of those who get it."""
    shim, ipxe_program = SHIMS[arch.efi_arch], IPXES[arch.efi_arch]
    if not {shim, ipxe_program} <= set(there):  # no choice
        return [(loader, "") for loader in (shim, ipxe_program) if loader in there]
    return [
        (loader, who) for loader, who in ((shim, by_ipxe.no), (ipxe_program, by_ipxe.yes)) if who is not None
    ]
