# SPDX-License-Identifier: GPL-3.0-or-later
"""A fetch that cannot be noted installs nothing: an installer that has its user-data is not let begin."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from tests.faults.box import FLEET, Box, Seen, wait

STATE, SPOOL = "/var/lib/netboot", "/var/spool/netboot"
RESTART = "systemctl restart netboot.target netboot-nginx"


@dataclass(frozen=True)
class Case:
    """What is broken, and how it is mended: shell scripts. {entry}: a boot entry of the machine, {state}: its state.

    offered: whether the machine is offered the installer all the same, which then stops. noted: whether it is noted
    nevertheless.
    """

    name: str
    broken: str
    mended: str
    offered: bool = False
    noted: bool = False


CASES = (
    Case(
        "no inode for a note",
        f"mount -t tmpfs -o nr_inodes=4 tmpfs {SPOOL}; mkdir -m 700 {SPOOL}/{{{{fetched,reports,incoming}}}}; "
        f"chown -R www-data: {SPOOL}; {RESTART}",
        f"umount {SPOOL}; {RESTART}",
        offered=True,
    ),
    Case("no spool", f"mv {SPOOL} {SPOOL}.away", f"mv {SPOOL}.away {SPOOL}; {RESTART}", offered=True),
    Case(
        "states read-only",
        f"mount --bind {STATE} {STATE}; mount -o remount,bind,ro {STATE}",
        f"umount {STATE}; systemctl start netboot-reports || true",
    ),
    Case(
        "states full",
        f"cp -a {STATE} /mnt/states; mount -t tmpfs -o size=32m tmpfs {STATE}; cp -a /mnt/states/. {STATE}; "
        f"dd if=/dev/zero of={STATE}/filler bs=4k status=none || true",
        # nothing may be noted between the two copies
        f"rm {STATE}/filler; systemctl stop netboot-reports.path; systemctl start netboot-reports || true; "
        f"cp -a {STATE}/. /mnt/states; umount {STATE}; cp -a /mnt/states/. {STATE}; rm -r /mnt/states; "
        "systemctl start netboot-reports.path",
    ),
    Case(
        "machines.json empty",
        f"cp {STATE}/plan/machines.json /mnt; : >{STATE}/plan/machines.json",
        f"cp /mnt/machines.json {STATE}/plan/machines.json; systemctl start netboot-reports || true",
        noted=True,
    ),
    Case(
        "the program is broken",
        "mv /usr/local/lib/netboot/store.py /mnt",
        "mv /mnt/store.py /usr/local/lib/netboot",
        offered=True,
    ),
    Case(
        "the target is stopped",
        "systemctl stop netboot.target",
        "systemctl start netboot.target",
        offered=True,
    ),
    Case(
        "its entry cannot be taken away",
        "mv {entry} /mnt/entry; mkdir -p {entry}/x",
        "rm -r {entry}; mv /mnt/entry {entry}; systemctl start netboot-reports || true",
        offered=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_not_noted(box: Box, seen: Seen, case: Case) -> None:
    name, other = FLEET[CASES.index(case) * 2], FLEET[CASES.index(case) * 2 + 1]
    box.arm([name, other])
    box.known = box.states()
    box.allowed = {name, other}
    tokens = box.tokens([name, other])
    mac = box.file(name).rpartition("/")[2].removesuffix(".json")
    entry = f"/srv/netboot/tftp/pxelinux.cfg/01-{mac}"
    try:
        box.sh(f"set -e; {case.broken.format(entry=entry)}")
        answers = [begin(box, one, tokens[one]) for one in (name, other)]
        if case.noted:
            wait(lambda: receipt(box, name, tokens[name]) == "200", 60)
        else:
            time.sleep(3)
            assert receipt(box, name, tokens[name]) != "200"
        if not case.offered:
            wait(lambda: "KERNEL" not in box.sh(f"cat {entry}", check=False), 60)
        if case.name.startswith("its entry"):
            wait(lambda: receipt(box, other, tokens[other]) == "200", 60)  # one machine keeps no other
    finally:
        box.sh(f"set -e; {case.mended.format(entry=entry)}")
    for one in (name, other):
        # nginx is started, and may not listen yet
        wait(lambda one=one: begin(box, one, tokens[one]).startswith("2"), 60)  # type: ignore[misc]
        wait(lambda one=one: receipt(box, one, tokens[one]) == "200", 60)  # type: ignore[misc]
    assert box.all_are("installing", [name, other])
    box.arm([name, other])  # as the next test expects them
    stops = (
        f"the installer stops before it writes anything ({answers[0]}, no receipt); noted when that is mended"
    )
    seen("it is noted all the same, and its entry withdrawn" if case.noted else stops)


@pytest.mark.parametrize("case", [CASES[0], CASES[2]], ids=lambda case: case.name)
def test_a_first_start_that_cannot_be_noted_is_not_lost(box: Box, seen: Seen, case: Case) -> None:
    name = FLEET[100 + CASES.index(case)]
    box.allowed = {name}
    token = box.tokens([name])[name]
    begin(box, name, token)
    box.http(f"/reports/{name}.{token}.installed", "-X", "PUT", "-d", "x")
    wait(lambda: box.all_are("installed", [name]), 60)
    try:
        box.sh(f"set -e; {case.broken.format(entry=None)}")
        wait(lambda: calls(box, name, token) != "000", 60)  # nginx was started, and may not listen yet
        answer = calls(box, name, token)
        assert answer.startswith("5" if case.offered else "2")
        time.sleep(2)
        assert box.all_are("installed", [name])
    finally:
        box.sh(f"set -e; {case.mended.format(entry=None)}")
    if case.offered:
        wait(lambda: calls(box, name, token).startswith("2"), 60)
    wait(lambda: box.all_are("up", [name]), 60)
    again = "cloud-init is answered so, and tells it again" if case.offered else "it waits in the spool"
    seen(f"the machine stays installed ({answer}); {again}, and is up when that is mended")
    box.arm([name])


def calls(box: Box, name: str, token: str) -> str:
    """Tell that it has started, as cloud-init does."""
    return box.http(f"/reports/{name}.{token}.up", "-d", "pub_key_rsa=N%2FA")[0]


def begin(box: Box, name: str, token: str) -> str:
    """Fetch user-data and say so, as an installer does; the status of the second."""
    box.http(f"/machines/{name}/{token}/user-data")
    return box.http(f"/reports/{name}.{token}.begun", "-X", "PUT", "-d", "begun")[0]


def receipt(box: Box, name: str, token: str) -> str:
    return box.http(f"/machines/{name}/{token}/receipt")[0]
