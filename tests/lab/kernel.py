# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's signed kernel and its modules, of any processor, fetched as a package and unpacked, never installed."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import initrd
from .arch import AMD64, Arch
from .common import CACHE, LabError, locked, run, say


@dataclass(frozen=True)
class Kernel:
    """A kernel on disk: the folder holds boot/ and lib/modules/ as in the package."""

    version: str
    folder: Path
    arch: Arch = AMD64

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
        todo = list(initrd.wanted(self.arch))
        while todo:
            name = todo.pop()
            if name in files and name not in found:
                found[name] = initrd.plain_module(files[name].name, files[name].read_bytes())
                todo += initrd.depends(found[name])
        return found


def module_name(path: str) -> str:
    """A module's name from its file's: kernel/fs/nls/nls_utf-8.ko.xz gives nls_utf_8."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def apt_options(arch: Arch) -> list[str]:
    """What has apt look among the packages of a processor: nothing for the host's own.

    The host's sources are asked for those of another one too, but their lists are kept apart: the host's own apt
    learns nothing of them.
    """
    if run("dpkg", "--print-architecture").strip() == arch.debian:
        return []
    place = CACHE / "apt-lists" / arch.debian
    (place / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (place / "status").touch()  # of what is installed there: nothing
    options = {
        "APT::Architecture": arch.debian,
        "APT::Architectures": arch.debian,
        "Dir::State::lists": place / "lists",
        "Dir::State::status": place / "status",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
    }
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def package(arch: Arch, options: list[str]) -> tuple[str, str]:
    """Name and version of the package that linux-image-ARCH stands for now."""
    meta = f"linux-image-{arch.debian}"
    for attempt in range(2):
        shown = run("apt-cache", *options, "show", "--no-all-versions", meta, check=False)
        name = re.search(rf"^Depends:.*?(linux-image-\S+-{arch.debian})", shown, re.MULTILINE)
        version = re.search(r"^Version: (\S+)", shown, re.MULTILINE)
        if name and version:
            return name[1], version[1]
        if attempt == 0:
            run("apt-get", "-q", "-o", "APT::Sandbox::User=root", *options, "update")
    raise LabError(f"apt knows no package {meta}: is this Debian?")


def ensure(arch: Arch = AMD64) -> Kernel:
    """The kernel, fetched on first use (70 MB) and kept."""
    with locked("kernel"):
        options = apt_options(arch)
        name, version = package(arch, options)
        folder = CACHE / "kernel" / f"{name}_{version}"
        if not folder.exists():
            say(f"Fetching Debian's kernel {version} for {arch.debian} (once, about 70 MB) …")
            work = folder.with_name("new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            # apt drops its rights for the download and could not write here; Debian's signatures are checked
            apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", *options]
            run("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *apt, "download", name)
            run("dpkg-deb", "--extract", next(work.glob("*.deb")), work)
            next(work.glob("*.deb")).unlink()
            for old in folder.parent.glob(f"linux-image-*-{arch.debian}_*"):
                shutil.rmtree(old, ignore_errors=True)
            work.rename(folder)
    return Kernel(version, folder, arch)
