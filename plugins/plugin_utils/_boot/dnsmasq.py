# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Where dnsmasq answers, and which loader it offers to whom (dnsmasq(8): dhcp-mac, dhcp-match, pxe-service, dhcp-boot,
dhcp-option-pxe).

Beside another DHCP server (proxy-DHCP) pxe-service names the loader, on port 4011. Where dnsmasq gives the addresses it
names the loader in the same answer (dhcp-boot): from pxe-service UEFI firmware would get none there, as port 4011 tells
it only to proxy clients (dnsmasq: src/rfc2131.c, pxe_uefi_workaround). So each line is for one of the two kinds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import BY_IPXE, IPXES, SHIMS, YEARS
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import ipxe, reserved
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.answered import GIVES, LEFT
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot.dnsmasq_version import (
    HTTP_BOOT_SINCE,
    numbers,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import loaders, quirks
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory.networks import behind

_MENU_TEXT = "homelab.netboot"
#: What the boot ROM of a Raspberry Pi looks for in option 43 (raspberrypi.com: "Network boot your Raspberry Pi"). It
#: asks as BIOS does, then for files of its own choice: so none is named, and the text is all that lets it go on.
_PI_TEXT = "Raspberry Pi Boot"
#: Tag of an iPXE that runs (its option 175, ipxe.org/howto/dhcpd).
_RUNS = "runs-ipxe"
#: Tags of those that get what is usual, of BIOS and of UEFI; and by authority, of those that get a shim it has signed.
_BY_HTTP, _USUAL = "not-tftp-only", "not-ipxe"
_TAGS = {quirks.IPXE: quirks.IPXE, **{year: f"ca-{year}" for year in YEARS}}


@dataclass(frozen=True)
class Arch:
    """A kind of UEFI client: its number (RFC 4578, 2.1; IANA "Processor Architecture Types"), dnsmasq's name for it,
    and its processor as UEFI calls it (efi_arch). HTTP Boot has no names in dnsmasq."""

    number: int
    name: str
    efi_arch: str = ""
    http: bool = False

    @property
    def tag(self) -> str:
        """The tag of those clients in dnsmasq's configuration."""
        return f"{'http' if self.http else 'arch'}{self.number}"


BIOS = Arch(0, "x86PC")

#: Some x64 firmware calls itself BC_EFI.
ARCHS = (
    Arch(7, "X86-64_EFI", "x64"),
    Arch(9, "BC_EFI", "x64"),
    Arch(11, "ARM64_EFI", "aa64"),
    Arch(16, "16", "x64", http=True),
    Arch(19, "19", "aa64", http=True),
)


def network_lines(networks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines that say where dnsmasq answers: only what is about booting, or with addresses.

    :param networks: C(netboot_result.networks).
    """
    lines = []
    for one in networks:
        lines.append(f"interface={one['interface']}")
        lines += _given(one) if one.get("dhcp") else _proxy(one["network"])
        # a relay's question names its own address in the machine's network, and is answered by the range of that
        lines += [line for network in behind(one) for line in _proxy(network)]
    return lines


def _proxy(network: str) -> list[str]:
    """Return the line that has machines of a network told of booting, beside another server that gives addresses."""
    found = ipaddress.IPv4Network(network)
    return [f"dhcp-range={found.network_address},proxy,{found.netmask}"]


def _given(one: Mapping[str, Any]) -> list[str]:
    """Return the lines that give addresses in a network; a router without an address is one that is not announced."""
    said, who = one["dhcp"], f"tag:{one['interface']}"
    mask = ipaddress.IPv4Network(one["network"]).netmask
    return [
        f"dhcp-range={said['first']},{said['last']},{mask},{said['lease']}",
        f"tag-if=set:{GIVES},{who}",
        ",".join(filter(None, [f"dhcp-option={who},option:router", said["router"]])),
        *([",".join([f"dhcp-option={who},option:dns-server", *said["dns"]])] if said["dns"] else []),
    ]


def loader_lines(
    machines: Iterable[Mapping[str, Any]],
    uefi_loaders: Collection[str] = (),
    networks: Sequence[Mapping[str, Any]] = (),
    version: str = "",
) -> list[str]:
    """Return the lines that give every client its loader: most get the same, the others are tagged by MAC.

    One C(pxe-service) applies to each client: dnsmasq then starts it at once, where two would make a menu.

    :param machines: as the filter P(homelab.netboot.machines#filter) returns them.
    :param uefi_loaders: names of the files in the folder C(efi/) of the TFTP and HTTP roots. An architecture whose
        loader is missing is not answered at all, so that its firmware goes on at once. With IMAGE.by-ipxe among them,
        UEFI machines that get that image are offered iPXE, as those with the quirk are. With 2011/ or 2023/ before
        a name, a loader is for machines that ask for that authority.
    :param networks: the server's, C(netboot_result.networks). Of several, a client gets the address in its own.
    :param version: dnsmasq's, or the text that C(dnsmasq --version) prints.
    """
    machines, kinds = list(machines), _kinds(networks)
    split = _Split(machines, _BY_HTTP, _by_bios)
    lines = [*reserved.lines(machines, networks), *split.lines]
    if quirks.RASPBERRY_PI in split.who:
        lines.append(f"pxe-service={split.who[quirks.RASPBERRY_PI]}x86PC,{_PI_TEXT}")
    lines += kinds.known(BIOS)
    for tag, loader in ((quirks.TFTP_ONLY, "pxelinux"), (_BY_HTTP, "lpxelinux")):
        if tag in split.who:
            lines += kinds.service(BIOS, loader, f"{loader}.0", split.who[tag])
    return lines + _uefi_lines(machines, set(uefi_loaders), _roots(networks), numbers(version), kinds)


def lacking(asking: Iterable[Mapping[str, str]], uefi_loaders: Collection[str]) -> list[str]:
    """Return a message for each loader that machines ask for and that is not there.

    :param asking: C(loader) of machines, as the filter P(homelab.netboot.machines#filter) returns it.
    :param uefi_loaders: as above.
    """
    asking = list(asking)
    files = {
        quirks.IPXE: [IPXES["x64"]],
        **{year: [f"{year}/{shim}" for shim in SHIMS.values()] for year in YEARS},
    }
    settings = {
        quirks.IPXE: "netboot_quirks: ipxe",
        **{year: f"netboot_secure_boot_ca: {year}" for year in YEARS},
    }
    faults = []
    for wants, names in files.items():
        machines = [one["machine"] for one in asking if one["wants"] == wants]
        if machines and not set(names) & set(uefi_loaders):
            faults.append(
                f"the machines {', '.join(machines)} have {settings[wants]}, but there is no "
                f"efi/{' or efi/'.join(names)}. "
                "Role pxe_tftp_assets puts it there, unless netboot_uefi is never: run it first."
            )
    return faults


class _Split:
    """The clients parted by what each of them gets: what to write before a line that is for some of them.

    who: by what they get, their tags, each with a comma; empty for all clients. What nobody gets is not in it.
    lines: that set the tags.
    """

    def __init__(
        self, machines: Sequence[Mapping[str, Any]], usual: str, gets: Callable[[Mapping[str, Any]], str]
    ) -> None:
        """usual: what clients get that the inventory does not name, unless a machine stands for any."""
        for machine in machines:
            if machine["mac"] == ANY:
                usual = gets(machine)
        odd = {machine["mac"]: gets(machine) for machine in machines if machine["mac"] != ANY}
        odd = {mac: tag for mac, tag in odd.items() if tag != usual}
        tags = dict.fromkeys(odd.values())
        self.lines = [f"dhcp-mac=set:{tag},{mac}" for mac, tag in odd.items()]
        self.who = {usual: "".join(f"tag:!{tag}," for tag in tags), **{tag: f"tag:{tag}," for tag in tags}}


def _by_bios(machine: Mapping[str, Any]) -> str:
    """Return the tag of what a machine gets that asks as BIOS does."""
    special = (quirks.RASPBERRY_PI, quirks.TFTP_ONLY)
    return next((quirk for quirk in special if quirks.has(machine, quirk)), _BY_HTTP)


@dataclass(frozen=True)
class _Kinds:
    """How a loader is named in the server's networks. beside: before lines for those with another DHCP server; gives:
    before lines for those where it gives the addresses; both with commas, V(None) where there is no such network."""

    beside: str | None
    gives: str | None

    def known(self, arch: Arch) -> list[str]:
        """Return what tags the clients of a kind, where the lines that are for them need it."""
        if arch.http:  # the vendor class reads "HTTPClient:Arch:00016:…"
            return [f"dhcp-vendorclass=set:{arch.tag},HTTPClient:Arch:{arch.number:05}"]
        if self.gives is None:
            return []
        return [f"dhcp-match=set:{arch.tag},option:client-arch,{arch.number}"]

    def service(self, arch: Arch, loader: str, file: str, who: str) -> list[str]:
        """Return the lines that name a loader for the clients of a kind.

        :param loader: as pxe-service has it: it adds V(.0) to a name without a dot.
        :param file: where it is for those that get their address here too; empty for HTTP Boot, which needs a URL.
        :param who: the tags of those who get it, each with a comma.
        """
        lines = []
        if self.beside is not None:
            lines.append(f"pxe-service={self.beside}{who}{arch.name},{_MENU_TEXT},{loader}")
        if self.gives is not None and file:
            lines.append(f"dhcp-boot={self.gives}{who}tag:{arch.tag},{file}")
        return lines

    def urls(self, arch: Arch, urls: Iterable[tuple[str, str]], who: str) -> list[str]:
        """Return the lines that name a URL for HTTP Boot. urls: each behind the tag of the network that it is for.

        An answer counts only with the word that the client said of itself.
        """
        lines = []
        if self.beside is not None:
            lines += [
                f"dhcp-option-pxe={self.beside}{who}tag:{arch.tag},{where}67,{url}" for where, url in urls
            ]
        if self.gives is not None:
            lines += [f"dhcp-option={self.gives}{who}tag:{arch.tag},{where}67,{url}" for where, url in urls]
            lines.append(f"dhcp-option-force={self.gives}{who}tag:{arch.tag},60,HTTPClient")
        return lines


def _kinds(networks: Sequence[Mapping[str, Any]]) -> _Kinds:
    gives = [bool(one.get("dhcp")) for one in networks]
    return _Kinds(
        beside=None if gives and all(gives) else f"tag:!{GIVES}," if any(gives) else "",
        gives=f"tag:{GIVES},tag:!{LEFT}," if any(gives) else None,
    )


def _roots(networks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the HTTP root in each network, by the tag of those that ask there, with a comma; none with one network.

    dnsmasq tags each client by the interface that it asks on (dnsmasq(8): --dhcp-host).
    """
    if len(networks) == 1:
        return {"": str(networks[0]["base_url"])}
    return {f"tag:{one['interface']},": str(one["base_url"]) for one in networks}


def _uefi_lines(
    machines: Sequence[Mapping[str, Any]],
    there: Collection[str],
    roots: Mapping[str, str],
    version: tuple[int, ...],
    kinds: _Kinds,
) -> list[str]:
    images = {name[: -len(BY_IPXE)] for name in there if name.endswith(BY_IPXE)}
    split = _Split(machines, _USUAL, lambda one: _wanted(one, images))
    offers = {
        arch: _offers(arch, there, split) for arch in ARCHS if not arch.http or version >= HTTP_BOOT_SINCE
    }
    archs = [arch for arch in ARCHS if offers.get(arch)]
    lines = split.lines if any(who for arch in archs for dummy, who in offers[arch]) else []
    scripts: dict[str, None] = {}
    services = []
    for arch in archs:
        services += kinds.known(arch)
        for loader, who in offers[arch]:
            only = who
            if loader in IPXES.values():
                only = f"{who}tag:!{_RUNS},"
                scripts.update(dict.fromkeys(_scripts(who, roots, kinds)))
            services += kinds.service(arch, f"efi/{loader}", "" if arch.http else f"efi/{loader}", only)
            if arch.http:
                urls = [(where, f"{root}/efi/{loader}") for where, root in roots.items()]
                services += kinds.urls(arch, urls, only)
    if scripts:
        # Once it runs, iPXE asks again, as any PXE client: it then gets its script. BIOS machines may have an iPXE of
        # their own in the network card's ROM, which is to go on to PXELINUX.
        numbers = [arch.number for arch in archs if not arch.http]
        lines += [f"dhcp-match=set:{_RUNS},175"]
        lines += [f"dhcp-match=set:uefi,option:client-arch,{number}" for number in numbers]
    http = ["dhcp-pxe-vendor=PXEClient,HTTPClient"] if any(arch.http for arch in archs) else []
    return [*lines, *scripts, *(http if kinds.beside is not None else []), *services]


def _scripts(who: str, roots: Mapping[str, str], kinds: _Kinds) -> Iterator[str]:
    """Return the lines that send an iPXE that runs to its script, in each network."""
    mine = "" if kinds.gives is None else f"tag:!{LEFT},"
    for where, root in roots.items():
        yield f"dhcp-boot={mine}{who}tag:{_RUNS},tag:uefi,{where}{root}/{ipxe.SCRIPT}"


def _wanted(machine: Mapping[str, Any], images: Collection[str]) -> str:
    """Return the tag of what a machine gets. images: those that shim does not start."""
    # A pair of an authority is there only when it starts the images of those that ask for it.
    usual = quirks.IPXE if machine["image"] in images else _USUAL
    return _TAGS.get(loaders.wanted(machine), usual)


def _offers(arch: Arch, there: Collection[str], split: _Split) -> list[tuple[str, str]]:
    """Return which files are offered to clients of a kind, each with the tags of those who get it."""
    shim, ipxe_program = SHIMS[arch.efi_arch], IPXES[arch.efi_arch]
    files = {_USUAL: shim, quirks.IPXE: ipxe_program, **{_TAGS[year]: f"{year}/{shim}" for year in YEARS}}
    instead = shim if shim in there else ipxe_program
    found = [
        (files[tag] if files[tag] in there else instead, split.who[tag]) for tag in files if tag in split.who
    ]
    if len({loader for loader, dummy in found}) == 1:  # no choice
        found = [(found[0][0], "")]
    return [(loader, who) for loader, who in found if loader in there]
