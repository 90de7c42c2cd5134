# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder with all that is not usual, and the images that programs make of it."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path
from typing import Any

from tests.unit.isos import INFO, make_iso

DEEP = "/".join(f"level{number}" for number in range(1, 12))  # more than the eight of ECMA-119, 6.8.2.1
LONG = "long-" + "n" * 180 + ".txt"
XORRISO = ("xorriso", "-as", "mkisofs", "-quiet")
GENISOIMAGE = ("genisoimage", "-quiet")
UNICODE = (*GENISOIMAGE, "-input-charset", "utf-8")
#: Name of an image: the command that makes it, but for the folder and -o. genisoimage knows no UTF-8 in level 4.
COMMANDS: dict[str, tuple[str, ...]] = {
    **{f"xorriso level {level}": (*XORRISO, "--norock", "-iso-level", f"{level}") for level in (1, 2, 3, 4)},
    "xorriso rock": (*XORRISO, "-R"),
    "xorriso joliet": (*XORRISO, "--norock", "-J", "-joliet-long"),
    "xorriso both": (*XORRISO, "-R", "-J", "-joliet-long"),
    "xorriso level 4 rock": (*XORRISO, "-iso-level", "4", "-R"),
    **{f"genisoimage level {level}": (*UNICODE, "-iso-level", f"{level}") for level in (1, 2, 3)},
    "genisoimage level 4": (*GENISOIMAGE, "-input-charset", "iso8859-1", "-iso-level", "4"),
    "genisoimage rock": (*UNICODE, "-R"),
    "genisoimage joliet": (*UNICODE, "-J", "-joliet-long"),
    "genisoimage both": (*UNICODE, "-R", "-J", "-joliet-long"),
    "genisoimage udf": (*UNICODE, "-udf"),
    "genisoimage all": (*UNICODE, "-R", "-J", "-joliet-long", "-udf"),
    "genisoimage level 4 rock": (*GENISOIMAGE, "-input-charset", "iso8859-1", "-iso-level", "4", "-R"),
    "genisoimage not relocated": (*UNICODE, "-R", "-D"),
}
#: Name of an image: what make_iso is told.
PYCDLIB: dict[str, dict[str, Any]] = {
    **{f"pycdlib level {level}": {"rock_ridge": False, "level": level} for level in (1, 2, 3, 4)},
    "pycdlib rock": {},
    "pycdlib joliet": {"rock_ridge": False, "joliet": True},
    "pycdlib udf": {"rock_ridge": False, "udf": True},
    "pycdlib all": {"joliet": True, "udf": True},
}


def folder(top: Path) -> Path:
    """Make what is packed: names, depths, sizes and links that are not usual."""
    dice = random.Random(1)  # noqa: S311 - contents, not secrets
    files = {
        ".disk/info": INFO.encode(),
        "casper/vmlinuz": dice.randbytes(70_000),
        "casper/initrd": dice.randbytes(150_001),
        "empty": b"",
        f"{DEEP}/deep.txt": b"deep\n",
        "level1/level2/shallow.txt": b"shallow\n",
        LONG: b"long\n",
        "gr\u00f6\u00dfe/\u041c\u043e\u0441.txt": b"cyrillic\n",
        "\u65e5\u672c.txt": b"japanese\n",
        "two.dots.in.name": b"dots\n",
        "with space": b"space\n",
        **{f"sizes/s{size}": dice.randbytes(size) for size in (1, 2047, 2048, 2049, 4096)},
        **{f"many/file{number:03}": b"%d" % number for number in range(150)},
    }
    for name, data in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    with (top / "sparse").open("wb") as file:
        file.truncate(5 << 20)
        file.seek(3 << 20)
        file.write(b"in the middle")
    os.link(top / "casper/vmlinuz", top / "hard-link")
    for name, target in {
        "kernel": "casper/vmlinuz",
        "casper/up": "../../../etc/passwd",
        "absolute": "/etc/passwd",
        "dead": "none",
    }.items():
        (top / name).symlink_to(target)
    return top


def make(name: str, source: Path, iso: Path) -> Path:
    """Make the image of that name."""
    if name in COMMANDS:
        pack([*COMMANDS[name], "-o", str(iso), str(source)])
        return iso
    options = PYCDLIB[name]
    packed = {
        path: source / path
        for path in paths(source)
        if "level4" not in path and not (path == LONG and "joliet" in options)  # pycdlib cannot
    }
    links = {} if options.get("rock_ridge") is False else {"kernel": "casper/vmlinuz"}
    return make_iso(iso, packed, links=links, **options)


def paths(source: Path) -> list[str]:
    """The files of a folder, without links."""
    found = (path for path in source.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(str(path.relative_to(source)) for path in found)


def pack(command: list[str]) -> None:
    """Run a program, and show what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
