# SPDX-License-Identifier: GPL-3.0-or-later
"""What another host is asked, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor import abroad, examining
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.network import Heard
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.pxe import Answer
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.questions import Place
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.targets import Target

US, ROUTER = "192.168.1.50", "192.168.1.1"
HERE = Place("lan0", US, 80, US)
LOADER = Target("tftp", US, "lpxelinux.0")
KERNEL = Target("http", US, "images/noble/x/vmlinuz")
WANTED = {LOADER: ["the answer to BIOS"], KERNEL: ["b", "a", "a"]}
HEARD = {
    0: Heard(
        [Answer(US, "", "lpxelinux.0", US, is_pxe=True, item=b"ab"), Answer(ROUTER, "192.168.1.9")],
        "lpxelinux.0",
    )
}


def told(heard: dict[int, Heard], **said: str) -> str:
    """What a host brings back. said: what came for the loader and the kernel, where it is not handed out."""
    asked = abroad.questions(HERE, HEARD, WANTED)
    files = [[*one, said.get(one[0], "")] for one in asked["files"]]
    return json.dumps([abroad.answers("nas", HERE._replace(interface="eth0"), heard, files)])


def findings(text: str, silent: Any = ()) -> list[tuple[str, str, str]]:
    return [
        (result.check, one.what, one.remedy)
        for result in abroad.judge(text, [HERE], silent)
        for one in result.findings
    ]


def test_what_is_asked_is_what_machines_will_ask_for() -> None:
    elsewhere = {Target("http", "192.168.1.49", "images/old/vmlinuz"): ["old"]}
    assert abroad.questions(HERE, HEARD, {**WANTED, **elsewhere}) == {
        "address": US,
        "port": 80,
        "archs": [0],
        "files": [[*LOADER, ["the answer to BIOS"]], [*KERNEL, ["a", "b"]]],
    }


def test_nothing_is_wrong_when_the_host_hears_all() -> None:
    text = told(HEARD)
    assert findings(text) == []
    good = [result.good for result in abroad.judge(text, [HERE], [])]
    assert all(one.startswith("asked from nas: ") for one in good)
    assert examining.text(list(abroad.judge(text, [HERE], []))).endswith("Nothing is wrong.")


def test_what_does_not_come_through_is_told_with_what_may_be_between() -> None:
    deaf = {0: Heard([Answer(ROUTER, "192.168.1.9")], "")}
    found = findings(told(deaf, http="no answer (timed out)"))
    assert [(check, what) for check, what, _remedy in found] == [
        ("files", "asked from nas: no answer (timed out); named by a and 1 more"),
        ("pxe", f"asked from nas: {US} does not answer its broadcast on eth0"),
    ]
    assert all("something between nas and 192.168.1.50 is in the way" in remedy for _c, _w, remedy in found)


def test_what_follows_from_a_service_that_does_not_run_is_not_told_again() -> None:
    deaf = {0: Heard([Answer(ROUTER, "192.168.1.9")], "")}
    stopped = ["netboot-nginx.service", "netboot-dnsmasq.service"]
    assert findings(told(deaf, http="no answer", tftp="no answer"), stopped) == []


def test_a_second_pxe_server_that_only_the_host_hears_keeps_its_remedy() -> None:
    rival = {0: Heard([*HEARD[0].offers, Answer("192.168.1.77", "", "theirs.0", is_pxe=True)], "lpxelinux.0")}
    ((check, what, remedy),) = findings(told(rival))
    assert (check, what) == ("others", "asked from nas: it tells machines to boot theirs.0")
    assert remedy.startswith("switch this second PXE server off")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null", "[1]", '[{"host": "x"}]'),
        '[{"host":"x","address":"z","interface":"y","heard":{"0":1},"files":[]}]',
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"answers of module boot_answers|Expecting value"):
        list(abroad.judge(text, [HERE], []))
