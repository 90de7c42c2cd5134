# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the boot matrix, and what must be true of each. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab import verdict
from tests.lab.arch import AMD64, Arch
from tests.lab.firmware import (
    ARM64_HTTP_BOOT,
    ARM64_SECURE,
    ARM64_UEFI,
    BIOS,
    HTTP_BOOT,
    LAB_SECURE,
    SECURE,
    UEFI,
    Firmware,
)
from tests.lab.image import SUITES
from tests.lab.story import Story


@dataclass(frozen=True)
class Facts:
    """What the checks need to know of the image: its ISO's path in the URL, and bytes; the machine's processor; and
    what the run said.
    """

    iso: str
    iso_bytes: int
    boot_bytes: int
    arch: Arch = AMD64
    said: str = ""


Check = Callable[[Story, Facts], list[str]]


@dataclass(frozen=True)
class Row:
    """One boot. inventory: which of tests/matrix/inventory the server was set up from."""

    path: str
    suite: str
    mac: str
    check: Check
    inventory: str = "named"
    firmware: Firmware = BIOS
    image: str = "focal"
    twice: bool = False  # switched on again as soon as it has ended; the check holds for both boots
    strip: str = ""  # a kernel argument that is taken off this machine's entry on the server
    pick: str = ""  # the entry of its menu that is made the first one, on the server
    tamper: bool = False  # its entry on the server gets another kernel: the same, but for one byte
    other_mac: str = ""  # of a network card before the one that boots, on the same network
    other_cable: bool = (
        True  # whether that one has a cable; without one it is the first that the firmware tries
    )
    shut: int = 0  # a UDP port of the server that does not hear this machine
    router: str = ""  # what the router says of booting to this machine: one of lan.odd_answers
    away: bool = False  # the server is stopped before it is switched on, behind all others
    kernel_of: str = ""  # its entry on the server gets the kernel of this image
    network: str = ""  # of its server that it boots in; the first one when empty

    @property
    def name(self) -> str:
        """The row's name in tables and for --row."""
        return f"{self.path}-{self.suite}"


def _installed(story: Story, facts: Facts) -> list[str]:
    return verdict.installed(story, facts.iso, facts.iso_bytes, facts.boot_bytes)


def lpxelinux(story: Story, facts: Facts) -> list[str]:
    """Installed by name; all but the loader by HTTP."""
    search = verdict.searched(story, "01-" + story.mac.replace(":", "-"))
    return _installed(story, facts) + verdict.by_http(story) + search


def pxelinux(story: Story, facts: Facts) -> list[str]:
    """Installed by name; loader, kernel and initrd by TFTP."""
    search = verdict.searched(story, "01-" + story.mac.replace(":", "-"))
    return _installed(story, facts) + verdict.by_tftp(story) + search


def second_any(story: Story, facts: Facts) -> list[str]:
    """Not named, in the server's second network: the file of that network, by its address in hexadecimal."""
    return _installed(story, facts) + verdict.by_http(story) + verdict.searched(story, "C0A81F")


def second_any_secure(story: Story, facts: Facts) -> list[str]:
    """The same by GRUB, which has it from the address of the server that it was started by; Secure Boot on."""
    chain = verdict.by_grub(story, known=False, default="grub/192.168.31.50/default.cfg")
    return _installed(story, facts) + chain + verdict.secure_boot(story, "kernel")


def alone_bios(story: Story, facts: Facts) -> list[str]:
    """Installed by name where only the server gives addresses; the loader was named with the address."""
    search = verdict.searched(story, "01-" + story.mac.replace(":", "-"))
    return _installed(story, facts) + verdict.by_http(story, named=verdict.in_the_offer) + search


def alone_uefi_secure(story: Story, facts: Facts) -> list[str]:
    """The same by shim and GRUB, Secure Boot on."""
    chain = verdict.by_grub(story, named=verdict.in_the_offer)
    return _installed(story, facts) + chain + verdict.secure_boot(story, "kernel")


def alone_unknown(story: Story, _facts: Facts) -> list[str]:
    """Not named there: an address of the server, and its own disk, by the file of that network."""
    chain = verdict.loader(story, "lpxelinux.0", verdict.in_the_offer) + verdict.searched(story, "C0A820")
    return verdict.left_alone(story) + chain


def cached_any_secure(story: Story, facts: Facts) -> list[str]:
    """Not named, in a network with a cache: GRUB, which came from the server, finds its file by its own address."""
    chain = verdict.by_grub(story, known=False, default="grub/192.168.33.5/default.cfg")
    return _installed(story, facts) + chain + verdict.secure_boot(story, "kernel")


def nobody_there(story: Story, _facts: Facts) -> list[str]:
    """The server is away: the cache alone answers nobody, and its disk boots."""
    asked = [step.name for step in story.steps if step.kind in ("offer", "loader", "tftp", "http")]
    return verdict.left_alone(story) + [f"it got {name}" for name in asked]


def never(story: Story, _facts: Facts) -> list[str]:
    """A machine that is named, but not to be installed: its own disk."""
    return verdict.left_alone(story) + verdict.searched(story, "01-" + story.mac.replace(":", "-"))


def unknown(story: Story, _facts: Facts) -> list[str]:
    """A machine that the inventory does not name: its own disk."""
    return verdict.left_alone(story) + verdict.searched(story, "default")


def needs_port_4011(story: Story, _facts: Facts) -> list[str]:
    """The offer alone, without an answer of port 4011, starts nothing: its own disk."""
    faults = [] if story.of("offer") else ["the server offered nothing"]
    faults += [f"{step.name} was named" for step in story.of("loader")]
    return faults + [f"it fetched {step.name}" for step in story.of("tftp")] + verdict.left_alone(story)


def uefi(story: Story, facts: Facts) -> list[str]:
    """Installed by name, through shim and GRUB, Secure Boot off."""
    return _installed(story, facts) + verdict.by_grub(story, arch=facts.arch) + verdict.secure_boot(story, "")


def uefi_secure(story: Story, facts: Facts) -> list[str]:
    """The same with Secure Boot on, which the kernel says."""
    return (
        _installed(story, facts)
        + verdict.by_grub(story, arch=facts.arch)
        + verdict.secure_boot(story, "kernel")
    )


def http_boot_secure(story: Story, facts: Facts) -> list[str]:
    """Installed by name with Secure Boot on, all by HTTP from the first byte; it asked for an authority's shim."""
    return (
        _installed(story, facts)
        + verdict.by_http_boot(story, folder="efi/2011", arch=facts.arch)
        + verdict.secure_boot(story, "kernel")
    )


def uefi_never_secure(story: Story, _facts: Facts) -> list[str]:
    """Named, but not to be installed: shim and GRUB start what is on the disk; Secure Boot on, as its GRUB says."""
    return verdict.left_alone(story) + verdict.by_grub(story) + verdict.secure_boot(story, "grub")


def uefi_unknown(story: Story, facts: Facts) -> list[str]:
    """Not named: the same, Secure Boot off."""
    chain = verdict.by_grub(story, known=False, arch=facts.arch)
    return verdict.left_alone(story) + chain + verdict.secure_boot(story, "")


def uefi_unknown_secure(story: Story, _facts: Facts) -> list[str]:
    """The same with Secure Boot on."""
    return (
        verdict.left_alone(story) + verdict.by_grub(story, known=False) + verdict.secure_boot(story, "grub")
    )


def http_boot_disk_secure(story: Story, _facts: Facts) -> list[str]:
    """The same by HTTP Boot."""
    return verdict.left_alone(story) + verdict.by_http_boot(story) + verdict.secure_boot(story, "grub")


def ipxe(story: Story, facts: Facts) -> list[str]:
    """Installed by name, through iPXE, Secure Boot off."""
    return _installed(story, facts) + verdict.by_ipxe(story) + verdict.secure_boot(story, "")


def ipxe_disk(story: Story, _facts: Facts) -> list[str]:
    """Not to be installed, or not named: iPXE hands over to the disk."""
    return verdict.left_alone(story) + verdict.by_ipxe(story) + verdict.secure_boot(story, "")


def menu(story: Story, facts: Facts) -> list[str]:
    """Installed by name, since nobody chose anything else in the menu."""
    shown = [] if any(step.name == "menu.c32" for step in story.of("tftp")) else ["no menu was shown"]
    return _installed(story, facts) + verdict.by_http(story) + shown


def rescue(story: Story, _facts: Facts) -> list[str]:
    """The menu's entry "rescue": the live system. The lab's initrd knows only how to install, and so ends there."""
    return verdict.rescued(story) + verdict.by_http(story)


def rescue_secure(story: Story, _facts: Facts) -> list[str]:
    """The same by GRUB, Secure Boot on, with the shim of the authority that the machine asked for."""
    return (
        verdict.rescued(story)
        + verdict.by_grub(story, folder="efi/2011")
        + verdict.secure_boot(story, "kernel")
    )


def refused(story: Story, _facts: Facts) -> list[str]:
    """A kernel whose signature does not fit is not started; the machine goes on to its disk."""
    return verdict.refused(story) + verdict.by_grub(story) + verdict.secure_boot(story, "grub")


def predicted(facts: Facts) -> list[str]:
    """The run said which image loses Secure Boot, and why; and that the others keep it."""
    words = (
        "start with shim and GRUB 2.12, signed by authority, from the ISO of today",
        "Shim does not start the kernel of image revoked (x64): ",
        "vmlinuz is revoked: its shim refuses it by name.",
        "UEFI machines that get this image are offered iPXE instead, for which Secure Boot must be off",
    )
    text = " ".join(facts.said.split())
    return [f"the run did not say: {each}" for each in words if each not in text]


def beside_revoked_secure(story: Story, facts: Facts) -> list[str]:
    """A machine whose image is not the revoked one keeps shim, GRUB and Secure Boot."""
    return predicted(facts) + uefi_secure(story, facts)


def revoked_ipxe(story: Story, facts: Facts) -> list[str]:
    """A machine of the revoked image gets iPXE, and is installed with Secure Boot off, as the run said."""
    return predicted(facts) + ipxe(story, facts)


def revoked_secure(story: Story, facts: Facts) -> list[str]:
    """With Secure Boot on its firmware refuses iPXE, as the run said; it fetches nothing else."""
    ended = (
        [] if story.end == "refused by the firmware" else [f"the firmware did not refuse it ({story.ending})"]
    )
    fetched = [step.name for step in story.steps if step.kind in ("loader", "tftp", "http")]
    wrong = [] if set(fetched) == {"efi/ipxe.efi"} else [f"it got {fetched}"]
    return predicted(facts) + ended + wrong


def cloud_init(story: Story, facts: Facts) -> list[str]:
    """Installed with cloud-init's real code, which fetched what the imitation in all other rows fetches."""
    return _installed(story, facts) + verdict.by_http(story) + verdict.real_cloud_init(story)


def waste(story: Story, facts: Facts) -> list[str]:
    """The same without the argument: cloud-init fetches the ISO once in each of two stages.

    It is also the proof that the check of bytes can fail: exactly the two faults that this makes.
    """
    faults = _installed(story, facts)
    expected = (
        "the ISO was fetched 3 times",
        f"{story.bytes_tftp + story.bytes_http:,} bytes fetched, more than",
    )
    missed = [f"not noticed: {text}" for text in expected if not any(text in fault for fault in faults)]
    agents = [step.agent for step in story.of("http") if step.name == facts.iso]
    if [agent.partition("/")[0] for agent in agents] != ["Wget", "Cloud-Init", "Cloud-Init"]:
        missed.append(f"the ISO was fetched by {agents}")
    return missed + [fault for fault in faults if not fault.startswith(expected)]


def waste_real(story: Story, facts: Facts) -> list[str]:
    """The waste by cloud-init's real code, from which the imitation was made."""
    return waste(story, facts) + verdict.real_cloud_init(story)


def on_both(path: str, mac: str, check: Check, **more: Any) -> list[Row]:
    """The row with a server of each suite: what hangs on its dnsmasq, or on the loaders of its packages."""
    return [Row(path, suite, mac, check, **more) for suite in SUITES]


ARM64_ROWS = (
    # They come last: the machines before them then boot in the groups in which they always did.
    # In most of their images the kernel is as Debian has it, not packed.
    Row(
        "arm64-http-boot-secure-boot",
        "trixie",
        "52:54:00:12:34:30",
        http_boot_secure,
        firmware=ARM64_HTTP_BOOT,
        image="arm64",
    ),
    Row(
        "arm64-pxe-secure-boot",
        "trixie",
        "52:54:00:12:34:31",
        uefi_secure,
        firmware=ARM64_SECURE,
        image="arm64",
    ),
    Row("arm64-unknown", "trixie", "52:54:00:12:34:3d", uefi_unknown, firmware=ARM64_UEFI, image="arm64"),
    Row("arm64-pxe", "bookworm", "52:54:00:12:34:32", uefi, firmware=ARM64_UEFI, image="arm64-packed"),
    # Debian's GRUB 2.12 has shim judge the very file: it would refuse this kernel if the server did not unpack it.
    Row(
        "arm64-packed-kernel-secure-boot",
        "bookworm",
        "52:54:00:12:34:3a",
        uefi_secure,
        firmware=ARM64_SECURE,
        image="arm64-packed",
    ),
)
NETWORK_ROWS = (
    # A home router that was told of booting once: a next server that nobody is, or a boot file that it has not. Two of
    # the machines that boot at once would be offered one address, did the router keep none for them.
    Row(
        "bios-unknown-router-next-server",
        "trixie",
        "52:54:00:12:34:41",
        unknown,
        router="next-server-nowhere",
    ),
    Row("bios-unknown-router-boot-file", "trixie", "52:54:00:12:34:71", unknown, router="boot-file"),
    Row(
        "uefi-unknown-router-next-server",
        "trixie",
        "52:54:00:12:34:42",
        uefi_unknown,
        firmware=UEFI,
        router="next-server-nowhere",
    ),
    Row(
        "uefi-unknown-router-boot-file",
        "trixie",
        "52:54:00:12:34:72",
        uefi_unknown,
        firmware=UEFI,
        router="boot-file",
    ),
    Row("bios-needs-port-4011", "trixie", "52:54:00:12:34:47", needs_port_4011, shut=4011),
)
SECOND = "second"
"""The inventory whose servers have three networks, and the second of them: its machines are not named."""
ALONE = "alone"
"""The third of them, where the server gives the addresses."""
SECOND_ROWS = (
    Row(
        "dhcp-http-boot-secure-boot",
        "trixie",
        "52:54:00:12:34:66",
        http_boot_secure,
        inventory=SECOND,
        network=ALONE,
        firmware=HTTP_BOOT,
    ),
    Row(
        "dhcp-uefi-secure-boot",
        "trixie",
        "52:54:00:12:34:67",
        alone_uefi_secure,
        inventory=SECOND,
        network=ALONE,
        firmware=SECURE,
    ),
    Row(
        "second-network-uefi-secure-boot-any",
        "trixie",
        "52:54:00:12:34:65",
        second_any_secure,
        inventory=SECOND,
        network=SECOND,
        firmware=SECURE,
    ),
    Row(
        "second-network-bios-any",
        "bookworm",
        "52:54:00:12:34:0e",
        second_any,
        inventory=SECOND,
        network=SECOND,
    ),
    Row("dhcp-bios-unknown", "trixie", "52:54:00:12:34:6e", alone_unknown, inventory=SECOND, network=ALONE),
    Row("dhcp-bios", "bookworm", "52:54:00:12:34:68", alone_bios, inventory=SECOND, network=ALONE),
)
RELAYED = "relayed"
"""The inventory whose machines are in another network, behind a DHCP relay."""
RELAYED_ROWS = (
    Row(
        "relayed-http-boot-secure-boot",
        "trixie",
        "52:54:00:12:34:61",
        http_boot_secure,
        inventory=RELAYED,
        firmware=HTTP_BOOT,
    ),
    Row(
        "relayed-uefi-secure-boot",
        "trixie",
        "52:54:00:12:34:62",
        uefi_secure,
        inventory=RELAYED,
        firmware=SECURE,
    ),
    Row("relayed-bios", "bookworm", "52:54:00:12:34:63", lpxelinux, inventory=RELAYED),
    Row("relayed-bios-unknown", "trixie", "52:54:00:12:34:6f", unknown, inventory=RELAYED),
)
CACHED = "cached"
"""The inventory whose machines are in a network of their own, with a cache: one of Debian 12, its server of 13."""
CACHED_ROWS = (
    Row("cached-uefi-secure-boot", "trixie", "52:54:00:12:34:71", uefi_secure, CACHED, SECURE),
    Row("cached-uefi-any-secure-boot", "trixie", "52:54:00:12:34:7e", cached_any_secure, CACHED, SECURE),
    Row("cached-bios", "trixie", "52:54:00:12:34:72", lpxelinux, CACHED),
    Row("cached-bios-never", "trixie", "52:54:00:12:34:73", never, CACHED),
    Row("cached-bios-server-away", "trixie", "52:54:00:12:34:74", nobody_there, CACHED, away=True),
)
ROWS = (
    # The slowest first. HTTP Boot needs dnsmasq 2.91 on the server, so it has no row on bookworm, which has 2.90.
    Row("uefi-http-boot-secure-boot", "trixie", "52:54:00:12:34:13", http_boot_secure, firmware=HTTP_BOOT),
    Row(
        "uefi-http-boot-unknown-secure-boot",
        "trixie",
        "52:54:00:12:34:1d",
        http_boot_disk_secure,
        firmware=HTTP_BOOT,
    ),
    *on_both("uefi-pxe-secure-boot", "52:54:00:12:34:12", uefi_secure, firmware=SECURE),
    Row("uefi-pxe", "trixie", "52:54:00:12:34:11", uefi, firmware=UEFI),
    Row(
        "uefi-kernel-refused-secure-boot",
        "trixie",
        "52:54:00:12:34:15",
        refused,
        firmware=SECURE,
        tamper=True,
    ),
    Row("uefi-never-secure-boot", "bookworm", "52:54:00:12:34:14", uefi_never_secure, firmware=SECURE),
    Row("uefi-unknown-secure-boot", "trixie", "52:54:00:12:34:1f", uefi_unknown_secure, firmware=SECURE),
    Row("uefi-unknown", "bookworm", "52:54:00:12:34:1e", uefi_unknown, firmware=UEFI),
    *on_both("uefi-ipxe-quirk", "52:54:00:12:34:17", ipxe, firmware=UEFI),
    # How Debian 12's iPXE goes on to a disk is the firmware's business: it only gives back.
    Row("uefi-ipxe-quirk-never", "trixie", "52:54:00:12:34:18", ipxe_disk, firmware=UEFI),
    Row("uefi-ipxe", "trixie", "52:54:00:12:34:1b", ipxe, inventory="ipxe", firmware=UEFI),
    Row("uefi-ipxe-unknown", "trixie", "52:54:00:12:34:1c", ipxe_disk, inventory="ipxe", firmware=UEFI),
    Row(
        "uefi-rescue-secure-boot",
        "trixie",
        "52:54:00:12:34:1a",
        rescue_secure,
        firmware=SECURE,
        pick="rescue",
    ),
    # GRUB's HTTP begins at the same TCP port each time (rhboot/grub2): the server still knows the old connection.
    Row(
        "uefi-quick-restart-secure-boot",
        "trixie",
        "52:54:00:12:34:16",
        uefi_secure,
        firmware=SECURE,
        twice=True,
    ),
    Row(
        "uefi-second-card-secure-boot",
        "trixie",
        "52:54:00:12:34:45",
        uefi_secure,
        firmware=SECURE,
        other_mac="52:54:00:12:34:75",
    ),
    Row(
        "bios-second-card",
        "trixie",
        "52:54:00:12:34:46",
        lpxelinux,
        other_mac="52:54:00:12:34:76",
        other_cable=False,
    ),
    *NETWORK_ROWS,
    Row(
        "uefi-beside-revoked-secure-boot",
        "trixie",
        "52:54:00:12:34:56",
        beside_revoked_secure,
        inventory="revoked",
        firmware=LAB_SECURE,
        image="today",
    ),
    # What would be if the run had not judged: the proof that shim refuses this kernel.
    Row(
        "uefi-revoked-kernel-refused-secure-boot",
        "trixie",
        "52:54:00:12:34:57",
        refused,
        inventory="revoked",
        firmware=LAB_SECURE,
        image="today",
        kernel_of="revoked",
    ),
    Row(
        "uefi-revoked-secure-boot",
        "trixie",
        "52:54:00:12:34:58",
        revoked_secure,
        inventory="revoked",
        firmware=LAB_SECURE,
        image="revoked",
    ),
    Row(
        "uefi-revoked",
        "trixie",
        "52:54:00:12:34:59",
        revoked_ipxe,
        inventory="revoked",
        firmware=UEFI,
        image="revoked",
    ),
    *on_both("bios-lpxelinux", "52:54:00:12:34:01", lpxelinux),
    *on_both("bios-pxelinux", "52:54:00:12:34:02", pxelinux),
    Row("bios-never", "trixie", "52:54:00:12:34:04", never),
    Row("bios-unknown", "bookworm", "52:54:00:12:34:0f", unknown),
    Row("bios-menu", "trixie", "52:54:00:12:34:05", menu),
    Row("bios-rescue", "bookworm", "52:54:00:12:34:06", rescue, pick="rescue"),
    Row("cloud-init-real", "trixie", "52:54:00:12:34:21", cloud_init, image="noble"),
    Row(
        "cloud-init-real-waste",
        "trixie",
        "52:54:00:12:34:22",
        waste_real,
        image="noble",
        strip="cloud-config-url=/dev/null",
    ),
    Row(
        "cloud-init-imitated-waste", "trixie", "52:54:00:12:34:03", waste, strip="cloud-config-url=/dev/null"
    ),
    *RELAYED_ROWS,
    *CACHED_ROWS,
    *SECOND_ROWS,
    *ARM64_ROWS,
)


def chosen(pattern: str) -> list[Row]:
    """The rows whose name contains the pattern; all for an empty one."""
    return [row for row in ROWS if pattern in row.name]
