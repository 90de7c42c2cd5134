# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What keeps machines from going on, as a table: where it shows, how it is known, what it is, one remedy. Pure.

The first row that fits is the verdict, so what is certain stands before what is only likely. What the server's logs
cannot tell apart is one row, and its cause begins with "Either".
"""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple, Sequence

from ..contract import BOOT_SERVER, WEB_SERVER
from ..events.event import DENIED, HTTP, MISSING, OFFER, TFTP, UNANSWERED, Event
from . import case as c
from .case import Case, Test

SITE = "Run the playbook homelab.netboot.site; it puts right what the server hands out."
ARM = "Then arm it: ansible-playbook homelab.netboot.arm -l {name}"
QUIRK = "If nothing blocks it, give the machine netboot_quirks: [tftp-only] and run homelab.netboot.site."


class Cause(NamedTuple):
    """A row. at: the milestones that are missing when it shows. fits: the events that show it, or whether it is so."""

    key: str
    at: Sequence[str]
    fits: Test
    cause: str
    remedy: str


# --- how causes are known


def _down(service: str) -> Test:
    return lambda case: service in case.facts.stopped


def _missing(pattern: re.Pattern[str]) -> Test:
    return lambda case: case.missing(pattern)


def _refused(pattern: re.Pattern[str], *statuses: int) -> Test:
    return lambda case: case.refused(pattern, *statuses) if not case.got(pattern) else []


def _cut(pattern: re.Pattern[str]) -> Test:
    return lambda case: case.cut(pattern) if not case.got(pattern) else []


def _no_seed(*statuses: int) -> Test:
    """One of the four files is enough for cloud-init to give up."""
    return lambda case: case.refused(c.SEED, *statuses) if not case.got(c.USER_DATA) else []


def _denied(case: Case) -> Sequence[Event]:
    return case.of(DENIED) or case.denied()


def _not_since_armed(case: Case) -> Sequence[Event]:
    """The last thing that was heard of it was before."""
    return case.boot[-1:] if case.word == "armed" and case.boot and case.last <= case.armed_at else []


def _strangers(case: Case) -> Sequence[Event]:
    armed = [event.time for event in case.changes("armed")][-1:]
    since = max([*armed, case.facts.now - 86400])
    return [event for event in case.facts.strangers if event.time >= since]


def _unanswered(case: Case) -> Sequence[Event]:
    return [
        event
        for event in case.facts.unanswered
        if event.kind == UNANSWERED and event.time >= case.facts.now - 3600
    ][-3:]


def _no_loader(case: Case) -> Sequence[Event]:
    """It asked as an architecture for which there is none."""
    asked = [(event, re.search(r"Client:Arch:(\d+)", event.name)) for event in case.offers]
    odd = [event for event, found in asked if found and int(found[1]) not in case.facts.kinds]
    return odd[-1:] if case.facts.kinds else []


def _http_boot(case: Case) -> bool:
    return case.by_http


def _shim_refused(case: Case) -> Sequence[Event]:
    shim = case.find(c.SHIM, TFTP, HTTP)
    return shim[-1:] if shim and not case.find(c.SHIM_ASKS) and not case.find(c.GRUB) else []


def _grub_refused(case: Case) -> Sequence[Event]:
    grub = [event for event in case.find(c.GRUB, TFTP, HTTP) if event.is_fetched]
    after = list(case.find(re.compile("grub/"), TFTP, HTTP, MISSING))
    return grub[-1:] if grub and not after else []


def _own(case: Case) -> Sequence[Event]:
    """Everything the loader fetched came, but its second part was never asked for."""
    first = [event for event in case.find(c.PXELINUX) if event.is_fetched]
    return first[-1:] if first and not case.find(re.compile(r"ldlinux|pxelinux\.cfg/")) else []


def _ipxe(case: Case) -> Sequence[Event]:
    ipxe = [event for event in case.find(c.IPXE) if event.is_fetched]
    return ipxe[-1:]


def _no_entry(case: Case) -> Sequence[Event]:
    """Loaders ask for the entry that is for all after all others."""
    asked = case.missing(c.CONFIGURATION)
    return asked[-2:] if asked and asked[-1].base in ("default", "default.cfg", "default.ipxe") else []


def _changed(case: Case) -> bool:
    used = {event.name.lstrip("/") for event in case.boot if event.is_fetched}
    return any(path in used for path in case.facts.changed)


def _kernel_refused(case: Case) -> Sequence[Event]:
    kernel = case.got(c.KERNEL)
    return [kernel] if kernel and case.is_uefi else []


def _versions_differ(case: Case) -> Sequence[Event]:
    parts = [event for event in (case.got(c.KERNEL), case.got(c.INITRD), case.got(c.ISO)) if event]
    return parts if len({event.name.lstrip("/").rpartition("/")[0] for event in parts}) > 1 else []


def _offers_menu(case: Case) -> bool:
    return len(re.findall(r"(?m)^(?:LABEL |menuentry |item )", case.facts.entry)) > 1


def _asks_person(case: Case) -> bool:
    return bool(case.facts.entry) and not re.search(r"\bautoinstall\b", case.facts.entry)


def _no_receipt(case: Case) -> Sequence[Event]:
    begun = case.done(c.BEGUN)
    return [begun, *case.refused(c.RECEIPT, 404)[-1:]] if begun and not case.got(c.RECEIPT) else []


def _withdrawn(word: str) -> Test:
    """The answers are not handed out since the machine's state changed while it booted."""

    def fits(case: Case) -> Sequence[Event]:
        gone = case.refused(c.SEED, 404)
        changed = [event for event in case.changes("local", "failed") if event.time <= case.last + 1]
        is_it = bool(gone and changed) and changed[-1].time >= case.since and word in changed[-1].note
        return [changed[-1], gone[-1]] if is_it else []

    return fits


def _reason(pattern: str) -> Test:
    """The state's reason, in a boot that it belongs to."""
    return lambda case: case.word == "failed" and re.search(pattern, case.reason) is not None


def _log(pattern: str) -> Test:
    """What the installer said when it failed."""
    return lambda case: (
        case.word == "failed" and re.search(pattern, case.facts.log, re.IGNORECASE) is not None
    )


def _full(case: Case) -> bool:
    return bool(case.facts.full)


def _always(_case: Case) -> bool:
    return True


def _stopped(case: Case) -> Sequence[Event]:
    return (
        case.stopped()[-2:]
        if len(case.stopped()) > 1
        else [e for e in case.stopped() if e.note == "failed sending"]
    )


def _again(case: Case) -> Sequence[Event]:
    """It began to install, and asked the network again without having reported."""
    begun = [event for event in case.story if c.BEGUN.search(event.name) and event.kind == HTTP]
    later = [event for event in case.story if event.kind == OFFER and begun and event.time > begun[-1].time]
    return [begun[-1], later[0]] if later else []


def _other_token(case: Case) -> Sequence[Event]:
    said = case.done(c.INSTALLED)
    return [said] if said and case.word not in ("installed", "up") and not _after(case, said) else []


def _after(case: Case, event: Event) -> list[Event]:
    return [
        change
        for change in case.changes("installed", "armed", "local", "failed")
        if change.time >= event.time - 1
    ]


# --- the table

LATE = ("disk", "report")
CAUSES: tuple[Cause, ...] = (
    # nothing was heard
    Cause(
        "boot-server-down",
        ("asked", "offered", "loader"),
        _down(BOOT_SERVER),
        f"{BOOT_SERVER} does not run, so nobody answers machines that ask for the network.",
        f"systemctl status {BOOT_SERVER} on the server says why; homelab.netboot.site starts it.",
    ),
    Cause(
        "not-restarted",
        ("asked", *LATE),
        _not_since_armed,
        "It was armed, and has not asked for the network since: it was not restarted, or starts from its disk first.",
        "Restart it and let it boot from the network: homelab.netboot.arm -l {name} -e start=yes, or its boot menu.",
    ),
    Cause(
        "not-offered",
        ("asked",),
        _unanswered,
        "A machine of a kind for which this server has no loader asked for the network; it may be this one.",
        "Run homelab.netboot.site: it says which loaders there are for UEFI, and why. Or let it boot by BIOS (CSM).",
    ),
    Cause(
        "other-mac",
        ("asked",),
        _strangers,
        "Either it has another MAC address than the inventory says (the ones below asked), or it did not ask at all.",
        "Compare its MAC address with netboot_mac; else switch network boot (PXE) on in its firmware.",
    ),
    Cause(
        "never-asked",
        ("asked",),
        _always,
        "It never asked. Either it is off, or its firmware does not boot from the network, or it is in another network"
        " (VLAN, switch port), or a firewall blocks UDP 67.",
        "Switch it on with network boot (PXE, IPv4) first in its firmware, in the same network as the server.",
    ),
    # it asks
    Cause(
        "no-loader-for-kind",
        ("offered",),
        _no_loader,
        "It boots by UEFI of a kind for which the server has no loader.",
        "Run homelab.netboot.site: it says which loaders there are, and why. Or let the machine boot by BIOS (CSM).",
    ),
    Cause(
        "offer-not-taken",
        ("offered",),
        _always,
        "It asked and did not take the offer. Either the router or another PXE server named a boot file first, or the"
        " router gave it no address, or a firewall blocks UDP 4011.",
        "See that no other DHCP server names a boot file (options 66, 67, next-server), and that UDP 4011 is open.",
    ),
    # it knows its loader
    Cause(
        "loader-denied",
        ("loader", "configuration", "kernel"),
        _denied,
        "dnsmasq is not allowed to read a file that it is asked for.",
        SITE,
    ),
    Cause("loader-missing", ("loader",), _missing(c.FIRST), "Its loader is not on the server.", SITE),
    Cause(
        "web-server-down-for-loader",
        ("loader",),
        lambda case: case.by_http and WEB_SERVER in case.facts.stopped,
        f"It boots by HTTP, and {WEB_SERVER} does not run.",
        f"systemctl status {WEB_SERVER} on the server says why; homelab.netboot.site starts it.",
    ),
    Cause(
        "http-blocked-for-loader",
        ("loader",),
        _http_boot,
        "It boots by HTTP and fetched nothing: a firewall blocks the web server's port, or the machine has no address"
        " in this network.",
        "Open the port (netboot_http_port) in firewalls on and before the server.",
    ),
    Cause(
        "tftp-broken",
        ("loader",),
        _stopped,
        "The transfer of its loader breaks off: packets are lost between it and the server, or it wants no such file.",
        "Look at cable, switch port and MTU; then try BIOS instead of UEFI, or the other way round.",
    ),
    Cause(
        "tftp-blocked",
        ("loader",),
        _always,
        "It knows its loader and never fetched it. Most likely a firewall blocks TFTP (UDP 69).",
        "Open UDP 69 to the server, and the server's answers from high ports.",
    ),
    # it has its loader
    Cause(
        "shim-refused",
        ("configuration",),
        _shim_refused,
        "The firmware fetched shim and did not start it: Secure Boot does not know who signed it (UEFI CA 2011 or"
        " 2023), or the file is damaged.",
        'Look at its screen for "Security Violation"; update the firmware\'s keys, or switch Secure Boot off.',
    ),
    Cause(
        "grub-missing",
        ("configuration",),
        _missing(c.GRUB),
        "shim runs, and GRUB is not on the server.",
        SITE,
    ),
    Cause(
        "grub-refused",
        ("configuration",),
        _grub_refused,
        "shim fetched GRUB and did not start it: its signature does not fit, or it is revoked (SBAT).",
        "Run homelab.netboot.site, which takes a pair that fits; look at the machine's screen for what shim says.",
    ),
    Cause(
        "second-part-missing",
        ("configuration",),
        _missing(re.compile(r"\.c32$")),
        "Its loader runs, and the loader's second part is not on the server.",
        SITE,
    ),
    Cause(
        "web-server-down",
        ("configuration", "kernel", "initrd", "linux", "iso", "seeds", "installer"),
        _down(WEB_SERVER),
        f"{WEB_SERVER} does not run.",
        f"systemctl status {WEB_SERVER} on the server says why; homelab.netboot.site starts it.",
    ),
    Cause(
        "entry-missing",
        ("configuration",),
        _no_entry,
        "There is no boot entry for it, and none for all.",
        SITE,
    ),
    Cause(
        "loader-hangs",
        ("configuration",),
        _own,
        "Its loader was fetched and does nothing. Either the firmware does not start it, or its network driver hangs.",
        "Update its firmware; then try netboot_quirks: [tftp-only].",
    ),
    Cause(
        "ipxe-stops",
        ("configuration",),
        _ipxe,
        "iPXE was fetched and asks for nothing. Either Secure Boot refuses it (it is not signed), or its network driver"
        " does not work, or a firewall blocks the web server's port.",
        "Switch Secure Boot off for this machine, or take the quirk ipxe away; then look at its screen.",
    ),
    Cause(
        "loader-stops",
        ("configuration",),
        _always,
        "Its loader stopped before it asked for its configuration. Either it was switched off, or it lost its network.",
        "Look at its screen, and switch it on again.",
    ),
    # it has its configuration
    Cause(
        "kernel-missing",
        ("kernel",),
        _missing(c.KERNEL),
        "The kernel that its entry names is not on the server.",
        SITE,
    ),
    Cause(
        "kernel-forbidden",
        ("kernel", "initrd", "iso"),
        _refused(re.compile(r"images/"), 403),
        "The web server refuses it: its address is in no network that is allowed, or the files are not readable.",
        "See netboot_result.network and pxe_http_networks; run homelab.netboot.site.",
    ),
    Cause(
        "kernel-cut",
        ("kernel",),
        _cut(c.KERNEL),
        "The kernel's transfer broke off: its loader cannot do HTTP well, or packets are lost.",
        QUIRK,
    ),
    Cause(
        "other-entry",
        ("kernel",),
        lambda case: bool(case.find(c.CONFIGURATION)) and not _named(case),
        "It was given the entry for machines that nobody knows, though it is armed: its own entry was not there.",
        SITE,
    ),
    Cause(
        "menu-disk",
        ("kernel",),
        _offers_menu,
        "Either somebody chose another entry of its menu, or a firewall blocks HTTP, or its loader cannot do HTTP.",
        "Choose the installation in its menu; open the web server's port (netboot_http_port). " + QUIRK,
    ),
    Cause(
        "http-blocked",
        ("kernel",),
        _always,
        "It knows what to start and fetched no kernel. Either a firewall blocks the web server's port, or its loader"
        " cannot do HTTP.",
        "Open the port (netboot_http_port) in firewalls on and before the server. " + QUIRK,
    ),
    # it has the kernel
    Cause(
        "initrd-missing",
        ("initrd",),
        _missing(c.INITRD),
        "The initrd that its entry names is not on the server.",
        SITE,
    ),
    Cause(
        "initrd-cut",
        ("initrd",),
        _cut(c.INITRD),
        "The initrd's transfer broke off: too little memory in the machine, or packets are lost.",
        "Give it more memory; " + QUIRK,
    ),
    Cause(
        "image-changed",
        ("initrd", "linux", "iso", "seeds"),
        _changed,
        "A file of its image is not what it was when it was verified.",
        "Remove that version's folder below images/ on the server, and run homelab.netboot.site.",
    ),
    Cause(
        "kernel-refused",
        ("initrd",),
        _kernel_refused,
        "GRUB has the kernel and did not go on to the initrd: most likely Secure Boot refuses the kernel's signature.",
        'Look at its screen for "bad shim signature"; take a newer image, or switch Secure Boot off.',
    ),
    Cause(
        "stops-after-kernel",
        ("initrd",),
        _always,
        "It stopped after the kernel. Either it was switched off, or it has too little memory, or its loader hangs.",
        "Look at its screen, and switch it on again. " + QUIRK,
    ),
    # it has kernel and initrd
    Cause(
        "iso-missing",
        ("linux", "iso"),
        _missing(c.ISO),
        "The ISO that its entry names is not on the server.",
        SITE,
    ),
    Cause(
        "iso-cut",
        ("iso",),
        _cut(c.ISO),
        "The ISO's transfer broke off: most likely the machine has too little memory for it, or packets are lost.",
        "Give it more memory (see README, Images); look at cable and switch port.",
    ),
    Cause(
        "versions-differ",
        ("linux", "iso", "seeds"),
        _versions_differ,
        "Kernel, initrd and ISO are of different versions; Ubuntu refuses to start then.",
        SITE,
    ),
    Cause(
        "linux-stops-secure",
        ("linux", "iso"),
        lambda case: case.is_uefi,
        "The live system did not come up. Either Secure Boot refuses the kernel, or Linux has too little memory, no"
        " driver for the network card or no address, or a firewall blocks the web server's port.",
        "Look at its screen; then try more memory, and hwe: true for a newer kernel.",
    ),
    Cause(
        "linux-stops",
        ("linux", "iso"),
        _always,
        "The live system did not come up. Either Linux has too little memory, no driver for the network card or no"
        " address, or a firewall blocks the web server's port, or it was switched off.",
        "Look at its screen; then try more memory, and hwe: true for a newer kernel.",
    ),
    # it has the ISO
    Cause(
        "disarmed-meanwhile",
        ("seeds", "installer"),
        _withdrawn("disarm"),
        "It was disarmed while it booted, so its user-data is not handed out any more.",
        ARM,
    ),
    Cause(
        "expired-meanwhile",
        ("seeds", "installer"),
        _withdrawn("no report within"),
        "Its user-data is not handed out any more, since an earlier installation did not report in time.",
        ARM,
    ),
    Cause(
        "withdrawn-meanwhile",
        ("seeds", "installer"),
        _withdrawn(""),
        "Its state changed while it booted, so its user-data is not handed out any more.",
        ARM,
    ),
    Cause(
        "seeds-refused",
        ("seeds",),
        _no_seed(403, 429, 500, 503),
        "The web server refuses its user-data.",
        f"See /var/log/netboot on the server; systemctl restart {WEB_SERVER}.",
    ),
    Cause(
        "seeds-missing",
        ("seeds",),
        _no_seed(404),
        "Its seed is not on the server: it was armed anew since it booted, or files were taken away.",
        "Run homelab.netboot.site, arm it, and start it again.",
    ),
    Cause(
        "rescue",
        ("seeds",),
        _offers_menu,
        "Either somebody chose the rescue system in its menu, or the live system stopped.",
        "Nothing, if somebody did. Else look at its screen.",
    ),
    Cause(
        "live-stops",
        ("seeds",),
        _always,
        "It has the ISO, and asked for no user-data. Either it has too little memory, or the ISO does not start there,"
        " or cloud-init found no address.",
        "Look at its screen; give it more memory (README, Images: twice ISO and initrd, and 1 GB).",
    ),
    # it has its user-data
    Cause(
        "asks-a-person",
        ("installer",),
        _asks_person,
        "`autoinstall` is not on its kernel line, so the installer waits for a person.",
        SITE,
    ),
    Cause(
        "disk-full",
        ("installer", *LATE),
        lambda case: _full(case) and (_no_receipt(case) or case.refused(c.BEGUN)),
        "The server has no space on a disk, so it could not note that the installation begins.",
        "Make space on the server, and start the machine again.",
    ),
    Cause(
        "begin-refused",
        ("installer",),
        lambda case: case.refused(c.BEGUN),
        "The web server did not take its report that it begins, so nothing was installed.",
        f"See /var/log/netboot and the spool's folder on the server; systemctl restart {WEB_SERVER}.",
    ),
    Cause(
        "no-receipt",
        ("installer",),
        _no_receipt,
        "It told the server that it begins, and the server did not note it; nothing was installed.",
        "journalctl -u netboot-reports on the server says why; homelab.netboot.site puts it right.",
    ),
    Cause(
        "reported-failure",
        ("installer",),
        _reason("did not note"),
        "The installer stopped, since the server did not note that it begins.",
        "journalctl -u netboot-reports on the server says why. " + ARM,
    ),
    Cause(
        "user-data-refused",
        ("installer",),
        _log(r"autoinstall.*(?:validat|malformed|schema)|Malformed autoinstall"),
        "The installer refused its user-data.",
        "Mend what its log names, run homelab.netboot.site. " + ARM,
    ),
    Cause(
        "installer-waits",
        ("installer",),
        _always,
        "It has its user-data, and the installer did not begin. Either the installer refuses something in it, or the"
        " machine was switched off.",
        "Look at its screen. If it names a key of user-data, mend it, run homelab.netboot.site. " + ARM,
    ),
    # it installs
    *(
        Cause(f"guard-{key}", LATE, _reason(f"nothing was written: .*{pattern}"), cause, remedy)
        for key, pattern, cause, remedy in (
            (
                "holds",
                "holds ",
                "The guard stopped it: its disk holds something, and nobody said that it may be wiped.",
                "If its content may go: ansible-playbook homelab.netboot.arm -l {name}",
            ),
            (
                "label",
                "protected label",
                "The guard stopped it: a disk carries the protected label.",
                "Take that disk out or its label away. " + ARM,
            ),
            (
                "disk",
                "no disk has",
                "The guard stopped it: no disk is what netboot_expect says.",
                "Compare netboot_expect with the disks that its reason names. " + ARM,
            ),
            (
                "product",
                "the product",
                "The guard stopped it: it is another machine than netboot_expect says.",
                "Compare netboot_expect and netboot_mac with this machine. " + ARM,
            ),
            (
                "mac",
                "no network card",
                "The guard stopped it: no network card has the MAC that netboot_expect says.",
                "Compare netboot_expect with this machine. " + ARM,
            ),
            (
                "note",
                "did not note",
                "It stopped, since the server did not note that the installation begins.",
                "journalctl -u netboot-reports on the server says why. " + ARM,
            ),
            (
                "blind",
                "could not be looked at",
                "The guard could not look at the machine, and stopped it.",
                "Read its reason below; look at its disks. " + ARM,
            ),
        )
    ),
    *(
        Cause(f"failed-{key}", LATE, _log(pattern), cause, remedy + " " + ARM)
        for key, pattern, cause, remedy in (
            (
                "user-data",
                r"Malformed autoinstall|autoinstall.*validation|jsonschema",
                "The installer refused its user-data.",
                "Mend what its log names, run homelab.netboot.site.",
            ),
            (
                "no-disk",
                r"no disk.*match|could not find a disk|matched no disk",
                "The installer found no disk that its settings match.",
                "Compare netboot_disk with its disks.",
            ),
            (
                "late-command",
                r"late[-_]commands?.*(?:fail|exit|return|error)|CalledProcessError.*late",
                "A late-command failed.",
                "Mend the command that its log names, run homelab.netboot.site.",
            ),
            (
                "packages",
                r"Temporary failure resolving|Could not resolve|Unable to (?:locate|fetch)|apt-get.*returned",
                "Packages could not be fetched.",
                "See that it reaches its mirror, or name another one.",
            ),
            (
                "space",
                r"No space left on device",
                "Its disk is too small.",
                "Give it a larger disk or smaller partitions.",
            ),
            (
                "io",
                r"I/O error|SQUASHFS error|Buffer I/O",
                "A disk or the ISO could not be read or written.",
                "Test its memory and its disk.",
            ),
            (
                "memory",
                r"Out of memory|oom-kill|Cannot allocate memory",
                "It has too little memory.",
                "Give it more memory.",
            ),
        )
    ),
    Cause(
        "damaged-state",
        LATE,
        _reason("state file was damaged"),
        "Its state file was damaged, so nobody can tell how far it came.",
        "See what is on its disk. " + ARM,
    ),
    Cause(
        "report-refused",
        ("report", "disk"),
        lambda case: case.refused(c.INSTALLED),
        "It is installed most likely, and the web server did not take its report.",
        "See /var/log/netboot on the server and the spool's space; the machine boots its disk in any case.",
    ),
    Cause(
        "failed",
        LATE,
        _reason("^(?!no report within)"),
        "The installer failed.",
        "Its log is in /var/lib/netboot/logs/{name}.log on the server. " + ARM,
    ),
    Cause(
        "restarted",
        LATE,
        _again,
        "It began to install and started again without a report. Either it lost power, or it is installed and its"
        " report was lost.",
        "See what is on its disk. If it is not installed, arm it: ansible-playbook homelab.netboot.arm -l {name}",
    ),
    Cause(
        "never-reported",
        LATE,
        _always,
        "It began to install and never reported. Either it lost power or hangs, or it is installed and cannot reach the"
        " server.",
        "Look at its screen. If it is not installed, arm it: ansible-playbook homelab.netboot.arm -l {name}",
    ),
    # it has reported
    Cause(
        "report-thrown-away",
        ("up",),
        _other_token,
        "Its report was not of its last arming and was thrown away: it was armed anew while it installed.",
        "It will be installed again; to prevent that: ansible-playbook homelab.netboot.disarm -l {name}",
    ),
)


def _named(case: Case) -> bool:
    """Whether it was given an entry of its own."""
    own = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}")
    return any(own.search(event.name) for event in case.find(c.CONFIGURATION) if event.is_fetched)


def of(key: str) -> Iterable[Cause]:
    """The rows for a milestone that is missing."""
    return (row for row in CAUSES if key in row.at)
