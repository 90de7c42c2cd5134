# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk with an EFI system partition, on which Debian's signed shim and GRUB say that it was booted."""

from __future__ import annotations

import tempfile
from pathlib import Path

from . import debs
from .arch import AMD64, Arch
from .common import BUILD, digest, locked, run
from .disk import MARK

SUITE = "trixie"
FOLDER = "EFI/debian"
START = 2**20
"""Where the partition begins, in bytes."""
SIZE = 16 * 2**20
"""Of the whole disk; shim and GRUB need 4 MB."""
# Printed by the firmware's console, which OVMF shows on the serial port too. GRUB sets shim_lock when Secure Boot is
# on; `sleep` keeps the machine on.
CONFIG = """\
if [ "$shim_lock" = y ]; then
  echo 'LAB secure-boot by=grub'
fi
echo 'MARK'
sleep 3600
"""
TABLE = "label: gpt\nfirst-lba: 2048\ntype=uefi, bootable\n"


def ensure(mark: str = MARK, arch: Arch = AMD64) -> Path:
    """The disk's image, made on first use (a second) and when its recipe or Debian's packages change.

    mark: what its GRUB says.

    It works with Secure Boot on: Debian's GRUB looks for its configuration beside itself, in EFI/debian. The
    partition has no EFI/BOOT: whoever boots it knows how installed systems name their loaders.
    """
    packages = debs.fetch(SUITE, arch)
    recipe = digest(Path(__file__).read_bytes(), *(package.name for package in packages))
    own = f"{arch.debian}-{digest(mark)}"
    place = BUILD / "disks" / f"efi-{own}-{recipe}.img"
    with locked(f"efi-disk-{digest(str(BUILD))}"):
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            for old in place.parent.glob(f"efi-{own}-*.img"):
                old.unlink()
            with tempfile.TemporaryDirectory(dir=place.parent) as work:
                make(Path(work), packages, mark, arch).rename(place)
    return place


def make(work: Path, packages: tuple[Path, Path], mark: str, arch: Arch) -> Path:
    """Unpack the packages and put their loaders on a new disk."""
    for package in packages:
        run("dpkg-deb", "--extract", package, work)
    config, disk = work / "grub.cfg", work / "disk.img"
    config.write_text(CONFIG.replace("MARK", mark), encoding="utf-8")
    with disk.open("wb") as out:
        out.truncate(SIZE)
    run("sfdisk", "--quiet", "--no-tell-kernel", disk, stdin=TABLE)
    partition = f"{disk}@@{START}"
    # the table's copy at the end of the disk takes 33 sectors
    run("mformat", "-i", partition, "-T", str((SIZE - START) // 512 - 33), "-h", "16", "-s", "32", "::")
    run("mmd", "-i", partition, "::EFI", f"::{FOLDER}")
    files = {
        arch.shim: work / f"usr/lib/shim/{arch.shim}.signed",
        arch.grub_file: work / f"usr/lib/grub/{arch.grub}-signed/{arch.grub_file}.signed",
        "grub.cfg": config,
    }
    for name, source in files.items():
        run("mcopy", "-i", partition, source, f"::{FOLDER}/{name}")
    return disk
