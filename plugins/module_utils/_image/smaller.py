# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Make of an ISO one with only what an installation over the network needs, by xorriso: `command` decides what stays.

The installer keeps the ISO in memory, so a smaller one lets machines with less of it install.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from ansible_collections.homelab.netboot.plugins.module_utils._destination import check_folder
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError

PROGRAM = "xorriso"
LIMIT = 3600  # seconds that it may take; 3 GB take a minute on a hard disk
#: The live system, what it says of itself, the lists of packages (without them `apt-get update` fails in the installed
#: system, and so does the installation), and the packages that module efi_loaders takes shim and GRUB from.
#: Not md5sum.txt: casper waits ten seconds for each file in it that is not there.
KEPT = (
    "/casper/*",
    "/.disk/*",
    "/dists/*",
    "/pool/*/shim-signed_*.deb",
    "/pool/*/grub-efi-*-signed_*.deb",
)
FIXED = "2000010100000000"  # when the new ISO was made, as it says: the same ISO always gives the same one
#: Exit values: it is 32 at least when something went wrong.
_STRICT = ("-no_rc", "-abort_on", "FAILURE", "-return_with", "SORRY", "32", "-overwrite", "off")


def program() -> str | None:
    """Where xorriso is; None when it is not installed."""
    return shutil.which(PROGRAM)


def demand() -> None:
    """Raise UserError when xorriso is not there."""
    if not program():
        raise UserError(
            f"{PROGRAM} is needed to make the smaller ISO: apt install {PROGRAM}, or remove small: true."
        )


def command(full: str, small: str) -> list[str]:
    """Return what xorriso is told: all of `full` but the files that are not `KEPT` goes into the new file `small`.

    Volume, names (Rock Ridge) and times of files stay, and so do empty folders. What starts an ISO by itself goes.
    """
    stay = [word for pattern in KEPT for word in ("-or", "-wholename", pattern)][1:]
    return [
        *_STRICT,
        *("-indev", full, "-outdev", small),
        *("-joliet", "off", "-boot_image", "any", "system_area=/dev/zero"),
        *("-find", "/", "-not", "-type", "d", "-not", "(", *stay, ")", "-exec", "rm", "--"),
        *("-volume_date", "uuid", FIXED, "-padding", "0"),
        *("-commit", "-end"),
    ]


def make(full: str, small: str, shown: str) -> None:
    """Write the smaller ISO to the new file `small`. `shown` is where the whole one is from, for messages."""
    demand()
    check_folder(os.path.dirname(small), os.stat(full).st_size)
    try:
        done = subprocess.run(
            [PROGRAM, *command(full, small)],
            check=False,
            timeout=LIMIT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{PROGRAM} cannot make a smaller ISO of {shown} ({error}).") from error
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    wrong = [
        line for line in lines if " : FAILURE : " in line or " : FATAL : " in line or " : SORRY : " in line
    ]
    if done.returncode or not os.path.isfile(small):
        why = (wrong or lines or ["it says nothing"])[0].strip()
        raise UserError(
            f"{PROGRAM} cannot make a smaller ISO of {shown} ({why}). "
            "See whether the disk is full, or remove small: true."
        )
    handle = os.open(small, os.O_RDONLY)
    try:
        os.fsync(handle)  # a power cut must not leave a verified name on half a file
    finally:
        os.close(handle)
