# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's signed shim and GRUB as .deb files, of any suite, fetched and kept, never installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .common import CACHE, LabError, locked, run, say

PACKAGES = ("shim-signed", "grub-efi-amd64-signed")
TARGETS = ("Created-By: Packages", "Component: main", "Label: Debian")


def fetch(suite: str) -> tuple[Path, Path]:
    """The packages shim-signed and grub-efi-amd64-signed of a suite (`trixie`), fetched on first use (2 MB).

    Each keeps its name, such as shim-signed_VERSION_amd64.deb. Raises LabError when apt cannot fetch them.
    """
    folder = CACHE / "debs" / suite
    with locked(f"debs-{suite}"):
        if not folder.exists():
            say(f"Fetching Debian's signed shim and GRUB of {suite} (once, 2 MB) …")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as work:
                download(suite, Path(work)).rename(folder)
    shim, grub = (next(folder.glob(f"{package}_*.deb")) for package in PACKAGES)
    return shim, grub


def download(suite: str, work: Path) -> Path:
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
    apt = ["apt-get", "-q", "-o", "APT::Architecture=amd64", "-o", "APT::Sandbox::User=root", *options]
    run(*apt, "update")
    run("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work / "debs", *apt, "download", *PACKAGES)
    return work / "debs"
