# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is new in the server's logs: each line is read once, also when logs are rotated. Reads files, changes none."""

from __future__ import annotations

import os
import subprocess
from typing import Dict, Iterator

from ..contract import BOOT_SERVER, WEB_SERVER

#: Of a log that is read for the first time, this much of its end, in bytes and in lines.
FIRST_BYTES, FIRST_LINES = 16 << 20, 100_000
#: Longer lines are no lines of ours.
LINE = 8192
#: Bytes that are read at once, so that a long log needs little memory.
PIECE = 4 << 20

Place = Dict[str, int]
"""Where a log was read up to: its inode and a position in bytes."""


def file_lines(path: str, place: Place, longest: int = LINE) -> tuple[list[str], Place]:
    """The whole lines of a growing file that are new since `place`, at most a PIECE, and the place after them.

    longest: characters that are told of a line.

    A file that was renamed to PATH.1 meanwhile (logrotate) is read to its end first.
    """
    try:
        now = os.stat(path).st_ino
    except OSError:
        return [], place
    if not place:
        return _read(path, now, max(0, os.stat(path).st_size - FIRST_BYTES), longest)
    if place["inode"] != now:
        lines, after = _rest(path + ".1", place, longest)
        return (lines, after) if lines else _read(path, now, 0, longest)
    return _read(path, now, place["at"] if os.stat(path).st_size >= place["at"] else 0, longest)


def shorten(path: str, place: Place, most: int) -> Place:
    """Empty a log that was read up to `place`, when that is its end and it has more bytes than `most`; the place then.

    Who writes it appends (nginx does, O_APPEND), so it goes on at the new end.
    """
    try:
        there = os.stat(path)
        if there.st_size > most and place == {"inode": there.st_ino, "at": there.st_size}:
            os.truncate(path, 0)
            return {"inode": there.st_ino, "at": 0}
    except OSError:
        pass
    return place


def _rest(path: str, place: Place, longest: int) -> tuple[list[str], Place]:
    """What was written before the file was renamed."""
    try:
        if os.stat(path).st_ino == place["inode"]:
            return _read(path, place["inode"], place["at"], longest)
    except OSError:
        pass
    return [], place


def _read(path: str, inode: int, start: int, longest: int) -> tuple[list[str], Place]:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read(PIECE)
    except OSError:
        return [], {"inode": inode, "at": start}
    end = data.rfind(b"\n") + 1
    if not end and len(data) == PIECE:
        end = PIECE  # no line of ours is so long
    lines = [line[:longest] for line in data[:end].decode("utf-8", "replace").split("\n")[:-1]]
    return lines, {"inode": inode, "at": start + end}


def journal_lines(cursor: str) -> tuple[list[str], str]:
    """The lines of dnsmasq's journal after a cursor, and what systemd says of our services; and the cursor after them.

    Without a cursor, the last ones. Empty where the journal cannot be read.
    """
    argv = [
        "journalctl",
        "-q",
        "--no-pager",
        "-o",
        "short-unix",
        "--show-cursor",
        "-u",
        BOOT_SERVER,
        "-u",
        WEB_SERVER,
    ]
    argv += ["--after-cursor", cursor] if cursor else ["-n", str(FIRST_LINES)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=300,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return [], cursor
    lines = done.stdout.decode("utf-8", "replace").split("\n")
    if done.returncode != 0 and cursor and not any(lines):
        return journal_lines("")  # the journal was taken away, and the cursor with it
    found = [line for line in lines if line.startswith("-- cursor: ")]
    return list(_without_cursor(lines)), found[-1][len("-- cursor: ") :] if found else cursor


def _without_cursor(lines: list[str]) -> Iterator[str]:
    return (line[:LINE] for line in lines if line and not line.startswith("-- "))
