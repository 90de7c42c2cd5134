# SPDX-License-Identifier: GPL-3.0-or-later
"""ISOs in the shape of Ubuntu's live-server ISO, tens of MB instead of more than a thousand.

The small one holds next to nothing, and its initrd imitates cloud-init; the full one holds a root file system with
cloud-init and an installer. They say that they are of different releases, so that one server can have both, and which
processor they are for.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

import pycdlib

from . import debs, disk, efi_disk, initrd, kernel, rootfs, system, vendor
from .arch import AMD64, Arch
from .common import BUILD, LAB, LabError, digest, locked, run, say

SMALL = 'Ubuntu-Server 22.04.5 LTS "Jammy Jellyfish" - Release ARCH (20240911)'
FULL = 'Ubuntu-Server 24.04.1 LTS "Noble Numbat" - Release ARCH (20240827)'
SUITE = "trixie"
"""Of shim, GRUB and busybox: its GRUB boots beside a router. A kernel of the host's suite fits: all are signed with
Debian's one key."""
FILLER = 24 * 2**20
"""Bytes of noise in the small one: with them, one download and two differ by more than all the rest."""
LIVE = LAB / "live_files"
RECIPE = ("iso.py", "arch.py", "initrd.py", "kernel.py", "initrd_files/init", "initrd_files/udhcpc")
LAYER = "casper/ubuntu-server-minimal"


def write_iso(path: Path, files: Mapping[str, bytes]) -> None:
    """Write an ISO with Rock Ridge and Joliet names, as Ubuntu's have; the files are `folder/…/name`."""
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="Ubuntu-Server")
    short: dict[str, str] = {"": ""}
    for number, name in enumerate(sorted({str(parent) for file in files for parent in Path(file).parents})):
        if name != ".":
            above, _slash, base = name.rpartition("/")
            short[name] = f"{short[above]}/D{number}"
            iso.add_directory(short[name], rr_name=base, joliet_path=f"/{name}")
    for number, (name, data) in enumerate(files.items()):
        folder, _slash, base = name.rpartition("/")
        place = f"{short[folder]}/F{number}.;1"
        iso.add_fp(io.BytesIO(data), len(data), place, rr_name=base, joliet_path=f"/{name}")
    iso.write(str(path))
    iso.close()


def pack(root: Path) -> bytes:
    """A folder as squashfs."""
    out = root.with_suffix(".squashfs")
    run("mksquashfs", root, out, "-quiet", "-no-progress", "-all-root", "-noappend", "-comp", "gzip")
    return out.read_bytes()


def small_layers(folder: Path, recipe: str) -> dict[str, bytes]:
    """A root file system with next to nothing in it, and the noise."""
    root = folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "os-release").write_text("NAME=Lab\n", encoding="utf-8")
    noise = random.Random(recipe).randbytes(FILLER)  # noqa: S311 - no secret
    return {f"{LAYER}.squashfs": pack(root), "pool/filler": noise}


def full_layers(folder: Path) -> dict[str, bytes]:
    """Debian with cloud-init; above it, as Ubuntu layers its own, the installer and what it writes to disks."""
    own = folder / "live" / "usr" / "lib" / "netboot-lab"
    own.mkdir(parents=True)
    for name in ("live", "installer.py", "system.py"):
        shutil.copy(LIVE / name, own / name)
    (own / "bin").mkdir()
    shutil.copy(LIVE / "systemctl", own / "bin")
    (own / "bios.img").write_bytes(disk.image(mark=disk.INSTALLED))
    shutil.copyfile(efi_disk.ensure(disk.INSTALLED), own / "efi.img")
    shutil.copyfile(system.ensure(), own / "system.img")
    settings = folder / "live" / "etc" / "cloud" / "cloud.cfg.d"
    settings.mkdir(parents=True)
    shutil.copy(LIVE / "95_lab.cfg", settings)
    return {
        f"{LAYER}.squashfs": rootfs.ensure().read_bytes(),
        f"{LAYER}.ubuntu-server.squashfs": pack(folder / "live"),
    }


def pool(arch: Arch, signer: str) -> dict[str, Path]:
    """Shim and GRUB for Secure Boot, as packages where Ubuntu's ISO has its own.

    With the revoked signer, as in old ISOs, with a GRUB that takes no server from a proxy's offer.
    """
    if signer == vendor.TODAY:
        made = vendor.ensure()
        shim, grub = made.shim, made.grub
    else:
        shim, grub = debs.fetch("bookworm" if signer else SUITE, arch)
    return {
        f"pool/main/s/shim-signed/{shim.name}": shim,
        f"pool/main/g/grub2-signed/{grub.name}": grub,
    }


def contents(
    linux: kernel.Kernel, recipe: str, folder: Path, *, full: bool, packed: bool, signer: str
) -> dict[str, bytes]:
    """All files of the ISO."""
    arch, image = linux.arch, linux.image.read_bytes()
    if signer:
        image = vendor.ensure().sign(image, signer)
    busybox = debs.busybox(SUITE, arch)
    own = str(uuid.uuid5(uuid.NAMESPACE_OID, recipe))
    scripts = {name: (LAB / "initrd_files" / name).read_bytes() for name in ("init", "udhcpc")}
    files = {
        ".disk/info": (FULL if full else SMALL).replace("ARCH", arch.debian).encode(),
        ".disk/casper-uuid-generic": f"{own}\n".encode(),
        "casper/vmlinuz": gzip.compress(image, mtime=0) if packed else image,
        "casper/initrd": initrd.build(
            busybox, linux.modules(), linux.builtin(), scripts, uuid=own, arch=arch
        ),
        **(full_layers(folder) if full else small_layers(folder, recipe)),
        **{name: package.read_bytes() for name, package in pool(arch, signer).items()},
    }
    sums = [f"{hashlib.md5(data).hexdigest()}  ./{name}\n" for name, data in files.items()]  # noqa: S324
    return {**files, "md5sum.txt": "".join(sums).encode()}


def ensure(full: bool = False, arch: Arch = AMD64, packed: bool = False, signer: str = "") -> Path:
    """The ISO's path, made on first use (a few seconds) and when its recipe or Debian's kernel changes.

    packed: whether its kernel is compressed by gzip, as in Ubuntu's arm64 ISOs; an arm64 kernel does not unpack itself.
    signer: of its kernel, one of the lab's own vendor (vendor.py); Debian's when empty.
    """
    if full and arch != AMD64:
        raise LabError(f"the lab has no root file system for {arch.debian}, and so no full ISO")
    linux = kernel.ensure(arch)
    sources = [LAB / name for name in RECIPE]
    if full:
        made = ("disk.py", "efi_disk.py", "rootfs.py", "system.py")
        sources += [*(LAB / name for name in made), *sorted(LIVE.iterdir())]
    keys = vendor.ensure().recipe if signer else ""
    recipe = digest(linux.version, keys, *pool(arch, signer), *(path.read_bytes() for path in sources))
    words = ["full" if full else "small", *(["packed"] if packed else []), *([signer] if signer else [])]
    kind = "-".join([*words, arch.debian])
    place = BUILD / "iso" / f"lab-{kind}-live-server-{recipe}.iso"
    with locked(f"iso-{kind}-{digest(str(BUILD))}"):
        if not place.exists():
            say(f"Making a {kind} ISO in the shape of Ubuntu's live-server ISO …")
            place.parent.mkdir(parents=True, exist_ok=True)
            for old in place.parent.glob(f"lab-{kind}-*.iso"):
                old.unlink()
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                new = Path(folder, "new.iso")
                try:
                    write_iso(
                        new, contents(linux, recipe, Path(folder), full=full, packed=packed, signer=signer)
                    )
                except KeyError as error:
                    raise LabError(f"the kernel {linux.version} has no module {error}") from error
                new.rename(place)
    return place


def copy_to(out: Path, full: bool = False) -> None:
    """Put the ISO where the user wants it: as a hard link where possible."""
    source = ensure(full)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    try:
        os.link(source, out)
    except OSError:
        shutil.copyfile(source, out)
