# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How far a machine came and what keeps it from going on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from ..events import progress
from ..events.event import STATE, Event
from ..states import THERE
from . import case as c
from .case import Case
from .cause import LATE, Cause
from .causes import of
from .milestones import AT_DISK, KEYS, MILESTONES, UNSEEN, UNSEEN_PATIENCE, reached

FINE, WAITING, WRONG = "fine", "waiting", "wrong"


@dataclass(frozen=True)
class Verdict:
    """word: fine, waiting (nothing is wrong yet) or wrong. milestones: those that are reached, with what shows them.

    missing: the first milestone that is not reached though it should be; empty when all is well.
    key: the cause's, for programs. cause, remedy: sentences. shown_by: the events that show the cause.
    """

    word: str
    milestones: Mapping[str, Event | None]
    cause: str
    missing: str = ""
    key: str = ""
    remedy: str = ""
    shown_by: Sequence[Event] = ()


def judge(case: Case, name: str) -> Verdict:
    """The verdict on a machine. name: for remedies."""
    if case.installation and _has_asked_since(case):
        case = case.at(case.installation)
    there = reached(case)
    told = _told_by_state(case, there) or _is_armed_since(case, name, there) or _at_disk(case, there)
    if told:
        return told
    missing = KEYS[len(there)] if len(there) < len(KEYS) else ""
    if _is_over(case):
        missing = "disk"  # the server knows how it ended, whatever the log shows
    patience = MILESTONES[max(0, len(there) - 1)].patience
    if case.facts.cache and missing in UNSEEN:
        missing, patience = "seeds", UNSEEN_PATIENCE
    if not missing or (missing == "up" and not _fitting(case, "up")):
        return Verdict(FINE, there, _is_there(case, there, patience))
    if there and case.silence < patience and not _is_certain(case, missing):
        text = f"It is at work: it {_title(there)}, {_ago(case.silence)} ago."
        return Verdict(WAITING, there, text + _where(case, missing), missing)
    return _wrong(case, name, there, missing)


def _has_asked_since(case: Case) -> bool:
    """Whether it was sent to its disk since it was installed; of one that is up, in its first start."""
    is_told = case.word in ("failed", "installing") or any(
        event.kind == STATE and event.name == "up" for event in case.boot
    )
    return is_told and not case.find(c.KERNEL)


def _is_there(case: Case, there: Mapping[str, Event | None], patience: float) -> str:
    """It has its system; that this started is not always told, as users may have a phone_home of their own."""
    up = there.get("up")
    if up:
        return f"It is {_word(case)}, since {_ago(case.facts.now - up.time)}."
    is_quiet = case.word == "installed" and case.silence >= patience
    more = " Its first start was not heard of." if is_quiet else ""
    return f"It is installed; it reported {_ago(case.silence)} ago.{more}"


def _word(case: Case) -> str:
    at = f" at {case.state.address}" if case.state and case.state.address else ""
    return f"{case.word}{at}"


def _told_by_state(case: Case, there: Mapping[str, Event | None]) -> Verdict | None:
    """What its state says, where the log of its last boot has nothing to add."""
    if not case.facts.is_known and not there:
        return Verdict(FINE, there, "Nobody knows it: the inventory does not name it, and it never asked.")
    if case.boot or case.word == "armed":
        return None
    texts = {
        **dict.fromkeys(
            THERE, f"It is {_word(case)}, and has not asked for the network as far as the logs go back."
        ),
        "local": f"It is to boot its disk ({case.reason or 'nobody armed it'}); it has not asked for the network.",
    }
    return Verdict(FINE, there, texts[case.word]) if case.word in texts else None


def _is_armed_since(case: Case, name: str, there: Mapping[str, Event | None]) -> Verdict | None:
    """Armed, and not seen since."""
    armed = case.armed_at
    if case.word != "armed" or armed < case.last:
        return None
    if case.facts.now - armed < TO_SWITCH_ON:
        text = f"It is armed since {_ago(case.facts.now - armed)}, and has not asked for the network yet."
        return Verdict(WAITING, {}, text, "asked")
    return _wrong(case, name, {}, "asked")


def _at_disk(case: Case, there: Mapping[str, Event | None]) -> Verdict | None:
    """A boot that was to lead to the disk, and did."""
    if AT_DISK not in there or len(there) > KEYS.index(AT_DISK) + 1:
        return None
    then = case.state_then
    if "armed" in (then, case.word) or case.word in ("failed", "installing"):
        return None
    if not case.facts.is_known:
        text = "The inventory does not name it, so it was sent to its disk."
    elif case.word in THERE:
        text = f"It is {_word(case)}, and boots its disk."
    else:
        text = f"It was sent to its disk, as it should be ({case.reason or 'nobody armed it'})."
    return Verdict(FINE, there, text)


def _is_over(case: Case) -> bool:
    return case.word == "failed" and (bool(case.find(c.BEGUN)) or not case.boot or bool(case.installation))


def _is_certain(case: Case, missing: str) -> bool:
    """Whether a cause is certain already: the server answered with an error, or knows that it failed."""
    found = _fitting(case, missing)
    return case.word == "failed" or bool(found and found[0].key in CERTAIN)


#: Causes that need no waiting.
CERTAIN = frozenset(
    {"loader-missing", "kernel-missing", "initrd-missing", "iso-missing", "grub-missing", "seeds-missing"}
    | {
        "entry-missing",
        "begin-refused",
        "failed-untold",
        "kernel-forbidden",
        "seeds-refused",
        "iso-cut",
        "versions-differ",
        "restarted",
        "report-refused",
    }
)
#: Seconds that a person may take from arming a machine to its switch.
TO_SWITCH_ON = 600.0


def _fitting(case: Case, missing: str) -> Sequence[Cause]:
    """The first row that fits."""
    return next(((row,) for row in of(missing) if row.fits(case)), ())


def _wrong(case: Case, name: str, there: Mapping[str, Event | None], missing: str) -> Verdict:
    row = _fitting(case, missing)[0]
    shown = row.fits(case)
    proof = list(shown) if isinstance(shown, (list, tuple)) and shown else list(case.boot[-2:])
    failed = progress.failure(case.boot) if missing in LATE else None
    proof = [*(one for one in proof if one != failed), failed] if failed else proof
    text = row.cause + _where(case, missing)
    return Verdict(WRONG, there, text, missing, row.key, row.remedy.replace("{name}", name), proof)


def _where(case: Case, missing: str) -> str:
    """Where the installer is or stopped, as far as it told its steps."""
    if missing not in LATE:
        return ""
    failed, step = progress.failure(case.boot), progress.present(case.boot)
    if failed:
        name = failed.name.partition(progress.MARK)[2]
        return f" It failed at the step {name}" + (f": {failed.note}" if failed.note else ".")
    return f" Its step: {step.name}{f' ({step.text})' if step.text else ''}." if step else ""


def _title(there: Mapping[str, Event | None]) -> str:
    return MILESTONES[len(there) - 1].title


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
