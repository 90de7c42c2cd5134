# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, each with the cause that is right for it. `recorded`: its log is the lab's; else made of a good boot's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program import contract
from ansible_collections.homelab.netboot.plugins.module_utils._program.events import event as kinds
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import Clock, State
from ansible_collections.homelab.netboot.plugins.module_utils._program.why.case import Case, Facts
from ansible_collections.homelab.netboot.tests.unit.why.stories import first_boot, stories

Edit = Callable[[list[Event]], list[Event]]

FOCAL, NOBLE = "images/focal/edb3e720f8a1", "images/noble/217c6811e195"
ARMED_AT = "2026-11-25T00:00:00Z"
KINDS = (0, 7, 9, 11, 16)
ENTRY = "LABEL install\nAPPEND autoinstall ds=nocloud"
MENU = "LABEL install\nAPPEND autoinstall\nLABEL rescue\nLABEL disk"
#: Good boots: by BIOS to the report, by UEFI with Secure Boot to the report, by HTTP Boot, by iPXE.
BIOS, UEFI = ("good-demo", "f4:4d:30:60:64:69"), ("good-lifecycle", "52:54:00:12:35:02")
BY_HTTP, BY_IPXE = ("good-trixie", "52:54:00:12:34:13"), ("good-trixie-ipxe", "52:54:00:12:34:1b")


@dataclass(frozen=True)
class Fault:
    """What was done, the story that it makes, and the cause that must be found."""

    name: str
    found: str
    log: tuple[str, str]
    recorded: bool = False
    edit: Edit = list
    state: str = "armed"
    reason: str = ""
    after: float = 4000.0  # seconds from the last sign to the question
    facts: dict[str, Any] = field(default_factory=dict)

    def case(self) -> Case:
        """What `netboot why` would look at."""
        log, mac = self.log
        story = self.edit(first_boot(log, mac)) if mac in stories(log) else self.edit([])
        now = (story[-1].time if story else 1795625000.0) + self.after
        token, clock = ("t", Clock("b", 0.0)) if self.state in ("armed", "installing") else ("", None)
        state = State(mac, "x", self.state, ARMED_AT, self.reason, token, clock=clock)
        usual = Facts(now, entry=ENTRY, kinds=KINDS, unanswered=stories(log).get("", ()))
        return Case(story, state, replace(usual, **self.facts))


# --- what is done to a good boot


def until(pattern: str, *, also: bool = True) -> Edit:
    """Nothing after the first event whose kind and name are so; nor that one, unless `also`."""

    def edit(story: list[Event]) -> list[Event]:
        at = next(n for n, event in enumerate(story) if re.search(pattern, f"{event.kind} {event.name}"))
        return story[: at + also]

    return edit


def answered(pattern: str, status: int, size: int = 146) -> Edit:
    """The last such request was answered otherwise, and all that came later did not."""

    def edit(story: list[Event]) -> list[Event]:
        cut = until(pattern)(story)
        return [*cut[:-1], cut[-1]._replace(status=status, bytes=size)]

    return edit


def then(edit: Edit, *more: tuple[float, str, str, str]) -> Edit:
    """And then these happen: seconds later, kind, name, note."""

    def both(story: list[Event]) -> list[Event]:
        found = edit(story)
        end, mac = (found[-1].time, found[-1].mac) if found else (1795625000.0, story[0].mac if story else "")
        new = [Event(end + after, kind, name, mac, note=note) for after, kind, name, note in more]
        return sorted([*found, *new], key=lambda event: event.time)

    return both


def nothing(_story: list[Event]) -> list[Event]:
    """Nothing was ever heard of it."""
    return []


def failed(name: str, found: str, reason: str, log: str = "") -> Fault:
    """The installer reported that it failed."""
    edit = then(
        until("receipt"), (9, kinds.HTTP, "/reports/x.-.failed", ""), (9.1, kinds.STATE, "failed", reason)
    )

    def with_status(story: list[Event]) -> list[Event]:
        return [one._replace(status=201) if one.name.endswith(".failed") else one for one in edit(story)]

    return Fault(name, found, UEFI, edit=with_status, state="failed", reason=reason, facts={"log": log})


def offers(story: list[Event]) -> list[Event]:
    """It asks again and again."""
    first = story[0]
    return [first._replace(time=first.time + 8 * n) for n in range(8)]


def r(number: int, log: str) -> tuple[str, str]:
    """A machine of the recorded faults."""
    return f"fault-{log}", f"52:54:00:12:36:{number:02x}"


def recorded(name: str, found: str, log: tuple[str, str], **facts: Any) -> Fault:
    """A fault that was made to happen in the lab."""
    return Fault(name, found, log, True, facts=facts)


def _with_default(story: list[Event]) -> list[Event]:
    cut = until("tftp pxelinux.cfg/01-")(story)
    return [*cut, cut[-1]._replace(time=cut[-1].time + 0.1, name="pxelinux.cfg/default")]


BOOT, WEB = contract.BOOT_SERVER, contract.WEB_SERVER
GUARD = "not installed, nothing was written: "
STRANGER = [event for event in stories("fault-mixed")["52:54:00:12:36:0e"] if event.kind == kinds.OFFER]
SIZES = {f"{FOCAL}/focal.iso": 37_351_424, f"{NOBLE}/noble.iso": 64_528_384, f"{NOBLE}/vmlinuz": 8_247_232}
SIZES[f"{NOBLE}/initrd"] = 2_117_674


def no_space(story: list[Event]) -> list[Event]:
    """The begin was noted nowhere: the receipt never came."""
    return answered("receipt", 404)(story)


RECORDED = (
    recorded("TCP 80 is blocked", "http-blocked", r(1, "http-blocked")),
    recorded("UDP 69 is blocked", "tftp-blocked", r(2, "http-blocked")),
    recorded("UDP 4011 is blocked", "offer-not-taken", r(3, "http-blocked")),
    recorded("the kernel is not there", "kernel-missing", r(4, "not-found")),
    recorded("the initrd is not there", "initrd-missing", r(5, "not-found")),
    recorded("the ISO is not there", "iso-missing", r(6, "not-found")),
    recorded("the seed is not there", "seeds-missing", r(7, "not-found")),
    recorded("the initrd is another image's", "versions-differ", r(8, "mixed")),
    recorded("the kernel is another one, cut short", "versions-differ", r(9, "mixed")),
    recorded("its entry is not readable", "loader-denied", r(10, "mixed")),
    recorded(
        "the inventory has another MAC", "other-mac", ("fault-mixed", "52:54:00:12:36:ee"), strangers=STRANGER
    ),
    recorded("96 MB of memory", "iso-cut", r(23, "disarmed-memory"), sizes=SIZES),
    recorded("64 MB of memory", "linux-stops", r(24, "disarmed-memory")),
    recorded("the kernel is not signed, Secure Boot", "kernel-refused", r(11, "disarmed-memory")),
    recorded("dnsmasq is stopped, BIOS", "boot-server-down", r(15, "no-dnsmasq"), stopped=(BOOT,)),
    recorded("dnsmasq is stopped, UEFI", "boot-server-down", r(16, "no-dnsmasq"), stopped=(BOOT,)),
    recorded("nginx is stopped, BIOS", "web-server-down", r(17, "no-nginx"), stopped=(WEB,)),
    recorded("nginx is stopped, UEFI", "web-server-down", r(18, "no-nginx"), stopped=(WEB,)),
    recorded("lpxelinux.0 is not there", "loader-missing", r(19, "no-loader")),
    recorded("ldlinux.c32 is not there", "second-part-missing", r(20, "no-second-loader")),
    recorded("GRUB is not there", "grub-missing", r(21, "no-second-loader")),
    recorded("shim is damaged, Secure Boot", "shim-refused", r(22, "shim-refused")),
    Fault(
        "no authority that firmware knows signed shim",
        "shim-refused",
        UEFI,
        edit=lambda story: [
            one._replace(name=one.name.replace("efi/", "efi/2023/"))
            for one in until("tftp efi/shimx64.efi")(story)
        ],
    ),
    recorded("no loader for UEFI", "no-loader-for-kind", r(26, "arch-not-offered"), kinds=(0,)),
    recorded("the same kernel, another GRUB", "kernel-refused", ("good-trixie", "52:54:00:12:34:15")),
    Fault(
        "a disk holds something",
        "guard-holds",
        ("good-lifecycle", "52:54:00:12:35:01"),
        True,
        state="failed",
        reason=GUARD + "disk sda (1 TB) holds sda1 ext4: to wipe it, run homelab.netboot.arm -l life-bios",
    ),
    Fault(
        "no disk is called as it says",
        "guard-match",
        ("good-lifecycle", "52:54:00:12:35:03"),
        state="failed",
        reason=GUARD + 'no disk fits {"serial": "2112*"}; there are sda (serial 37PYNGAFS, 1 TB)',
    ),
    Fault(
        "two disks are called as it says",
        "guard-match",
        ("good-lifecycle", "52:54:00:12:35:03"),
        state="failed",
        reason=GUARD + "the serial 2112* fits sda (serial 21122DB99114, 500.1 GB), sdb (serial 21122DA80425",
    ),
    Fault(
        "the disk is another one",
        "guard-disk",
        ("good-lifecycle", "52:54:00:12:35:03"),
        True,
        state="failed",
        reason=GUARD + "no disk has the disk_serial LAB-somebody-elses; there are sda (1 TB)",
    ),
    Fault(
        "its report is refused",
        "report-refused",
        ("good-lifecycle", "52:54:00:12:35:04"),
        True,
        state="installing",
        after=20000,
    ),
)

COMPOSED = (
    Fault("another PXE server answers first", "offer-not-taken", BIOS, edit=offers),
    Fault(
        "the router names a boot file of its own",
        "offer-not-taken",
        UEFI,
        edit=lambda story: offers(story)[:1],
    ),
    Fault("the router gives no address", "offer-not-taken", BIOS, edit=lambda story: offers(story)[:3]),
    Fault("it never asks", "never-asked", BIOS, edit=nothing),
    Fault(
        "a kind that is not answered asks",
        "not-offered",
        BIOS,
        edit=nothing,
        facts={"unanswered": [Event(1795628000.0, kinds.UNANSWERED, "HTTPClient:Arch:00016:UNDI:003000")]},
    ),
    Fault(
        "its disk comes first in the firmware",
        "not-restarted",
        BIOS,
        edit=then(list, (3600, kinds.STATE, "armed", "armed by hand")),
    ),
    Fault("HTTP Boot, port blocked", "http-blocked-for-loader", BY_HTTP, edit=until("^loader http:")),
    Fault(
        "HTTP Boot, nginx stopped",
        "web-server-down-for-loader",
        BY_HTTP,
        edit=until("^loader http:"),
        facts={"stopped": (WEB,)},
    ),
    Fault(
        "TFTP breaks off",
        "tftp-broken",
        BIOS,
        edit=then(until("lpxelinux.0", also=True), (30, kinds.STOPPED, "lpxelinux.0", "failed sending")),
    ),
    Fault("GRUB is revoked", "grub-refused", UEFI, edit=until("grubx64.efi")),
    Fault(
        "the loader does not start",
        "loader-hangs",
        BIOS,
        edit=until("ldlinux", also=False),
    ),
    Fault("iPXE is not signed, Secure Boot", "ipxe-stops", BY_IPXE, edit=until("tftp efi/ipxe.efi")),
    Fault(
        "its cache does not answer",
        "behind-cache",
        UEFI,
        edit=until("grub/machines/"),
        facts={"cache": "192.168.30.5"},
    ),
    Fault("GRUB stops before its entry", "loader-stops", UEFI, edit=until("grub/grub.cfg")),
    Fault(
        "no entry at all",
        "entry-missing",
        BIOS,
        edit=lambda story: [
            one._replace(kind=kinds.MISSING) if "pxelinux.cfg/" in one.name else one
            for one in _with_default(story)
        ],
    ),
    Fault(
        "its own entry is not there",
        "other-entry",
        BIOS,
        edit=lambda story: [
            one._replace(name="pxelinux.cfg/default") if one.is_fetched and "01-" in one.name else one
            for one in until("pxelinux.cfg/01-")(story)
        ],
    ),
    Fault(
        "another entry of its menu", "menu-disk", UEFI, edit=until("grub/machines/"), facts={"entry": MENU}
    ),
    Fault("HTTP blocked, UEFI", "http-blocked", UEFI, edit=until("grub/machines/")),
    Fault(
        "the loader breaks HTTP off",
        "kernel-cut",
        UEFI,
        edit=answered("vmlinuz", 200, 4_000_000),
        facts={"sizes": SIZES},
    ),
    Fault(
        "the initrd breaks off",
        "initrd-cut",
        UEFI,
        edit=answered("initrd", 200, 2_000_000),
        facts={"sizes": SIZES},
    ),
    Fault(
        "the ISO breaks off",
        "iso-cut",
        UEFI,
        edit=answered(r"\.iso", 200, 60_000_000),
        facts={"sizes": SIZES},
    ),
    Fault("another network than allowed", "kernel-forbidden", UEFI, edit=answered("vmlinuz", 403)),
    Fault("it stops after the kernel, BIOS", "stops-after-kernel", BIOS, edit=until("vmlinuz")),
    Fault(
        "the ISO was changed",
        "image-changed",
        UEFI,
        edit=until(r"\.iso"),
        facts={"changed": (f"{NOBLE}/noble.iso",)},
    ),
    Fault(
        "the initrd was cut on the server",
        "image-changed",
        UEFI,
        edit=until("initrd"),
        facts={"changed": (f"{NOBLE}/initrd",)},
    ),
    Fault("no driver, Secure Boot", "linux-stops-secure", UEFI, edit=until("initrd")),
    Fault("no driver, BIOS", "linux-stops", BIOS, edit=until("initrd")),
    Fault("too little memory for the ISO", "live-stops", UEFI, edit=until(r"\.iso")),
    Fault("rescue was chosen", "rescue", UEFI, edit=until(r"\.iso"), facts={"entry": MENU}),
    Fault(
        "disarmed while it boots",
        "disarmed-meanwhile",
        UEFI,
        state="local",
        reason="disarmed",
        edit=then(answered("meta-data", 404), (-20, kinds.STATE, "local", "disarmed")),
    ),
    Fault(
        "expired while it boots",
        "expired-meanwhile",
        UEFI,
        state="failed",
        reason="no report within 4 hours",
        edit=then(answered("meta-data", 404), (-20, kinds.STATE, "failed", "no report within 4 hours")),
    ),
    Fault("the seed is refused", "seeds-refused", UEFI, edit=answered("meta-data", 503)),
    Fault(
        "no autoinstall on the kernel line",
        "asks-a-person",
        UEFI,
        edit=until("vendor-data"),
        state="installing",
        facts={"entry": "LABEL install\nAPPEND ds=nocloud"},
    ),
    Fault(
        "user-data is refused, or the machine off",
        "installer-waits",
        UEFI,
        edit=until("vendor-data"),
        state="installing",
    ),
    Fault("the begin is refused", "begin-refused", BIOS, edit=answered("begun", 503), state="installing"),
    Fault(
        "the server's disk is full",
        "disk-full",
        BIOS,
        edit=no_space,
        state="installing",
        facts={"full": ("/var/lib/netboot",)},
    ),
    Fault("no receipt", "no-receipt", BIOS, edit=no_space, state="installing"),
    failed("protected label", "guard-label", GUARD + "/dev/sda1 carries the protected label KEEP"),
    failed("another product", "guard-product", GUARD + "the product is X, not Y"),
    failed("another network card", "guard-mac", GUARD + "no network card has the mac 52:54:00:00:00:01"),
    failed(
        "the guard cannot look",
        "guard-blind",
        GUARD + "the machine could not be looked at: lsblk ended with 1",
    ),
    failed(
        "user-data is malformed",
        "failed-user-data",
        "the installer failed",
        "Malformed autoinstall in 'storage' section",
    ),
    failed(
        "no disk matches",
        "failed-no-disk",
        "the installer failed",
        "Exception: matched no disk with {'serial': 'x'}",
    ),
    failed(
        "a late-command fails",
        "failed-late-command",
        "the installer failed",
        "finish: subiquity/Late/run: FAIL: late-commands returned non-zero exit status 3",
    ),
    failed(
        "no mirror",
        "failed-packages",
        "the installer failed",
        "Temporary failure resolving 'archive.ubuntu.com'",
    ),
    Fault(
        "it fails, and its report does not come",
        "failed-untold",
        UEFI,
        edit=then(
            until(r"\.installed$", also=False),
            (1, kinds.BEGINS, "/progress/x.-/subiquity/Install/install", ""),
            (2, kinds.FAILS, "/progress/x.-/subiquity/Install/install/curtin_install", "no space"),
            (2, kinds.FAILS, "/progress/x.-/subiquity/Install/install", "no space"),
        ),
        state="installing",
    ),
    Fault(
        "a step fails, and is tried again",
        "never-reported",
        UEFI,
        edit=then(
            until(r"\.installed$", also=False),
            (1, kinds.BEGINS, "/progress/x.-/subiquity/Install/install", ""),
            (2, kinds.FAILS, "/progress/x.-/subiquity/Install/install/postinstall/retrieving", "no answer"),
        ),
        state="installing",
        after=20000.0,
    ),
    failed("the disk is too small", "failed-space", "the installer failed", "cp: No space left on device"),
    failed(
        "the disk is broken", "failed-io", "the installer failed", "blk_update_request: I/O error, dev sda"
    ),
    failed("memory runs out", "failed-memory", "the installer failed", "Out of memory: Killed process 812"),
    failed("it fails, and nobody knows why", "failed", "the installer failed", "Traceback"),
    Fault(
        "it never reports",
        "never-reported",
        UEFI,
        edit=until("receipt"),
        state="failed",
        reason="no report within 4 hours after user-data was fetched",
    ),
    Fault(
        "power cut while it installs",
        "restarted",
        UEFI,
        state="installing",
        edit=lambda story: [
            *(cut := until("begun")(story)),
            *(
                one._replace(time=one.time + cut[-1].time - story[0].time + 600)
                for one in until("grub/machines/")(story)
            ),
        ],
    ),
    Fault("armed anew while it installs", "report-thrown-away", UEFI, state="installing"),
    Fault(
        "its state file is damaged",
        "damaged-state",
        UEFI,
        edit=until("receipt"),
        state="failed",
        reason="its state file was damaged; what was in it is kept as x",
    ),
)
FAULTS: Sequence[Fault] = (*RECORDED, *COMPOSED)
