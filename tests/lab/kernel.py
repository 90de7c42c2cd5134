# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's signed kernel and its modules, fetched as a package and unpacked, never installed."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import initrd
from .common import CACHE, LabError, locked, run, say

META = "linux-image-amd64"


@dataclass(frozen=True)
class Kernel:
    """A kernel on disk: the folder holds boot/ and lib/modules/ as in the package."""

    version: str
    folder: Path

    @property
    def image(self) -> Path:
        """The kernel itself."""
        return next(self.folder.glob("boot/vmlinuz-*"))

    def builtin(self) -> list[str]:
        """Modules that are part of the kernel image."""
        lists = [*self.folder.glob("lib/modules/*/modules.builtin")]
        lists += self.folder.glob("usr/lib/modules/*/modules.builtin")
        return [module_name(line) for line in lists[0].read_text().splitlines()]

    def modules(self) -> dict[str, bytes]:
        """The modules that the initrd may need, by name."""
        files = {module_name(path.name): path for path in self.folder.rglob("*.ko*")}
        found: dict[str, bytes] = {}
        todo = list(initrd.MODULES)
        while todo:
            name = todo.pop()
            if name in files and name not in found:
                found[name] = initrd.plain_module(files[name].name, files[name].read_bytes())
                todo += initrd.depends(found[name])
        return found


def module_name(path: str) -> str:
    """A module's name from its file's: kernel/fs/nls/nls_utf-8.ko.xz gives nls_utf_8."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def package() -> tuple[str, str]:
    """Name and version of the package that linux-image-amd64 stands for now."""
    for attempt in range(2):
        shown = run("apt-cache", "show", "--no-all-versions", META, check=False)
        name = re.search(r"^Depends:.*?(linux-image-\S+-amd64)", shown, re.MULTILINE)
        version = re.search(r"^Version: (\S+)", shown, re.MULTILINE)
        if name and version:
            return name[1], version[1]
        if attempt == 0:
            run("apt-get", "-q", "update")
    raise LabError(f"apt knows no package {META}: is this Debian on amd64?")


def ensure() -> Kernel:
    """The kernel, fetched on first use (70 MB) and kept."""
    name, version = package()
    folder = CACHE / "kernel" / f"{name}_{version}"
    with locked("kernel"):
        if not folder.exists():
            say(f"Fetching Debian's kernel {version} for the test ISO (once, about 70 MB) …")
            work = folder.with_name("new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            # apt drops its rights for the download and could not write here; Debian's signatures are checked
            run(
                "sh", "-c", 'cd "$1" && apt-get -q -o APT::Sandbox::User=root download "$2"', "sh", work, name
            )
            run("dpkg-deb", "--extract", next(work.glob("*.deb")), work)
            next(work.glob("*.deb")).unlink()
            for old in folder.parent.glob("linux-image-*"):
                shutil.rmtree(old, ignore_errors=True)
            work.rename(folder)
    return Kernel(version, folder)
