# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Debian with Python and cloud-init: the root file system of the lab's larger ISO and of what that installs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from .common import BUILD, CACHE, LabError, digest, locked, run, say
from .image import bootstrap

SUITE = "trixie"
# What Ubuntu's live-server system has too and an installation may call: cloud-init and Python for the installer,
# curl for its reports, udev for the disks' serial numbers, dmidecode for the product's name.
LIVE = "cloud-init,python3-yaml,curl,udev,dmidecode,iproute2,e2fsprogs"
# What an installed system has besides: systemd, sshd, sudo for Ansible, efibootmgr for its restart from the network.
INSTALLED = "systemd-sysv,openssh-server,sudo,efibootmgr"
UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/i18n",
    "usr/share/zoneinfo",
    "usr/share/perl5",
    "usr/share/bash-completion",
    "usr/share/python3/debpython/__pycache__",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/x86_64-linux-gnu/perl-base",
    "usr/lib/x86_64-linux-gnu/libapt-*",
    "usr/lib/apt",
    "usr/lib/udev/hwdb.*",
    "usr/lib/python3*/test",
    "usr/lib/python3*/idlelib",
    "usr/lib/python3*/pydoc_data",
    "usr/bin/perl*",
    "usr/bin/openssl",
    "usr/bin/sqv",
    "var/lib/apt",
    "var/lib/dpkg/info",
    "var/cache",
)
"""Left out of the squashfs: a third of its bytes, and nothing that is run there."""
COMPRESSION = ("-comp", "zstd", "-Xcompression-level", "12")
"""zstd is quick to read, which counts more in an emulated machine than a tenth of the size."""


def ensure() -> Path:
    """The squashfs, made on first use (a minute) and when this recipe changes; kept in ~/.cache."""
    place = CACHE / "rootfs" / f"{SUITE}-{digest(Path(__file__).read_bytes())}.squashfs"
    with locked("rootfs"):
        if not place.exists():
            started = time.monotonic()
            say("Making a root file system with cloud-init from Debian's packages (once, about a minute) …")
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place.parent) as work:
                made = make(Path(work))
                for old in place.parent.glob("*.squashfs"):
                    old.unlink()
                made.rename(place)
            say(f"It is ready ({time.monotonic() - started:.0f} s).")
    return place


def make(work: Path) -> Path:
    """Install the packages into a folder and pack it; LabError with mmdebstrap's words when it cannot."""
    log, root, out = BUILD / "rootfs.log", work / "root", work / "root.squashfs"
    log.parent.mkdir(parents=True, exist_ok=True)
    # apt reads the folder as a user without rights
    work.chmod(0o755)
    command = ["mmdebstrap", "--variant=minbase", f"--include={LIVE},{INSTALLED}", SUITE, str(root)]
    if bootstrap(command, log) != 0:
        last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-8:])
        raise LabError(f"mmdebstrap could not make the root file system; its log is {log}\n{last}")
    unused = work / "unused"
    unused.write_text("".join(f"{name}\n" for name in UNUSED), encoding="utf-8")
    options = ("-quiet", "-no-progress", "-noappend", "-wildcards", "-ef", unused)
    run("mksquashfs", root, out, *options, *COMPRESSION)
    return out
