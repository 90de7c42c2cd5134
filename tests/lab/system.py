# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of a disk from which an installed system starts: by BIOS, and by UEFI with Secure Boot on.

A partition table, and an EFI system partition with SYSLINUX, Debian's signed shim and GRUB. What the installer puts
there besides is in `live_files/system.py`: kernel, initrd and root file system, which it takes from its ISO.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from . import debs
from .arch import AMD64
from .common import BUILD, digest, locked, run

SUITE = "trixie"
START, LENGTH = 2**20, 32 * 2**20
"""Of the EFI system partition, in bytes; then come the root file system and what is changed of it."""
ROOT, CHANGES = 96 * 2**20, 256 * 2**20
SIZE = START + LENGTH + ROOT + CHANGES
"""Of the whole disk."""
MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
FOLDER = "EFI/debian"
# init finds its disk by the first word; the others keep what an emulated machine does for nobody short.
WORDS = "lab-disk=/dev/sda system=-------- console=ttyS0 quiet audit=0 systemd.show_status=yes"
GRUB = f"""\
if [ "$shim_lock" = y ]; then
  echo 'LAB secure-boot by=grub'
fi
linux /vmlinuz {WORDS}
initrd /initrd
boot
"""
SYSLINUX = f"DEFAULT system\nPROMPT 0\nLABEL system\n  KERNEL /vmlinuz\n  INITRD /initrd\n  APPEND {WORDS}\n"


def ensure() -> Path:
    """The image, made on first use (a second) and when its recipe or Debian's packages change."""
    packages = debs.fetch(SUITE)
    recipe = digest(Path(__file__).read_bytes(), *(package.name for package in packages))
    place = BUILD / "disks" / f"system-{recipe}.img"
    with locked(f"system-{digest(str(BUILD))}"):
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            for old in place.parent.glob("system-*.img"):
                old.unlink()
            with tempfile.TemporaryDirectory(dir=place.parent) as work:
                make(Path(work), packages).rename(place)
    return place


def make(work: Path, packages: tuple[Path, Path]) -> Path:
    """Put the loaders on a new disk. Firmware that knows no entry of this system's starts EFI/BOOT."""
    for package in packages:
        run("dpkg-deb", "--extract", package, work)
    config, menu, disk = work / "grub.cfg", work / "syslinux.cfg", work / "disk.img"
    config.write_text(GRUB, encoding="utf-8")
    menu.write_text(SYSLINUX, encoding="utf-8")
    with disk.open("wb") as out:
        out.write(MBR.read_bytes())
        out.truncate(SIZE)
    run("sfdisk", "--quiet", "--no-tell-kernel", disk, stdin=table())
    with disk.open("r+b") as out:
        out.truncate(START + LENGTH)
    partition = f"{disk}@@{START}"
    hidden = str(START // 512)
    run("mformat", "-i", partition, "-T", str(LENGTH // 512), "-H", hidden, "-h", "16", "-s", "32", "::")
    run("mmd", "-i", partition, "::EFI", "::EFI/BOOT", f"::{FOLDER}")
    shim = work / f"usr/lib/shim/{AMD64.shim}.signed"
    grub = work / f"usr/lib/grub/{AMD64.grub}-signed/{AMD64.grub_file}.signed"
    files = {
        f"{FOLDER}/{AMD64.shim}": shim,
        f"{FOLDER}/{AMD64.grub_file}": grub,
        f"{FOLDER}/grub.cfg": config,
        f"EFI/BOOT/BOOT{AMD64.efi.upper()}.EFI": shim,
        f"EFI/BOOT/{AMD64.grub_file}": grub,
        "syslinux.cfg": menu,
    }
    for name, source in files.items():
        run("mcopy", "-i", partition, source, f"::{name}")
    run("syslinux", "--install", "--offset", str(START), disk)
    return disk


def table() -> str:
    """The partition table, as sfdisk takes it."""
    kinds = (("ef, bootable", LENGTH), ("83", ROOT), ("83", CHANGES))
    rows = [f"size={size // 512}, type={kind}" for kind, size in kinds]
    return "\n".join(["label: dos", "first-lba: 2048", *rows]) + "\n"
