# SPDX-License-Identifier: GPL-3.0-or-later
"""What the life cycle test demands of a run of provision, on consoles and words made by hand."""

from __future__ import annotations

import pytest

from tests.lab import system
from tests.lifecycle import provisioned
from tests.lifecycle.provisioned import PLAIN, SIGNED

WRITTEN = "LAB install disk=sda bytes=34603008 system=b9ef0811\r\nLAB done\r\n"
STARTED = "LAB kernel release=6.1\r\nLOCAL DISK BOOTED system=b9ef0811\r\nlogin:\r\n"
SAID = """
"msg": "Wake-on-LAN was sent to provisioned-bios. If that does not start it: switch provisioned-bios on now."
"msg": "hello from provisioned-bios, system=b9ef0811, Secure Boot off"
    "machine           boots    installs  starts   address        result",
    "provisioned-bios  0.4 min  0.5 min   0.8 min  192.168.1.100  up"
"""


def test_a_good_run() -> None:
    assert provisioned.faults(PLAIN, SAID, [WRITTEN, STARTED], by_hand=True) == []
    signed = SAID.replace(PLAIN.name, SIGNED.name).replace("Boot off", "Boot on")
    assert provisioned.faults(SIGNED, signed, [WRITTEN, STARTED], by_hand=True) == []


@pytest.mark.parametrize(
    ("said", "consoles", "by_hand", "fault"),
    [
        (SAID, [STARTED], True, "0 systems were written to its disk instead of one"),
        (SAID, [WRITTEN, WRITTEN, STARTED], True, "2 systems were written to its disk instead of one"),
        (SAID, [WRITTEN], True, "its disk started nothing instead of ['b9ef0811']"),
        (SAID, [WRITTEN, STARTED], False, "a hand was asked for"),
        (SAID.replace("on now", ""), [WRITTEN, STARTED], True, "a hand was not asked for"),
        (SAID.replace("=b9", "=c9"), [WRITTEN, STARTED], True, "the playbook did not say 'hello from"),
        (SAID.replace("Boot off", "Boot on"), [WRITTEN, STARTED], True, "the playbook did not say 'hello"),
        (SAID.replace("0.8 min", "-"), [WRITTEN, STARTED], True, "it is not in the table at the end"),
    ],
)
def test_what_may_be_wrong(said: str, consoles: list[str], by_hand: bool, fault: str) -> None:
    found = provisioned.faults(PLAIN, said, consoles, by_hand=by_hand)
    assert found[0].startswith(fault)


def test_machines_are_chosen_by_a_part_of_their_names() -> None:
    assert [one.name for one in provisioned.chosen("")] == ["provisioned-bios", "provisioned-uefi"]
    assert provisioned.chosen("uefi") == [SIGNED]
    assert provisioned.chosen("life-") == []


def test_a_disk_has_room_for_all_that_is_written_to_it() -> None:
    ends = system.START + system.LENGTH + system.ROOT + system.CHANGES
    assert PLAIN.room == SIGNED.room == system.SIZE == ends
    assert "type=ef, bootable" in system.table()
