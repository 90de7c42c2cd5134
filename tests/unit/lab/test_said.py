# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook says to a person, in the recorded output of a run of provision by the demo."""

from __future__ import annotations

import re
from pathlib import Path

from tests.lab.power import SWITCH_ON
from tests.lab.said import WATCHING, Said

ROOT = Path(__file__).parents[3]
RECORDED = (Path(__file__).parent / "recorded/provision.log").read_text(encoding="utf-8")


def said(output: str) -> list[str]:
    words = Said()
    return [told for line in output.splitlines() for told in words.feed(line)]


def test_a_run_from_power_off_to_hello() -> None:
    told = said(RECORDED)
    assert told[:2] == [
        "Wake-on-LAN was sent to nuc1. If that does not start it: switch nuc1 on now.",
        "nuc1  [.............]  armed  has not asked for the network",
    ]
    watched = [line for line in told if re.match(r"\d\d:\d\d:\d\dZ  nuc1  |nuc1  \[", line)]
    table = [line for line in told if line.startswith(("machine  ", "nuc1     "))]
    hello = [line for line in told if line.startswith("hello from nuc1 ")]
    assert told[1:] == [*watched, *table[:2], *hello, *table[2:]]
    assert len(hello) == 1
    assert re.fullmatch(r"nuc1( +\d\.\d min){3}  192\.168\.1\.\d+  up", table[-1])


def test_each_line_is_said_while_the_playbook_goes_on() -> None:
    words = Said()
    told = [words.feed(line) for line in RECORDED.splitlines()]
    at = RECORDED.splitlines().index(
        f"TASK [{WATCHING}] *******************************************************"
    )
    assert told[at] == []
    assert told[at + 1] == ["nuc1  [.............]  armed  has not asked for the network"]


def test_what_failed_and_was_ignored_is_not_said() -> None:
    assert "UNREACHABLE!" in RECORDED
    assert not [line for line in said(RECORDED) if "reach" in line]


def test_messages_of_one_line_and_of_several() -> None:
    results = "ok: [a] => \n    msg: one\nok: [b -> c] => (item=d) => \n    msg:\n    - two\n    - three\n"
    assert said(f"TASK [x] ***\n{results}\nPLAY RECAP ****\na : ok=3\n") == ["one", "two", "three"]


def test_the_playbooks_have_the_tasks_that_are_waited_for() -> None:
    for book, task in (("provision_wait", WATCHING), ("start_now", SWITCH_ON)):
        assert f"- name: {task}\n" in (ROOT / f"playbooks/{book}.yml").read_text(encoding="utf-8")
