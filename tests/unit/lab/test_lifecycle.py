# SPDX-License-Identifier: GPL-3.0-or-later
"""What the life cycle test demands of a boot, on stories made by hand; and its table."""

from __future__ import annotations

import json

import pytest

from tests.lab import verdict
from tests.lab.disk import INSTALLED, MARK
from tests.lab.story import Line, Step, Story
from tests.lifecycle import machines, run
from tests.lifecycle.machines import GUARDED, LOST, WHOLE, Kind
from tests.unit.lab import recordings

WRITTEN = "install disk=sda bytes=1048576 system=b9ef0811"
WHY = "netboot: not installed, nothing was written: no disk has the disk_serial LAB-somebody-elses"
SIGN = f"""
LAB command list=early number=1 exit=1

{"=" * 78}

  netboot: life-guard is NOT INSTALLED. Nothing was written to its disks.

  no disk has the disk_serial LAB-somebody-elses; there are sda (QEMU HARDDISK,
  serial LAB-life-guard, 1.049 MB)

  What to do: use the right machine, or correct netboot_expect of life-guard

  The server knows. This machine now starts anew.

{"=" * 78}

""".replace("\n", "\r\n")
AGAIN = "LAB restarts\r\n[   75.1] sysrq: Resetting\r\n"
STOPPED = "restarts"


STEPS = ("Early/run", "Install/install/curtin_install")


def story(
    *said: str,
    reports: tuple[int, ...] = (),
    begun: tuple[int, ...] = (201,),
    ended: tuple[str, ...] = STEPS,
) -> Story:
    """A boot in which the machine said this, its reports were answered so, and these steps of it ended."""
    told = Story("52:54:00:12:35:01", 0.0)
    told.steps = [Step(1.0, "said", "machine", text) for text in said]
    told.steps += [Step(2.0, "http", "server", "/reports/a.-.installed", status=status) for status in reports]
    kind = "fails" if STOPPED in said else "ends"
    told.steps += [Step(1.8, kind, "server", f"/progress/a.-/subiquity/{name}") for name in ended]
    told.steps += [Step(1.5, "http", "server", "/reports/a.-.begun", status=status) for status in begun]
    return told


def test_a_recorded_installation() -> None:
    told = recordings.story("life-bios")
    facts = recordings.LIFE_ISO, recordings.LIFE_ISO_BYTES, recordings.LIFE_BOOT_BYTES
    assert verdict.installed(told, *facts) + verdict.real_cloud_init(told) == []
    # It was recorded before machines told that they begin, and their steps.
    assert machines.installation(WHOLE, told) == [
        *(f"the step subiquity/{name} was not told" for name in STEPS),
        "that it begins was answered with nothing instead of once with 2xx",
    ]
    assert machines.system_written(told) == "ad7cddf2"
    assert machines.left_alone(told, "ad7cddf2")
    assert set(map(tuple, told.seeds().values())) == {(200,)}


def test_good_installations() -> None:
    assert machines.installation(WHOLE, story(WRITTEN, "done", reports=(201,))) == []
    assert machines.installation(GUARDED, story(WHY, STOPPED, reports=(201,))) == []
    assert machines.installation(LOST, story(WRITTEN, reports=(503,))) == []
    assert machines.report_refused(story(reports=(503,)))
    assert not machines.report_refused(story(reports=(201,)))


@pytest.mark.parametrize(
    ("kind", "told", "fault"),
    [
        (WHOLE, story(WRITTEN, reports=(201,)), "it ended with: silence after "),
        (WHOLE, story(WRITTEN, "done", reports=(201,), ended=STEPS[:1]), "curtin_install was not told"),
        (GUARDED, story(WHY, reports=(201,)), "the steps that failed are none"),
        (WHOLE, story("done", reports=(201,)), "wrote no system"),
        (WHOLE, story(WRITTEN, "done", reports=(201,), begun=()), "that it begins was answered with nothing"),
        (WHOLE, story(WRITTEN, "done", reports=(201,), begun=(201, 503)), "answered with [201, 503]"),
        (WHOLE, story(WRITTEN, "done"), "answered with nothing"),
        (WHOLE, story(WRITTEN, "done", reports=(503, 201)), "answered with [503, 201]"),
        (GUARDED, story(WRITTEN, "done", reports=(201,)), "it wrote to its disk"),
        (GUARDED, story(WRITTEN, "done", reports=(201,)), "it ended with: done"),
        (LOST, story(WRITTEN, reports=(503, 201)), "answered with [503, 201]"),
    ],
)
def test_faults_of_installations(kind: Kind, told: Story, fault: str) -> None:
    assert [text for text in machines.installation(kind, told) if fault in text]


def test_the_reason_is_the_last_thing_on_the_console() -> None:
    assert machines.last_words(GUARDED, SIGN + AGAIN) == []
    for before, after, fault in (
        ("LAB restarts", "An error occurred. Press enter to start a shell\r\nLAB restarts", "not the last"),
        (f"{'=' * 78}\r\n\r\nLAB", "LAB", "not the last"),
        ("correct netboot_expect", "look", "does not say 'What to do: use the right"),
        ("LAB-somebody-elses", "", "does not say 'LAB-somebody-elses'"),
    ):
        told = (SIGN + AGAIN).replace(before, after)
        assert fault in machines.last_words(GUARDED, told)[0]
    assert machines.last_words(GUARDED, AGAIN) == ["its reason is not the last thing on its console: []"]


def test_the_disk_says_which_installation_it_is_of() -> None:
    told = story(begun=())
    told.feed(Line(3.0, "serial", INSTALLED.replace("--------", "b9ef0811") + "\r"))
    assert machines.left_alone(told, "b9ef0811") == []
    assert machines.left_alone(told, "00000000") == ["system b9ef0811 was booted instead of 00000000"]
    told = story(begun=())
    told.feed(Line(3.0, "serial", MARK))
    assert machines.left_alone(told, "") == []
    assert machines.left_alone(told, "b9ef0811")


def test_a_machine_that_is_left_alone_fetches_nothing_of_an_installation() -> None:
    told = story(reports=(404,), begun=())
    assert len(machines.left_alone(told, "")) == 2


def test_the_table_tells_one_life_after_the_other() -> None:
    moments = [
        run.Moment("a", "PXE: installer", 33.33, "installed", []),
        run.Moment("b", "PXE: installer", 46, "failed", ["wrong"]),
        run.Moment("a", "PXE: its disk", 3, "installed", []),
    ]
    rows = [line.split() for line in run.table(moments)[1:]]
    assert [(row[0], row[-1]) for row in rows] == [("a", "ok"), ("a", "ok"), ("b", "FAILED")]
    assert json.loads(run.as_json(moments))[1]["faults"] == ["wrong"]
