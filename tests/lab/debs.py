# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's signed shim and GRUB, and its busybox, as .deb files of any suite and processor: never installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .arch import AMD64, Arch
from .common import CACHE, LabError, locked, run, say

TARGETS = ("Created-By: Packages", "Component: main", "Label: Debian")


def packages(arch: Arch) -> tuple[str, str, str]:
    """Their names; GRUB's says which processor it is for."""
    return "shim-signed", f"grub-efi-{arch.debian}-signed", "busybox-static"


def fetch(suite: str, arch: Arch = AMD64) -> tuple[Path, Path]:
    """Shim and GRUB of a suite (`trixie`), fetched on first use.

    Each keeps its name, such as shim-signed_VERSION_amd64.deb. Raises LabError when apt cannot fetch them.
    """
    shim, grub, _busybox = fetch_all(suite, arch)
    return shim, grub


def busybox(suite: str, arch: Arch) -> bytes:
    """The program busybox, which needs no libraries."""
    package = fetch_all(suite, arch)[2]
    with tempfile.TemporaryDirectory() as work:
        run("dpkg-deb", "--extract", package, work)
        return next(Path(work).rglob("bin/busybox")).read_bytes()


def fetch_all(suite: str, arch: Arch) -> tuple[Path, Path, Path]:
    """The three packages."""
    folder = CACHE / "debs" / f"{suite}-{arch.debian}"
    with locked(f"debs-{folder.name}"):
        if not folder.exists():
            say(f"Fetching Debian's signed shim and GRUB of {suite} for {arch.debian} (once, 3 MB) …")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                download(suite, arch, Path(work)).rename(folder)
    shim, grub, box = (next(folder.glob(f"{package}_*.deb")) for package in packages(arch))
    return shim, grub, box


def download(suite: str, arch: Arch, work: Path) -> Path:
    """Let apt fetch the packages as on a machine of that suite; it checks Debian's signatures."""
    mirrors = run("apt-get", "indextargets", "--format", "$(REPO_URI)", *TARGETS).split()
    if not mirrors:
        raise LabError("apt has no Debian mirror in its sources: is this Debian?")
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (work / "sources").write_text(f"deb [signed-by={keyring}] {mirrors[0]} {suite} main\n", encoding="utf-8")
    for name in ("status", "none"):
        (work / name).touch()
    for name in ("state", "cache", "debs"):
        (work / name).mkdir()
    places = {
        "Dir::State": "state",
        "Dir::State::status": "status",  # nothing is installed there, and nothing pinned
        "Dir::Cache": "cache",
        "Dir::Etc::SourceList": "sources",
        "Dir::Etc::SourceParts": "none",
        "Dir::Etc::Preferences": "none",
        "Dir::Etc::PreferencesParts": "none",
    }
    options = [word for key, place in places.items() for word in ("-o", f"{key}={work / place}")]
    processor = f"APT::Architecture={arch.debian}"
    apt = ["apt-get", "-q", "-o", processor, "-o", "APT::Sandbox::User=root", *options]
    run(*apt, "update")
    names = packages(arch)
    run("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work / "debs", *apt, "download", *names)
    return work / "debs"
