# SPDX-License-Identifier: GPL-3.0-or-later
"""The right cause for each fault, and no blame for a machine that is well."""

from __future__ import annotations

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import HTTP, STATE, Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.story import boots
from ansible_collections.homelab.netboot.plugins.module_utils._program.states import State
from ansible_collections.homelab.netboot.plugins.module_utils._program.why import telling
from ansible_collections.homelab.netboot.plugins.module_utils._program.why.case import Case, Facts
from ansible_collections.homelab.netboot.plugins.module_utils._program.why.causes import CAUSES
from ansible_collections.homelab.netboot.plugins.module_utils._program.why.verdict import (
    WRONG,
    Verdict,
    judge,
)
from ansible_collections.homelab.netboot.tests.unit.why.faults import ENTRY, FAULTS, KINDS, MENU, UEFI, Fault
from ansible_collections.homelab.netboot.tests.unit.why.stories import LIVES, stories


def found(fault: Fault) -> str:
    verdict = judge(fault.case(), "x")
    return verdict.key if verdict.word == WRONG else verdict.word


def test_the_table_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(fault, found(fault)) for fault in FAULTS]
    either = {cause.key for cause in CAUSES if cause.cause.startswith("Either") or " Either " in cause.cause}
    with capsys.disabled():
        print()
        for fault, key in rows:
            how = "recorded" if fault.recorded else "composed"
            sure = "either …" if key in either else ""
            print(
                f"{how}  {fault.name:42} {key:28} {sure:9} {'' if key == fault.found else 'WRONG: ' + fault.found}"
            )
        right = sum(key == fault.found for fault, key in rows)
        print(f"{right} of {len(rows)} right, {sum(fault.recorded for fault in FAULTS)} recorded")
    assert len(FAULTS) >= 40
    assert right >= 0.95 * len(rows)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_has_the_cause_that_was_made(fault: Fault) -> None:
    assert found(fault) == fault.found


# Those of the good logs that were stopped on purpose, and the faults' logs' machines that are well.
STOPPED = {"52:54:00:12:35:01", "52:54:00:12:35:03", "52:54:00:12:35:04", "52:54:00:12:34:15"}
GOOD = [
    ("good-demo", None),
    ("good-lifecycle", None),
    ("good-bookworm-any", None),
    ("good-bookworm-rescue", None),
    ("good-trixie", None),
    ("good-trixie-ipxe", None),
    ("good-trixie-dhcp", None),
    ("good-bookworm-dhcp", None),
    ("fault-disarmed-memory", "52:54:00:12:36:0d"),
    ("fault-arch-not-offered", "52:54:00:12:36:1b"),
]


def good_boots() -> list[Case]:
    """Every good boot that was recorded, asked about at several moments of it, and after it."""
    cases = []
    for log, only in GOOD:
        for mac, story in stories(log).items():
            if not mac or (only and mac != only) or (mac in STOPPED and mac not in LIVES):
                continue
            cases += [case for boot in _boots(mac, story) for case in boot]
    return cases


def _boots(mac: str, story: list[Event]) -> list[list[Case]]:
    found = []
    for number, boot in enumerate(boots(story)):
        if mac in STOPPED and number == 0:
            continue
        installs = any("images/" in event.name for event in boot)
        reported = any(event.name.endswith(".installed") for event in boot)
        entry = MENU if mac in ("52:54:00:12:34:06", "52:54:00:12:34:1a", "52:54:00:12:34:05") else ENTRY
        told = []
        for upto, after in ((1.0, 40.0), (1.0, 1.0), (0.7, 2.0), (0.4, 2.0)):
            part = boot[: max(1, int(len(boot) * upto))]
            done = reported and upto == 1.0
            word = "installed" if done else "armed" if installs else "local"
            state = State(mac, "x", word, "2026-11-25T00:00:00Z", "", "t" if word == "armed" else "")
            told.append(Case(part, state, Facts(part[-1].time + after, entry=entry, kinds=KINDS)))
        found.append(told)
    return found


def test_no_good_boot_is_blamed() -> None:
    cases = good_boots()
    verdicts = [judge(case, "x") for case in cases]
    blamed = [(case.boot[0].mac, verdict) for case, verdict in zip(cases, verdicts) if verdict.word == WRONG]
    assert blamed == []
    assert len(cases) >= 100


@pytest.mark.parametrize(
    ("log", "machines"), [("good-trixie-dhcp", 3), ("good-bookworm-dhcp", 1)], ids=["trixie", "bookworm"]
)
def test_where_the_server_gives_the_addresses_each_line_has_its_machine(log: str, machines: int) -> None:
    """The installer asks for an address once more, and no boot begins by that."""
    told = stories(log)
    assert "" not in told, "an address is known from the beginning"
    assert len(told) == machines
    for story in told.values():
        assert len(boots(story)) == 1
        assert [event.kind for event in story[:2]] == ["offer", "loader"]


def test_every_cause_but_the_last_resorts_has_a_fault() -> None:
    shown = {fault.found for fault in FAULTS}
    untried = {cause.key for cause in CAUSES} - shown
    assert untried <= {"withdrawn-meanwhile", "guard-note", "reported-failure", "user-data-refused"}


# A machine's installation, and its start from the disk behind it by way of the network (recorded).
INSTALLATION, START = boots(stories("good-lifecycle")[UEFI[1]])[:2]
HOME = "192.168.1.77"


def up_at(when: float) -> Event:
    return Event(when, STATE, "up", UEFI[1], "x", HOME)


def told(story: list[Event], word: str, after: float, token: str = "") -> Verdict:
    address = HOME if word == "up" else ""
    state = State(UEFI[1], "x", word, "2026-11-25T00:00:00Z", "", token, address=address)
    return judge(Case(story, state, Facts(story[-1].time + after, entry=ENTRY, kinds=KINDS)), "x")


def test_the_recorded_start_is_one_from_the_disk() -> None:
    assert any(event.name.endswith(".installed") for event in INSTALLATION)
    assert not any("vmlinuz" in event.name for event in START)


def test_an_installed_machine_that_never_calls_home_is_well() -> None:
    soon, late = (told(INSTALLATION, "installed", after, "t") for after in (600.0, 90000.0))
    assert [(one.word, one.missing, [*one.milestones][-1]) for one in (soon, late)] == [
        ("fine", "", "report")
    ] * 2
    assert soon.cause == "It is installed; it reported 10 minutes ago."
    assert late.cause == "It is installed; it reported 25 hours ago. Its first start was not heard of."
    assert (
        told([*INSTALLATION, *START], "installed", 600.0, "t").cause == "It is installed, and boots its disk."
    )


@pytest.mark.parametrize("way", [[], START], ids=["by its disk", "by the network"])
def test_the_first_start_is_the_last_step_of_the_way(way: list[Event]) -> None:
    story = [*INSTALLATION, *way]
    verdict = told([*story, up_at(story[-1].time + 30)], "up", 600.0)
    assert (verdict.word, verdict.missing, [*verdict.milestones][-1]) == ("fine", "", "up")
    assert verdict.cause == f"It is up at {HOME}, since 10 minutes."
    assert verdict.milestones["kernel"] in INSTALLATION
    assert "ok  is up" in telling.tell("", verdict, "")
    assert f"netboot: up at {HOME}" in telling.tell("", verdict, "")


def test_a_later_start_from_the_disk_is_told_as_that() -> None:
    moved = [event._replace(time=event.time + 90000) for event in START]
    verdict = told([*INSTALLATION, up_at(INSTALLATION[-1].time + 30), *moved], "up", 600.0)
    assert (verdict.word, verdict.cause) == ("fine", f"It is up at {HOME}, and boots its disk.")
    assert [*verdict.milestones][-1] == "configuration"
    silent = told([up_at(1e9)], "up", 600.0)
    assert (
        silent.cause == f"It is up at {HOME}, and has not asked for the network as far as the logs go back."
    )


def test_a_report_of_a_second_installation_that_is_not_taken_up_yet() -> None:
    """Without a question for the network between the two, all is one boot."""
    end = INSTALLATION[-1].time
    armed = Event(end + 40, STATE, "armed", UEFI[1], "x", note="armed by hand")
    again = [event._replace(time=event.time + 600) for event in INSTALLATION if event.kind == HTTP]
    verdict = told([*INSTALLATION, up_at(end + 30), armed, *again], "installing", 0.5, "t")
    assert "up" not in verdict.milestones
    assert [*verdict.milestones][-1] == "report"


def test_who_is_armed_again_is_not_up_by_its_last_life() -> None:
    moved = [event._replace(time=event.time + 90000) for event in INSTALLATION]
    story = [*INSTALLATION, up_at(INSTALLATION[-1].time + 30), *moved[:-1]]
    assert "up" not in told(story, "installing", 10.0, "t").milestones


def test_what_its_cache_sent_is_not_missed() -> None:
    """Kernel, initrd and ISO are in the cache's log alone: until the seed, nobody knows, and nothing is wrong yet."""
    unseen = [event for event in INSTALLATION if "/images/" not in f"/{event.name}"]
    seed = next(place for place, event in enumerate(unseen) if event.name.endswith("/user-data"))
    facts = {"cache": "192.168.30.5"}
    early = [
        event for event in unseen if event.time <= next(e.time for e in unseen if "grub/machines/" in e.name)
    ]
    case = Fault("", "", UEFI, edit=lambda _story: early, after=600.0, facts=facts).case()
    assert (judge(case, "x").word, judge(case, "x").missing) == ("waiting", "seeds")
    case = Fault("", "", UEFI, edit=lambda _story: early, after=600.0).case()
    assert (judge(case, "x").word, judge(case, "x").missing) == ("wrong", "kernel")
    after = Fault("", "", UEFI, edit=lambda _story: unseen[: seed + 1], after=5.0, facts=facts)
    assert [*judge(after.case(), "x").milestones][-1] == "seeds"
