# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of firmware that a client can have, as rows; a further kind is a further row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Firmware:
    """How QEMU is told to be such a machine.

    machine: arguments that choose board and firmware. nic: QEMU's model of the network card, whose boot ROM
    is the real one of iPXE's for that card. memory: MiB, enough for the lab's ISO. patience: seconds after
    which a boot counts as failed; several clients at once on two slow cores are allowed for.
    """

    name: str
    machine: tuple[str, ...]
    nic: str = "e1000"
    memory: int = 512
    patience: float = 180


BIOS = Firmware("bios", ("-machine", "pc"))
ROWS = {row.name: row for row in (BIOS,)}
