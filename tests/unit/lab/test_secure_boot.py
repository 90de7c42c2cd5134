# SPDX-License-Identifier: GPL-3.0-or-later
"""What is held against what, without firmware: each way to be wrong is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.secure_boot import machine, rows

OLD, NEW = "Microsoft Corporation UEFI CA 2011", "Microsoft UEFI CA 2023"
ONLY_OLD = rows.Said(
    (OLD,),
    f"Its shim is signed by {OLD} only: with Secure Boot on, firmware that knows nothing but Microsoft's authority of "
    "2023 says 'Security Violation'.",
    {"2011": "", "2023": "machine nuc1: netboot_secure_boot_ca: 2023 is asked for, but there is no shim"},
)
NEW_FIRMWARE = rows.Row(("2023",), ("2011",))


def test_there_are_nine_rows_and_two_of_them_are_refused() -> None:
    assert len(rows.ROWS) == len({row.name for row in rows.ROWS}) == 9
    assert [(row.knows, row.signed) for row in rows.ROWS if not row.fit] == [
        (("2011",), ("2023",)),
        (("2023",), ("2011",)),
    ]
    assert {(row.knows, row.signed) for row in rows.ROWS} >= {*rows.FEW}


def test_what_is_as_predicted_is_right() -> None:
    assert rows.wrong(NEW_FIRMWARE, ONLY_OLD, "refused") == []
    assert rows.wrong(rows.Row(("2011",), ("2011",)), ONLY_OLD, "started") == []
    assert rows.wrong(rows.Row(("2011", "2023"), ("2011",)), ONLY_OLD, "started") == []


@pytest.mark.parametrize(
    ("said", "became", "told"),
    [
        (ONLY_OLD, "started", "the firmware started it, and must have refused it"),
        (replace(ONLY_OLD, sentence="Its shim is signed by A and B"), "refused", "the run predicted started"),
        (replace(ONLY_OLD, signers=(OLD, NEW)), "refused", "signers were read as"),
        (
            replace(ONLY_OLD, faults={"2011": "", "2023": ""}),
            "refused",
            "netboot_secure_boot_ca: 2023: served",
        ),
    ],
)
def test_what_is_not_is_told(said: rows.Said, became: str, told: str) -> None:
    assert any(fault.startswith(told) for fault in rows.wrong(NEW_FIRMWARE, said, became))


def test_what_firmware_and_grub_write_is_told_apart() -> None:
    refused = (
        'BdsDxe: failed to load Boot0001 "UEFI QEMU HARDDISK QM00011 " from Pci(0x1F,0x2): Access Denied'
    )
    assert machine.REFUSED.search(refused)
    assert not machine.STARTED.search(refused)
    assert not machine.REFUSED.search(
        'BdsDxe: starting Boot0001 "UEFI QEMU HARDDISK QM00011 " from PciRoot(0x0)'
    )
