# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs take out of an image, and what ours does: the SHA-256 of each file by its path."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable, Iterator

from ansible_collections.homelab.netboot.plugins.module_utils._image import iso as iso_module
from ansible_collections.homelab.netboot.plugins.module_utils._image.iso import Image, copy

SEVEN = shutil.which("7zz") or "7z"  # Debian 12 has it by the first name only
Files = dict[str, str]


def trees(iso: Path) -> list[str]:
    """Which trees our reader finds: `rr_path`, `joliet_path`, `udf_path`, `iso_path`."""
    with iso.open("rb") as file:
        return [tree.keyword for tree in Image(file, iso.name)._trees]


def ours(iso: Path, keyword: str) -> Files:
    """By our reader, each file of that tree by its path."""
    result = {}
    with iso.open("rb") as file:
        image = Image(file, iso.name)
        (tree,) = image._trees = [tree for tree in image._trees if tree.keyword == keyword]
        for path in _paths(image, tree, [], []):
            digest = hashlib.sha256()
            copy(file, iso.name, image.find(path), digest.update)
            result[path] = digest.hexdigest()
    return result


def _paths(image: Image, tree: iso_module._Tree, shown: list[str], spelt: list[str]) -> Iterator[str]:
    for name, record in image._children(tree, spelt).items():
        if record.is_dir():
            if name.lower() != "rr_moved":  # what is there is shown at its own place, too
                yield from _paths(
                    image, tree, [*shown, name], [*spelt, iso_module._spelt(tree, record, name)]
                )
        elif not iso_module._is_link(tree, record):
            yield "/".join([*shown, name])


def by_7z(iso: Path, top: Path) -> Files:
    """By 7z: Joliet, else Rock Ridge; not the boot images that it makes files of, nor links that it refuses."""
    refused = [] if "joliet_path" in trees(iso) else ["-x!casper/up"]
    return _tree([SEVEN, "x", "-y", "-tiso", "-x![BOOT]", *refused, f"-o{top}", str(iso)], top)


def by_7z_udf(iso: Path, top: Path) -> Files:
    """By 7z, from UDF."""
    return _tree([SEVEN, "x", "-y", "-tudf", f"-o{top}", str(iso)], top)


def by_xorriso(iso: Path, top: Path) -> Files:
    """By xorriso: Rock Ridge."""
    return _tree(["xorriso", "-osirrox", "on", "-indev", str(iso), "-extract", "/", str(top)], top)


def by_xorriso_joliet(iso: Path, top: Path) -> Files:
    """By xorriso, from Joliet."""
    command = ["xorriso", "-read_fs", "norock", "-osirrox", "on", "-indev", str(iso)]
    return _tree([*command, "-extract", "/", str(top)], top)


def by_bsdtar(iso: Path, top: Path) -> Files:
    """By bsdtar: Rock Ridge."""
    return _tree(["bsdtar", "--options", "!joliet", "-xf", str(iso), "-C", str(top)], top)


def by_bsdtar_plain(iso: Path, top: Path) -> Files:
    """By bsdtar, by the plain names, which ours shows in capitals."""
    found = _tree(["bsdtar", "--options", "!joliet,!rockridge", "-xf", str(iso), "-C", str(top)], top)
    # bytes that are no UTF-8 are letters of Latin-1 to our reader
    return {os.fsencode(path).decode("latin-1").rstrip(".").upper(): digest for path, digest in found.items()}


#: Who reads a tree, too.
READERS: dict[str, tuple[Callable[[Path, Path], Files], ...]] = {
    "rr_path": (by_xorriso, by_bsdtar),
    "joliet_path": (by_xorriso_joliet, by_7z),  # bsdtar cuts long names, and refuses some of genisoimage's
    "udf_path": (by_7z_udf,),
    "iso_path": (by_bsdtar_plain,),
}


def _tree(command: list[str], top: Path) -> Files:
    """Run a program that unpacks into the folder; what is there then."""
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    clean = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    subprocess.run(["chmod", "-R", "u+rwX", str(top)], check=True)
    return {
        str(path.relative_to(top)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in top.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
