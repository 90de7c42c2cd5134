# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of the life cycle test, and what must be true of each of their boots. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.lab.firmware import BIOS, SECURE, Firmware
from tests.lab.story import Story, plain

_SYSTEM = re.compile(r"\bsystem=([0-9a-f]{8})")


@dataclass(frozen=True)
class Kind:
    """What becomes of a machine that is armed. end: of its console's story; state: the server's, then.

    writes: whether its disk gets a new system. reason: a part of what the server's state says, and of what
    the machine's console does when nothing was written; there stands remedy, too.
    """

    end: str
    state: str
    writes: bool
    reason: str = ""
    remedy: str = ""


WHOLE = Kind("done", "installed", True)
FULL = Kind(
    "restarts",
    "failed",
    False,
    "serial LAB-life-bios, 1.049 MB) holds",
    "to wipe it, run homelab.netboot.arm -l life-bios",
)
GUARDED = Kind(
    "restarts",
    "failed",
    False,
    "LAB-somebody-elses",
    "use the right machine, or correct netboot_expect of life-guard",
)
LOST = Kind("", "installing", True, "user-data was fetched")


@dataclass(frozen=True)
class Life:
    """A machine of the inventory. first: what becomes of it before a person has armed it.

    blank: whether its disk is so at first; else it is armed by hand, or must be left alone.
    """

    name: str
    mac: str
    kind: Kind
    firmware: Firmware = BIOS
    first: Kind | None = None
    blank: bool = False

    def becomes(self, *, again: bool) -> Kind:
        """What becomes of it when it is armed; again: by hand."""
        return self.kind if again else self.first or self.kind


LIVES = (
    Life("life-uefi", "52:54:00:12:35:02", WHOLE, SECURE, blank=True),
    # There is something on its disk, and nobody has said that it may go.
    Life("life-bios", "52:54:00:12:35:01", WHOLE, first=FULL),
    Life("life-guard", "52:54:00:12:35:03", GUARDED),
    Life("life-lost", "52:54:00:12:35:04", LOST, blank=True),
)


def chosen(pattern: str) -> list[Life]:
    """The machines whose name contains the pattern; all for an empty one."""
    return [life for life in LIVES if pattern in life.name]


def report_refused(story: Story) -> bool:
    """Whether the server has answered a report with an error: the machine has done all that it can."""
    return any(step.name.startswith("/reports/") and step.status >= 400 for step in story.of("http"))


def system_written(story: Story) -> str:
    """The number of the system that the installer wrote; nothing when it wrote none."""
    said = " ".join(step.name for step in story.of("said") if step.name.startswith("install "))
    found = _SYSTEM.search(said)
    return found[1] if found else ""


def system_booted(story: Story) -> str:
    """The number of the system that the disk booted; nothing for a disk that was never installed to."""
    found = _SYSTEM.search(" ".join(step.name for step in story.of("disk")))
    return found[1] if found else ""


def installation(kind: Kind, story: Story) -> list[str]:
    """What is wrong with a boot of an armed machine."""
    faults = [] if story.end.startswith(kind.end) else [f"it ended with: {story.ending}"]
    if bool(system_written(story)) is not kind.writes:
        faults.append("it wrote no system to its disk" if kind.writes else "it wrote to its disk")
    faults += steps(kind, story)
    begun, reports = answers(story, "begun"), [*answers(story, "installed"), *answers(story, "failed")]
    if [status // 100 for status in begun] != [2]:
        faults.append(f"that it begins was answered with {begun or 'nothing'} instead of once with 2xx")
    if kind is LOST:
        faults += [] if reports and min(reports) >= 400 else [f"its report was answered with {reports}"]
    elif [status // 100 for status in reports] != [2]:
        faults.append(f"its report was answered with {reports or 'nothing'} instead of once with 2xx")
    return faults


def last_words(kind: Kind, console: str) -> list[str]:
    """What is wrong with the end of what stood on a machine's console before it went on to its disk."""
    shown = plain(console).partition("LAB restarts")[0]
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    frames = [number for number, line in enumerate(lines) if set(line) == {"="}][-2:]
    if len(frames) < 2 or frames[1] != len(lines) - 1:
        return [f"its reason is not the last thing on its console: {lines[-3:]}"]
    text = " ".join(lines[frames[0] + 1 : frames[1]])
    wanted = (
        "is NOT INSTALLED. Nothing was written",
        kind.reason,
        f"What to do: {kind.remedy}",
        "starts anew",
    )
    return [f"its console does not say {words!r}: {text}" for words in wanted if words not in text]


def steps(kind: Kind, story: Story) -> list[str]:
    """What is wrong with what the installer told of its steps while it worked."""
    ended = {step.name.partition(".-/")[2] for step in story.of("ends")}
    failed = [step.name.partition(".-/")[2] for step in story.of("fails")]
    wanted = {"subiquity/Early/run", "subiquity/Install/install/curtin_install"} if kind.writes else set()
    faults = [f"the step {name} was not told" for name in sorted(wanted - ended)]
    if bool(failed) is kind.writes:
        faults.append(f"the steps that failed are {failed or 'none'}")
    return faults


def answers(story: Story, word: str) -> list[int]:
    """The HTTP statuses with which reports of this word were answered."""
    steps = [step for step in story.of("http") if step.name.startswith("/reports/")]
    return [step.status for step in steps if step.name.endswith(f".{word}")]


def left_alone(story: Story, system: str) -> list[str]:
    """What is wrong with a boot of a machine that is not armed: `system` must come from its disk, and nothing else."""
    faults = [] if story.end == "local disk" else [f"its disk was not booted ({story.ending})"]
    booted = system_booted(story)
    if booted != system:
        faults.append(f"system {booted or '(the first)'} was booted instead of {system or '(the first)'}")
    fetched = [
        step.name
        for step in story.of("http")
        if step.name.startswith(("/images/", "/machines/", "/reports/"))
    ]
    return faults + ([f"it fetched {fetched}"] if fetched else [])
