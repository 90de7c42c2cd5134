# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk whose boot sector says on the first serial port that it was booted. Pure."""

from __future__ import annotations

MARK = "LOCAL DISK BOOTED"
INSTALLED = f"{MARK} system=--------"
"""What the lab's installer writes; it puts a number that is new each time for the dashes."""
SECTOR = 512


def boot_sector(mark: str = MARK) -> bytes:
    """A master boot record: 16-bit code that writes the mark to COM1 and then halts for ever.

    ValueError when the mark does not fit before the partition table, at byte 446.
    """
    code = bytes.fromhex(
        "fa fc"  # cli, count upwards
        "31c0 8ed8"  # ds = 0
        "be 0000"  # si = where the mark is, filled in below
        "ac"  # next: al = [si], si += 1
        "84c0 74 12"  # if al == 0: goto halt
        "88c4"  # ah = al
        "ba fd03"  # wait: dx = line status register of COM1
        "ec a8 20 74 fb"  # until it may send
        "ba f803 88e0 ee"  # send ah
        "eb e9"  # goto next
        "f4 eb fd"  # halt: hlt; goto halt
    )
    text = b"\r\n" + mark.encode("ascii") + b"\r\n\0"
    start = code.index(bytes.fromhex("be0000")) + 1
    code = code[:start] + (0x7C00 + len(code)).to_bytes(2, "little") + code[start + 2 :]
    if len(code) + len(text) > 446:
        raise ValueError(f"{mark!r} does not fit into a boot sector")
    return (code + text).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def image(size: int = 2**20, mark: str = MARK) -> bytes:
    """The whole disk: the boot sector, then nothing."""
    return boot_sector(mark).ljust(size, b"\0")
