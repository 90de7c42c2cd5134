# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose firmware knows certain authorities, with a shim on its disk: made, and switched on until it has said
whether shim was started.
"""

from __future__ import annotations

import importlib.resources
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab import accel, debs, efi_disk
from tests.lab.common import LabError, run
from tests.lab.disk import MARK
from tests.lab.firmware import OVMF, SECURE

OWNER = "77fa9abd-0359-4d32-bd60-28f4e78f784b"
"""Microsoft's GUID as owner of entries in db."""
PARTITION = f"@@{efi_disk.START}"
SHIM = "usr/lib/shim/shimx64.efi.signed"
GRUB = "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
PATIENCE = 120.0
"""Seconds; a boot takes ten to thirty."""
STARTED = re.compile(MARK)
#: EFI_ACCESS_DENIED and EFI_SECURITY_VIOLATION, as OVMF tells them of a boot option (edk2: BdsDxe).
REFUSED = re.compile(r"failed to (?:load|start) Boot\w+ .*(Access Denied|Security Violation)")
WORDS = (("started", STARTED), ("refused", REFUSED))


def unpacked(folder: Path) -> Path:
    """Debian's shim and GRUB, as Microsoft and Debian have signed them."""
    for package in debs.fetch(efi_disk.SUITE):
        run("dpkg-deb", "--extract", package, folder)
    return folder


def cut(shim: Path, place: Path, away: Sequence[int]) -> Path:
    """A copy of a shim without some of its signatures: their numbers, from 1 on, the last one first."""
    shutil.copyfile(shim, place)
    for number in away:
        run("sbattach", "--signum", str(number), "--remove", place)
    return place


def variables(place: Path, knows: Sequence[str]) -> Path:
    """OVMF's variables with Secure Boot on, and in db these of Microsoft's authorities and nothing else."""
    folder = importlib.resources.files("virt.firmware") / "certs" / "microsoft.com"
    words = [word for year in knows for word in ("--add-db", OWNER, f"{folder}/ms-uefi-{year}.pem")]
    command = ("virt-fw-vars", "--input", OVMF / "OVMF_VARS_4M.fd", "--output", place)
    run(*command, "--enroll-generate", "Test", "--no-microsoft", *words, "--secure-boot")
    return place


def disk(place: Path, shim: Path, grub: Path) -> Path:
    """A disk that firmware boots by itself, and whose GRUB then says so."""
    shutil.copyfile(efi_disk.ensure(), place)
    run("mmd", "-i", f"{place}{PARTITION}", "::EFI/BOOT")
    for name, source in (("BOOTX64.EFI", shim), ("grubx64.efi", grub)):
        run("mcopy", "-i", f"{place}{PARTITION}", source, f"::EFI/BOOT/{name}")
    return place


def boot(folder: Path) -> str:
    """Switch the machine on whose disk.img and variables.fd lie in the folder; return started or refused.

    LabError when it says neither. What it wrote is in serial.log.
    """
    log = folder / "serial.log"
    log.write_bytes(b"")
    flash = [
        f"if=pflash,format=raw,unit={unit},readonly={readonly},file={file}"
        for unit, (file, readonly) in enumerate(((SECURE.code, "on"), (folder / "variables.fd", "off")))
    ]
    command = [
        *(
            "setpriv",
            "--pdeathsig",
            "KILL",
            SECURE.emulator,
            *accel.of(SECURE.arch).arguments,
            *SECURE.machine,
        ),
        *("-m", "256", "-display", "none", "-nodefaults", "-no-reboot", "-nic", "none"),
        *("-monitor", "none", "-serial", f"file:{log}"),
        *(word for drive in flash for word in ("-drive", drive)),
        *("-drive", f"file={folder}/disk.img,format=raw,if=none,id=disk"),
        *("-device", "ide-hd,drive=disk,bootindex=1"),
    ]
    end = time.monotonic() + PATIENCE
    with (folder / "qemu.log").open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
    try:
        while time.monotonic() < end and process.poll() is None:
            said = log.read_text(encoding="utf-8", errors="replace")
            for word, sign in WORDS:
                if sign.search(said):
                    return word
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    raise LabError(f"it did not say within {PATIENCE:g} s whether shim was started: see {log}")
