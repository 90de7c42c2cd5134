# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Where boot entries and PXE answers lead, and whether the server answers there. Pure."""

from __future__ import annotations

import re
from typing import Iterator, Mapping, NamedTuple, Sequence

from ..contract import BOOT_SERVER, MACHINES, SEED_FILES, WEB_SERVER
from .finding import SITE, Finding, Result, clean

CHECK = "files"
#: PXELINUX names files of the TFTP root without more; GRUB and iPXE name the server.
_PXELINUX = re.compile(r"(?mi)^\s*(?:KERNEL|INITRD)\s+(?!\w+://)(\S+)")
_ADDRESS = re.compile(r"(http|tftp)://([^/\s'\"]+)/([^\s'\";]+)")
_GRUB = re.compile(r"\((http|tftp),([^)\s]+)\)/([^\s'\";]+)")
#: Of this collection: a user's own kernel arguments may name what they like.
OURS = ("images/", f"{MACHINES}/", "efi/", "ipxe/", "grub/")
#: How an answer begins when there was none.
SILENCE = "no answer"
#: By way, who hands it out.
SERVICES = {"http": WEB_SERVER, "tftp": BOOT_SERVER}
#: What a loader fetches next, beside itself.
_AFTER = {"lpxelinux.0": ("ldlinux.c32",), "pxelinux.0": ("ldlinux.c32",)}


class Target(NamedTuple):
    """A file that a machine will ask for. way: "http" or "tftp"; host: address, and port where one is named."""

    way: str
    host: str
    path: str

    @property
    def name(self) -> str:
        """For a person; never a token."""
        return clean(f"{self.way}://{self.host}/{self.path}")


def named(text: str, address: str) -> list[Target]:
    """What a boot entry leads to. address: the server's, for files that are named without."""
    found = [Target("tftp", address, path) for path in _PXELINUX.findall(text)]
    found += [Target(*one) for form in (_ADDRESS, _GRUB) for one in form.findall(text)]
    wanted: dict[Target, None] = {}
    for target in found:
        if "$" in target.path or not (target.path.startswith(OURS)):
            continue
        names = SEED_FILES if target.path.endswith("/") else ("",)
        wanted.update((target._replace(path=target.path + name), None) for name in names)
    return list(wanted)


def loaders(file: str, address: str) -> list[Target]:
    """What a machine fetches that is told to boot a file: this one, and what it needs next."""
    match = _ADDRESS.fullmatch(file)
    first = Target(*match.groups()) if match else Target("tftp", address, file.lstrip("/"))
    folder, slash, name = first.path.rpartition("/")
    after = _AFTER.get(name, (name.replace("shim", "grub", 1),) if name.startswith("shim") else ())
    return [first, *(first._replace(path=folder + slash + one) for one in after)]


def judge(
    wanted: Mapping[Target, Sequence[str]],
    answers: Mapping[Target, str],
    hosts: Mapping[str, Sequence[str]],
    stopped: Sequence[str],
) -> Result:
    """Say which files are not handed out.

    :param wanted: who leads there: names of entries, or kinds of firmware.
    :param answers: empty when it is handed out, else what is wrong; without those that were not asked for.
    :param hosts: by way, what this server is named in its networks, with its port where that is not the usual one.
    :param stopped: services that do not run, which says why nothing comes from them.
    """
    skipped = [target for target in wanted if SERVICES[target.way] in stopped]
    asked = [target for target in wanted if target not in skipped]
    found = list(_faults(asked, wanted, answers, hosts))
    silent = f"; {len(skipped)} not asked for, since their service does not run" if skipped else ""
    return Result(CHECK, found, f"{len(asked)} files that entries and loaders lead to are handed out{silent}")


def _faults(
    asked: Sequence[Target],
    wanted: Mapping[Target, Sequence[str]],
    answers: Mapping[Target, str],
    hosts: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    for target in asked:
        who = sorted(set(wanted[target]))
        leads = f"named by {who[0]}{f' and {len(who) - 1} more' if len(who) > 1 else ''}"
        if target.host not in hosts[target.way]:
            what = f"{leads}, but this server is {' and '.join(hosts[target.way])}"
            yield Finding(CHECK, target.name, what, f"{SITE}, which writes the entries anew")
        elif answers.get(target):
            what = f"{clean(answers[target])}; {leads}"
            yield Finding(CHECK, target.name, what, _remedy(target, answers[target]))


def _remedy(target: Target, answer: str) -> str:
    if answer.startswith(SILENCE):
        return f"systemctl restart {SERVICES[target.way]}; or a firewall of this host is in the way"
    return f"{SITE}, which puts back what is missing"
