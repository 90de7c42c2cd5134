# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of a boot, checked on its story. Pure; every function returns a list of faults."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

from .arch import AMD64, Arch
from .story import SEEDS, Story

Named = Callable[[Story], list[str]]
"""Checks which of the server's answers named the loader: by_port_4011 or in_the_offer."""
ALLOWANCE = 8 * 2**20
"""Bytes that a client may fetch beyond ISO, kernel and initrd: loaders, configuration, seeds."""
AT_ONCE = 0.2
"""Seconds between the lines of one answer in the server's log, at most."""


def classic_search(mac: str, ip: str) -> list[str]:
    """The names that PXELINUX asks for after the UUID: MAC, address in hex cut digit by digit, default."""
    digits = "".join(f"{int(part):02X}" for part in ip.split("."))
    return ["01-" + mac.replace(":", "-"), *(digits[:length] for length in range(8, 0, -1)), "default"]


def installed(story: Story, iso: str, iso_bytes: int, boot_bytes: int) -> list[str]:
    """A machine got everything that an installation needs, and nothing twice.

    iso: the path of its URL; boot_bytes: kernel and initrd together.
    """
    faults = [] if story.end == "done" else [f"the machine did not get to the end ({story.ending})"]
    isos = [step for step in story.of("http") if step.name == iso]
    if [step.status for step in isos] != [200]:
        answers = [(step.status, step.agent) for step in isos]
        faults.append(f"the ISO was fetched {len(isos)} times instead of once: {answers}")
    total, limit = story.bytes_tftp + story.bytes_http, iso_bytes + boot_bytes + ALLOWANCE
    if total > limit:
        faults.append(f"{total:,} bytes fetched, more than {limit:,} (ISO + kernel + initrd + 8 MiB)")
    for name in SEEDS:
        answers_to = story.seeds().get(name, [])
        if not answers_to or set(answers_to) != {200}:
            faults.append(f"{name}: answered with {answers_to or 'nothing'} instead of 200")
    return faults


def beside_the_router(story: Story, address: str) -> list[str]:
    """The machine has the address that the router keeps for it, and asked the router for nothing else."""
    given = {step.name for step in story.of("address")}
    faults = (
        [] if given == {address} else [f"the router gave it {given or 'no address'} instead of {address}"]
    )
    return faults + [f"it asked the router for a file: {step.name}" for step in story.of("astray")]


def from_the_server(story: Story, first: str, last: str) -> list[str]:
    """The machine has one address, out of the server's range, though firmware and installer each asked for one."""
    given = {step.name for step in story.of("address")}
    low, high = IPv4Address(first), IPv4Address(last)
    if len(given) == 1 and all(low <= IPv4Address(one) <= high for one in given):
        return []
    return [f"the server gave it {given or 'no address'} instead of one between {first} and {last}"]


def in_the_offer(story: Story) -> list[str]:
    """Who gives the address named the file in the same answer."""
    offers, loaders = story.of("offer"), story.of("loader")
    if not offers or not loaders:
        return ["no file was named"] if offers else ["the server offered nothing"]
    return [] if loaders[0].when - offers[0].when < AT_ONCE else [f"the offer did not name {loaders[0].name}"]


def by_port_4011(story: Story) -> list[str]:
    """The server's first answer, its offer, named no file; port 4011 did.

    Lines of one answer are written at once; port 4011 is asked when the machine has its address, seconds later.
    """
    offers, loaders = story.of("offer"), story.of("loader")
    if not offers or not loaders:
        return ["no file was named"] if offers else ["the server offered nothing"]
    early = [step.name for step in loaders if step.when - offers[0].when < AT_ONCE]
    return [f"the offer named {early[0]}"] if early else []


def real_cloud_init(story: Story) -> list[str]:
    """cloud-init's own code ran in all its stages, and what the installer read from it was enough to install."""
    said = [step.name for step in story.of("said")]
    wanted = (
        "live cloud-init=",
        "cloud-init stage=final",
        "autoinstall confirmed=yes keys=",
        "install disk=",
    )
    return [f"the machine did not say {text}…" for text in wanted if not any(text in line for line in said)]


def by_http(story: Story, *, named: Named = by_port_4011) -> list[str]:
    """Kernel and initrd came by HTTP, the loader lpxelinux.0 by TFTP. named: by which answer."""
    faults = [f"{step.name} came by TFTP" for step in story.of("tftp") if "/images/" in f"/{step.name}"]
    names = {step.name.rpartition("/")[2] for step in story.of("http")}
    faults += [f"{name} did not come by HTTP" for name in ("vmlinuz", "initrd") if name not in names]
    return faults + loader(story, "lpxelinux.0", named)


def by_tftp(story: Story) -> list[str]:
    """Loader pxelinux.0, kernel and initrd came by TFTP."""
    names = {step.name.rpartition("/")[2] for step in story.of("tftp")}
    faults = [f"{name} did not come by TFTP" for name in ("vmlinuz", "initrd") if name not in names]
    return faults + loader(story, "pxelinux.0")


def by_grub(
    story: Story,
    *,
    known: bool = True,
    folder: str = "efi",
    arch: Arch = AMD64,
    default: str = "grub/default.cfg",
    named: Named = by_port_4011,
) -> list[str]:
    """UEFI by PXE: shim, GRUB and its configuration by TFTP; by GRUB's HTTP kernel and initrd.

    known: whether the machine has a file of its own; one that has none asks for it, and then for the default.
    folder: where shim and GRUB are; arch: the processor that they are for. named: by which answer.
    """
    files = {step.name for step in story.of("loader")}
    shim, grub = f"{folder}/{arch.shim}", f"{folder}/{arch.grub_file}"
    faults = [] if files == {shim} else [f"loaders named {files} instead of {shim}"]
    # UDP: on a busy host one of them may have been sent twice
    sent = list(dict.fromkeys(step.name for step in story.of("tftp")))
    own = f"grub/machines/{story.mac}.cfg"
    wanted = [shim, grub, "grub/grub.cfg", own if known else default]
    faults += [] if sent == wanted else [f"TFTP sent {sent} instead of {wanted}"]
    faults += named(story)
    if (own in {step.name for step in story.of("missing")}) is known:
        faults.append(f"{own} was {'missing' if known else 'not asked for'}")
    return faults + fetched(story, [], "GRUB ")


def by_http_boot(story: Story, *, folder: str = "efi", arch: Arch = AMD64) -> list[str]:
    """UEFI HTTP Boot: the same, without any TFTP; GRUB uses the firmware's HTTP."""
    shim, grub = f"{folder}/{arch.shim}", f"{folder}/{arch.grub_file}"
    named = {step.name.partition("://")[2].partition("/")[2] for step in story.of("loader")}
    faults = [] if named == {shim} else [f"loaders named {named} instead of {shim}"]
    faults += [
        f"{step.name} was asked for by TFTP" for step in story.steps if step.kind in ("tftp", "missing")
    ]
    first = [f"/{shim}", f"/{grub}", "/grub/grub.cfg", f"/grub/machines/{story.mac}.cfg"]
    return faults + fetched(story, first, "UefiHttpBoot/")


def by_ipxe(story: Story) -> list[str]:
    """UEFI by PXE: iPXE by TFTP, which then is sent to its script; all else by its HTTP."""
    named = {step.name.partition("://")[2].partition("/")[2] or step.name for step in story.of("loader")}
    wanted = {"efi/ipxe.efi", "ipxe/boot.ipxe"}
    faults = [] if named == wanted else [f"loaders named {named} instead of {wanted}"]
    sent = {step.name for step in story.of("tftp")}
    faults += [] if sent == {"efi/ipxe.efi"} else [f"TFTP sent {sent} instead of efi/ipxe.efi"]
    return faults + fetched(
        story, ["/ipxe/boot.ipxe", f"/ipxe/machines/{story.mac.replace(':', '-')}.ipxe"], "iPXE/"
    )


def rescued(story: Story) -> list[str]:
    """The live system started, by the kernel's command line, without anything that installs."""
    text = next((step.name for step in story.of("said") if step.name.startswith("cmdline ")), "")
    faults = [] if " url=http://" in text else [f"the kernel was started with {text or 'nothing'}"]
    faults += [f"the kernel's line has {word}" for word in ("autoinstall", "ds=") if f" {word}" in text]
    return faults + [f"{name} was fetched" for name in story.seeds()]


def fetched(story: Story, first: list[str], agent: str) -> list[str]:
    """A loader of this User-Agent fetched these paths by HTTP, in this order; then at most a kernel and an initrd."""
    got = [step.name for step in story.of("http") if step.agent.startswith(agent) and step.status == 200]
    rest = [path.rpartition("/")[2] for path in got[len(first) :]]
    if got[: len(first)] != first or rest not in ([], ["vmlinuz"], ["vmlinuz", "initrd"]):
        return [f"by HTTP the loader fetched {got} instead of {first}, kernel and initrd"]
    return []


def secure_boot(story: Story, by: str) -> list[str]:
    """Secure Boot was on, as `kernel` or `grub` says; off when `by` is empty."""
    said = story.secure_boot
    return (
        [] if said == by else [f"that Secure Boot is on said {said or 'nobody'} instead of {by or 'nobody'}"]
    )


def refused(story: Story) -> list[str]:
    """GRUB did not start the kernel that it had fetched, and the machine went on to its disk."""
    said = [step.name.partition(" ")[0] for step in story.of("said")]
    faults = [] if "refused" in said else ["GRUB did not say that it refuses the kernel"]
    faults += ["the kernel ran"] if "kernel" in said else []
    faults += [] if story.end == "local disk" else [f"its disk was not booted ({story.ending})"]
    names = [step.name.rpartition("/")[2] for step in story.of("http") if step.name.startswith("/images/")]
    return faults + (
        [] if names in (["vmlinuz"], ["vmlinuz", "initrd"]) else [f"of the image it fetched {names}"]
    )


def loader(story: Story, name: str, named: Named = by_port_4011) -> list[str]:
    """The server named this loader, and only this, and the machine fetched it."""
    files = {step.name for step in story.of("loader")}
    sent = {step.name for step in story.of("tftp") if step.name.endswith(".0")}
    faults = [] if files == sent == {name} else [f"loaders named {files}, sent {sent}, instead of {name}"]
    return faults + named(story)


def searched(story: Story, last: str) -> list[str]:
    """PXELINUX asked in its classic order and found the last of the names given, and none before."""
    asked = story.config_search()
    names = [name for name, _found in asked]
    uuid_first = bool(names) and names[0].count("-") == 4
    ip = next((step.name for step in story.of("address")), "0.0.0.0")
    classic = classic_search(story.mac, ip)
    wanted = classic[: classic.index(last) + 1]
    faults = [] if uuid_first else ["the UUID was not asked for first"]
    if names[1 if uuid_first else 0 :] != wanted:
        faults.append(f"asked for {names}, instead of UUID, {', '.join(wanted)}")
    if [name for name, found in asked if found] != [last]:
        faults.append(f"found {[name for name, found in asked if found]} instead of {last}")
    return faults


def left_alone(story: Story) -> list[str]:
    """The machine booted its disk and fetched nothing of an installation: only loaders and their configuration."""
    faults = [] if story.end == "local disk" else [f"its disk was not booted ({story.ending})"]
    harmless = ("/efi/", "/grub/", "/ipxe/")
    faults += [f"it fetched {step.name}" for step in story.of("http") if not step.name.startswith(harmless)]
    faults += [f"it fetched {step.name}" for step in story.of("tftp") if "images/" in step.name]
    return faults
