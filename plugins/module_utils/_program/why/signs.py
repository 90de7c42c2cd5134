# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How causes are known: each of these is a `Test`, or makes one. Pure."""

from __future__ import annotations

import re
from typing import Sequence

from ..events import progress
from ..events.event import DENIED, FAILS, HTTP, MISSING, OFFER, TFTP, UNANSWERED, Event
from ..states import THERE
from . import case as c
from .case import Case, Test


def down(service: str) -> Test:
    return lambda case: service in case.facts.stopped


def missing(pattern: re.Pattern[str]) -> Test:
    return lambda case: case.missing(pattern)


def refused(pattern: re.Pattern[str], *statuses: int) -> Test:
    return lambda case: case.refused(pattern, *statuses) if not case.got(pattern) else []


def cut(pattern: re.Pattern[str]) -> Test:
    return lambda case: case.cut(pattern) if not case.got(pattern) else []


def no_seed(*statuses: int) -> Test:
    """One of the four files is enough for cloud-init to give up."""
    return lambda case: case.refused(c.SEED, *statuses) if not case.got(c.USER_DATA) else []


def by_cache(case: Case) -> bool:
    return bool(case.facts.cache) and not case.find(c.SEED)


def denied(case: Case) -> Sequence[Event]:
    return case.of(DENIED) or case.denied()


def not_since_armed(case: Case) -> Sequence[Event]:
    """The last thing that was heard of it was before."""
    return case.boot[-1:] if case.word == "armed" and case.boot and case.last <= case.armed_at else []


def strangers(case: Case) -> Sequence[Event]:
    armed = [event.time for event in case.changes("armed")][-1:]
    since = max([*armed, case.facts.now - 86400])
    return [event for event in case.facts.strangers if event.time >= since]


def unanswered(case: Case) -> Sequence[Event]:
    return [
        event
        for event in case.facts.unanswered
        if event.kind == UNANSWERED and event.time >= case.facts.now - 3600
    ][-3:]


def no_loader(case: Case) -> Sequence[Event]:
    """It asked as an architecture for which there is none."""
    asked = [(event, re.search(r"Client:Arch:(\d+)", event.name)) for event in case.offers]
    odd = [event for event, found in asked if found and int(found[1]) not in case.facts.kinds]
    return odd[-1:] if case.facts.kinds else []


def http_boot(case: Case) -> bool:
    return case.by_http


def shim_refused(case: Case) -> Sequence[Event]:
    shim = case.find(c.SHIM, TFTP, HTTP)
    return shim[-1:] if shim and not case.find(c.SHIM_ASKS) and not case.find(c.GRUB) else []


def grub_refused(case: Case) -> Sequence[Event]:
    grub = [event for event in case.find(c.GRUB, TFTP, HTTP) if event.is_fetched]
    after = list(case.find(re.compile("grub/"), TFTP, HTTP, MISSING))
    return grub[-1:] if grub and not after else []


def own(case: Case) -> Sequence[Event]:
    """Everything the loader fetched came, but its second part was never asked for."""
    first = [event for event in case.find(c.PXELINUX) if event.is_fetched]
    return first[-1:] if first and not case.find(re.compile(r"ldlinux|pxelinux\.cfg/")) else []


def ipxe(case: Case) -> Sequence[Event]:
    ipxe = [event for event in case.find(c.IPXE) if event.is_fetched]
    return ipxe[-1:]


def no_entry(case: Case) -> Sequence[Event]:
    """Loaders ask for the entry that is for all after all others."""
    asked = case.missing(c.CONFIGURATION)
    return asked[-2:] if asked and asked[-1].base in ("default", "default.cfg", "default.ipxe") else []


def changed(case: Case) -> bool:
    used = {event.name.lstrip("/") for event in case.boot if event.is_fetched}
    return any(path in used for path in case.facts.changed)


def kernel_refused(case: Case) -> Sequence[Event]:
    kernel = case.got(c.KERNEL)
    return [kernel] if kernel and case.is_uefi else []


def versions_differ(case: Case) -> Sequence[Event]:
    parts = [event for event in (case.got(c.KERNEL), case.got(c.INITRD), case.got(c.ISO)) if event]
    return parts if len({event.name.lstrip("/").rpartition("/")[0] for event in parts}) > 1 else []


def offers_menu(case: Case) -> bool:
    return len(re.findall(r"(?m)^(?:LABEL |menuentry |item )", case.facts.entry)) > 1


def asks_person(case: Case) -> bool:
    return bool(case.facts.entry) and not re.search(r"\bautoinstall\b", case.facts.entry)


def no_receipt(case: Case) -> Sequence[Event]:
    begun = case.done(c.BEGUN)
    return [begun, *case.refused(c.RECEIPT, 404)[-1:]] if begun and not case.got(c.RECEIPT) else []


def withdrawn(word: str) -> Test:
    """The answers are not handed out since the machine's state changed while it booted."""

    def fits(case: Case) -> Sequence[Event]:
        gone = case.refused(c.SEED, 404)
        changed = [event for event in case.changes("local", "failed") if event.time <= case.last + 1]
        is_it = bool(gone and changed) and changed[-1].time >= case.since and word in changed[-1].note
        return [changed[-1], gone[-1]] if is_it else []

    return fits


def reason(pattern: str) -> Test:
    """The state's reason, in a boot that it belongs to."""
    return lambda case: case.word == "failed" and re.search(pattern, case.reason) is not None


def log(pattern: str) -> Test:
    """What the installer said when it failed: in its log, or of the step that failed."""

    def fits(case: Case) -> bool:
        failed = progress.failure(case.boot)
        said = case.facts.log + (f"\n{failed.name}: fail: {failed.note}" if failed else "")
        return case.word == "failed" and re.search(pattern, said, re.IGNORECASE) is not None

    return fits


def step_failed(case: Case) -> Sequence[Event]:
    """A step on which the whole installation depends failed, and there was time for a report.

    Of those inside it, others may have been tried again.
    """
    deep, time = 2, 180.0  # subiquity/Install/install; all tries of programs/report.py
    if case.silence < time:
        return []
    failed = [event for event in case.of(FAILS) if event.name.partition(progress.MARK)[2].count("/") <= deep]
    return failed[:1]


def full(case: Case) -> bool:
    return bool(case.facts.full)


def always(_case: Case) -> bool:
    return True


def stopped(case: Case) -> Sequence[Event]:
    return (
        case.stopped()[-2:]
        if len(case.stopped()) > 1
        else [e for e in case.stopped() if e.note == "failed sending"]
    )


def again(case: Case) -> Sequence[Event]:
    """It began to install, and asked the network again without having reported."""
    begun = [event for event in case.story if c.BEGUN.search(event.name) and event.kind == HTTP]
    later = [event for event in case.story if event.kind == OFFER and begun and event.time > begun[-1].time]
    return [begun[-1], later[0]] if later else []


def other_token(case: Case) -> Sequence[Event]:
    said = case.done(c.INSTALLED)
    return [said] if said and case.word not in THERE and not after(case, said) else []


def after(case: Case, event: Event) -> list[Event]:
    return [
        change for change in case.changes(*THERE, "armed", "local", "failed") if change.time >= event.time - 1
    ]


def named(case: Case) -> bool:
    """Whether it was given an entry of its own."""
    own = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}")
    return any(own.search(event.name) for event in case.find(c.CONFIGURATION) if event.is_fetched)
