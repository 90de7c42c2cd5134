# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a boot in words that a person likes to read. Pure."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .story import Step

REPORTS = {"begun": "I begin", "installed": "I am installed", "failed": "my installation failed"}
HOLD = 0.8
"""Seconds that a step waits for earlier ones which are told later: the logs come by different ways."""

_FILES = {
    "shimx64.efi": "shim, signed by Microsoft",
    "grubx64.efi": "GRUB",
    "grub.cfg": "its configuration",
    "vmlinuz": "kernel",
    "initrd": "initrd",
    "network-config": "seed: network",
    "meta-data": "seed: instance",
    "user-data": "seed: the autoinstall answers",
    "vendor-data": "seed: vendor",
}
# UEFI's loaders ask for these and do without.
_OPTIONAL = ("revocations_sku.efi", "revocations_sbat.efi", "shim_certificate_0.efi")
# What the machine says of itself, by its first word; what the servers' logs tell anyway is left out.
_SAID = {
    "secure-boot": "Secure Boot is on, says the {by}",
    "refused": "does not start this kernel: {why}",
    "kernel": "Linux {release} runs",
    "uuid": "the ISO is mounted, and kernel and initrd are its own (casper-uuid)",
    "squashfs": "{file} is the root file system",
    "cloud-config": "cloud-init downloads {bytes} bytes of the ISO again",
    "live": "the live system runs, with Debian's cloud-init {cloud-init}",
    "autoinstall": "`autoinstall` is on the kernel line: the installer does not ask",
    "install": "writes system {system} to its disk",
    "done": "the installation is done; it restarts",
}


@dataclass(frozen=True)
class Sentence:
    """A line of the table. mood: plain, good or bad."""

    when: float
    who: str
    what: str
    size: int | None = None
    mood: str = "plain"


def pairs(text: str) -> dict[str, str]:
    """The words `key=value` of a line."""
    return dict(re.findall(r"(\S+?)=(\S*)", text))


def human(size: int) -> str:
    """A number of bytes in the unit that suits it, powers of 1000."""
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def sentence(step: Step, machine: str) -> Sentence | None:
    """One step in words; None for what need not be told."""
    served, name = f"server → {machine}", step.name
    if step.kind == "said":
        return said(step, machine)
    if step.kind == "http":
        return fetched(step, machine)
    if step.kind == "tftp":
        note = note_on(name)
        return Sentence(step.when, served, f"TFTP {name}" + (f" ({note})" if note else ""), step.size)
    if step.kind in ("begins", "ends", "warns", "fails"):
        return installs(step, machine)
    return {
        "offer": Sentence(step.when, served, "offer: no address, but something to boot"),
        "address": Sentence(step.when, f"router → {machine}", f"address {name}"),
        "loader": Sentence(step.when, served, f"your loader is {name}"),
        "disk": Sentence(step.when, machine, f"boots its own disk: {on_disk(name)}", mood="good"),
    }[step.kind]


def installs(step: Step, machine: str) -> Sentence | None:
    """A step of the installer: when it begins, if it has a description, and when it goes wrong."""
    if step.kind == "ends" or (step.kind == "begins" and not step.agent):
        return None
    what = step.name.partition(".-/")[2]
    word = {"begins": "", "warns": "warning: ", "fails": "failed: "}[step.kind]
    return Sentence(
        step.when,
        f"{machine} → server",
        f"step {what}: {word}{step.agent}",
        mood="plain" if step.kind == "begins" else "bad",
    )


def receipt(step: Step, machine: str) -> Sentence | None:
    """The server's word that the installation may begin; the machine asks for it until it is there."""
    if step.status != 200:
        return None
    text = "receipt: noted, this installation will not be offered again"
    return Sentence(step.when, f"server → {machine}", text, mood="good")


def fetched(step: Step, machine: str) -> Sentence | None:
    """What is fetched or told by HTTP."""
    served, name = f"server → {machine}", step.name
    if step.status == 404 and name.rpartition("/")[2] in _OPTIONAL:
        return None
    if name.startswith("/reports/"):
        return report(step, machine)
    if name.endswith("/receipt"):
        return receipt(step, machine)
    note = note_on(name)
    answer = "" if step.status == 200 else f" answered {step.status}"
    text = f"HTTP {name}{answer}" + (f" ({note})" if note else "")
    return Sentence(step.when, served, text, step.size, "plain" if step.status == 200 else "bad")


def report(step: Step, machine: str) -> Sentence:
    """What the machine tells the server before it writes anything, and at the end."""
    what = REPORTS[step.name.rpartition(".")[2]]
    answer = "" if step.status < 300 else f", answered {step.status}"
    return Sentence(
        step.when, f"{machine} → server", f"PUT report: {what}{answer}", mood="bad" if answer else "good"
    )


def on_disk(mark: str) -> str:
    """What the marked disk says of itself."""
    system = pairs(mark).get("system")
    return f"system {system}" if system else "nothing was installed"


def note_on(path: str) -> str:
    """What a file is to the machine; empty for what needs no words."""
    base = path.rpartition("/")[2]
    if base.endswith(".iso"):
        return "the ISO"
    own = "pxelinux.cfg/" in path or "grub/machines/" in path
    return _FILES["grub.cfg"] if own else _FILES.get(base, "")


def said(step: Step, machine: str) -> Sentence | None:
    """What the machine says of itself."""
    word = step.name.partition(" ")[0]
    if word == "failed":
        return Sentence(step.when, machine, step.name.replace("failed why=", "failed: "), mood="bad")
    if word not in _SAID:
        return None
    facts = {"release": "", "file": "", "bytes": "0", "by": "", "why": "", "system": "", "cloud-init": ""}
    facts.update(pairs(step.name))
    if word == "refused":
        facts["why"] = step.name.partition("why=")[2]
    text = _SAID[word].format_map(facts)
    if word == "squashfs":
        text += ": " + step.name.partition("release=")[2].partition(" - Release")[0]
    return Sentence(step.when, machine, text, mood={"done": "good", "refused": "bad"}.get(word, "plain"))


class Teller:
    """Puts steps of one machine in the order of their times and gathers files that were not there."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.waiting: list[tuple[float, int, Step]] = []
        self.count = 0
        self.missing: list[Step] = []

    def add(self, step: Step) -> None:
        """A step has become known."""
        self.count += 1
        heapq.heappush(self.waiting, (step.when, self.count, step))

    def ready(self, now: float) -> Iterator[Sentence]:
        """The sentences that can be said `now` seconds after power-on; infinity for all."""
        while self.waiting and self.waiting[0][0] <= now - HOLD:
            step = heapq.heappop(self.waiting)[2]
            if step.kind == "missing":
                self.missing.append(step)
                continue
            yield from self._not_there()
            told = sentence(step, self.machine)
            if told is not None:
                yield told
        if now == float("inf"):
            yield from self._not_there()

    def _not_there(self) -> Iterator[Sentence]:
        if self.missing:
            names = [step.name.rpartition("/")[2] for step in self.missing]
            folder = self.missing[0].name.rpartition("/")[0]
            shown = names if len(names) < 4 else [*names[:3], "…", names[-1]]
            text = f"TFTP {folder}/: no {', '.join(shown)}"
            yield Sentence(self.missing[0].when, f"server → {self.machine}", text)
            self.missing = []


def changes(text: str) -> list[tuple[str, str]]:
    """The settings that an inventory file marks with CHANGE, each with the hint beside it."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        setting, mark, comment = line.partition("# CHANGE")
        if mark:
            after = (following.strip() for following in lines[number + 1 :])
            here = setting.strip() or next((text for text in after if text and not text.startswith("#")), "")
            hint = re.sub(r"^ \(\d+ of \d+\)[: ]*", "", comment).strip()
            found.append((here, hint))
    return found
