# SPDX-License-Identifier: GPL-3.0-or-later
"""ISO images that are made to cost much: small files, or files that say that they have more than any image has."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Sequence

from ansible_collections.homelab.netboot.tests.unit.isos import make_iso

SECTOR = 2048
DESCRIPTOR = 16 * SECTOR
FOLDER = 2  # flag of a record


def both(number: int, form: str = "L") -> bytes:
    return struct.pack(f"<{form}", number) + struct.pack(f">{form}", number)


def record(name: bytes, sector: int, size: int = 10, flags: int = 0) -> bytes:
    """One entry of a folder (ECMA-119, 9.1)."""
    body = b"\0" + both(sector) + both(size) + bytes(7) + bytes([flags, 0, 0]) + both(1, "H")
    body += bytes([len(name)]) + name
    body += bytes((len(body) + 1) % 2)
    return bytes([len(body) + 1]) + body


def folder(records: Sequence[bytes]) -> bytes:
    """Whole sectors, with no record across two."""
    sectors = [b""]
    for one in (record(b"\0", 30, flags=FOLDER), record(b"\1", 30, flags=FOLDER), *records):
        if len(sectors[-1]) + len(one) > SECTOR:
            sectors.append(b"")
        sectors[-1] += one
    return b"".join(sector.ljust(SECTOR, b"\0") for sector in sectors)


def image(path: Path, folders: Sequence[Sequence[bytes]]) -> Path:
    """An image, in plain ISO 9660, whose top folder has these folders."""
    data = bytearray(make_iso(path, {"x": b"x"}, rock_ridge=False).read_bytes())
    data += bytes(-len(data) % SECTOR)
    parts = [folder(records) for records in folders]
    names = [b"D%06d" % number for number in range(len(parts))]
    top = len(data) // SECTOR
    size = len(folder([record(name, 0) for name in names]))
    places = [top + (size + sum(map(len, parts[:number]))) // SECTOR for number in range(len(parts))]
    entries = [record(name, place, len(part), FOLDER) for name, place, part in zip(names, places, parts)]
    data += folder(entries) + b"".join(parts)
    for order, field in (("<", 140), (">", 148)):  # the tables of paths; ECMA-119, 9.4
        table = b"\1\0" + struct.pack(f"{order}LH", top, 1) + bytes(2)
        for name, place in zip(names, places):
            table += bytes([len(name), 0]) + struct.pack(f"{order}LH", place, 1) + name + bytes(len(name) % 2)
        struct.pack_into(f"{order}L", data, DESCRIPTOR + field, len(data) // SECTOR)
        data[DESCRIPTOR + 132 : DESCRIPTOR + 140] = both(len(table))
        data += table + bytes(-len(table) % SECTOR)
    data[DESCRIPTOR + 80 : DESCRIPTOR + 88] = both(len(data) // SECTOR)
    data[DESCRIPTOR + 156 : DESCRIPTOR + 190] = record(b"\0", top, size, FOLDER)
    path.write_bytes(data)
    return path


def with_long_tables(path: Path, size: int) -> Path:
    """An image whose tables of paths say that they are that long; they are one short entry again and again."""
    data = bytearray(image(path, []).read_bytes())
    for order, field in (("<", 140), (">", 148)):
        struct.pack_into(f"{order}L", data, DESCRIPTOR + field, len(data) // SECTOR)
        data += (b"\1\0" + struct.pack(f"{order}LH", 40, 1) + bytes(2)) * (size // 10 + 1)
        data += bytes(-len(data) % SECTOR)
    data[DESCRIPTOR + 132 : DESCRIPTOR + 140] = both(size)
    data[DESCRIPTOR + 80 : DESCRIPTOR + 88] = both(len(data) // SECTOR)
    path.write_bytes(data)
    return path
