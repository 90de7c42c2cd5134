# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ISO images for tests, with pycdlib, in any mix of the four namespaces.

For the unit tests, the lab and the bench: `make_iso(path, {"casper/vmlinuz": b"..."}, joliet=True)`.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Mapping, Union

import pycdlib

Content = Union[bytes, Path]
INFO = 'Ubuntu-Server 20.04.3 LTS "Focal Fossa" - Release amd64 (20210824)'


def ubuntu_files(
    kernel: Content = b"kernel " * 1000, initrd: Content = b"initrd " * 3000
) -> dict[str, Content]:
    """The files of a live-server image that a network boot needs, and a few that it does not."""
    return {
        ".disk/info": INFO.encode(),
        "casper/vmlinuz": kernel,
        "casper/initrd": initrd,
        "casper/hwe-vmlinuz": b"hwe " * 10,
        "casper/hwe-initrd": b"hwe initrd " * 10,
        "md5sum.txt": b"0" * 32 + b"  ./casper/vmlinuz\n",
        "empty": b"",
    }


def make_iso(
    path: Path,
    files: Mapping[str, Content],
    *,
    rock_ridge: bool = True,
    joliet: bool = False,
    udf: bool = False,
    level: int = 3,
    links: Mapping[str, str] | None = None,
) -> Path:
    """Write an image with `files` (path in the image: bytes, or a file to copy) to `path`.

    `level` is the ISO 9660 interchange level: 1 has names of 8.3 characters, 3 of 30. Names that collide
    after shortening are numbered. `links` are Rock Ridge symbolic links: {path in the image: target}.
    """
    iso = pycdlib.PyCdlib()
    iso.new(
        interchange_level=level,
        rock_ridge="1.09" if rock_ridge else None,
        joliet=3 if joliet else None,
        udf="2.60" if udf else None,
        vol_ident="TEST",
    )
    plain: dict[str, str] = {"": ""}  # path in the image: its ISO 9660 path

    def names(path: str, *, folder: bool) -> dict[str, str]:
        parent, _sep, name = path.rpartition("/")
        if parent not in plain:
            iso.add_directory(**names(parent, folder=True))
        plain[path] = _plain_path(plain[parent], name, level, set(plain.values()), folder=folder)
        result = {"iso_path": plain[path] if folder else plain[path] + ";1"}
        if rock_ridge:
            result["rr_name"] = name
        if joliet:
            result["joliet_path"] = "/" + path
        if udf:
            result["udf_path"] = "/" + path
        return result

    for name, content in files.items():
        if isinstance(content, Path):
            iso.add_file(str(content), **names(name, folder=False))
        else:
            iso.add_fp(io.BytesIO(content), len(content), **names(name, folder=False))
    for name, target in (links or {}).items():
        found = names(name, folder=False)
        iso.add_symlink(symlink_path=found["iso_path"], rr_symlink_name=found["rr_name"], rr_path=target)
    iso.write(os.fspath(path))
    iso.close()
    return path


def _plain_path(parent: str, name: str, level: int, taken: set[str], *, folder: bool) -> str:
    """Shorten a name as ISO 9660 asks: capitals, digits and `_`, one dot, in files at least a dot."""
    stem, dot, extension = name.upper().rpartition(".") if "." in name[1:] else (name.upper(), "", "")
    stem = "".join(char if char.isalnum() and char.isascii() else "_" for char in stem)
    if folder and dot:
        stem, extension = stem + "_" + extension, ""
    stem, extension = (stem[:8], extension[:3]) if level == 1 else (stem[: 29 - len(extension)], extension)
    ending = "" if folder else "." + extension
    path = f"{parent}/{stem}{ending}"
    number = 0
    while path in taken:
        number += 1
        path = f"{parent}/{stem[: len(stem) - len(str(number))]}{number}{ending}"
    return path
