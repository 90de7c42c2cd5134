# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What an Ubuntu image says of itself in its file `.disk/info`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError

# As Ubuntu's build scripts write it: Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)
_LINE = re.compile(
    r'(?P<product>\S+) (?P<release>\d+\.\d+(\.\d+)?)( LTS)? "(?P<codename>\w+)[^"]*" - .*?'
    r"\b(?P<arch>amd64|arm64|armhf|i386|ppc64el|riscv64|s390x)\b"
)
SERVER = "Ubuntu-Server"
REMEDY = "Give the address or path of ubuntu-VERSION-live-server-{arch}.iso, and its checksum"


@dataclass(frozen=True)
class Info:
    """`release` with its point release (24.04.3), `codename` in lower case (noble), `arch` as Debian names it."""

    release: str
    codename: str
    arch: str


def read(line: str | None, iso: str, arch: str) -> Info:
    """Understand the first line of `.disk/info`; None when the image has no such file.

    iso: the image, for messages. arch: the processor that it is to be for.
    Raises UserError when it is no live-server image for that processor.
    """
    remedy = REMEDY.format(arch=arch)
    if line is None:
        raise UserError(f"{iso} has no .disk/info: it is no Ubuntu image. {remedy}.")
    match = _LINE.match(line)
    if match is None or match["product"] != SERVER:
        what = "a desktop image" if match and match["product"] == "Ubuntu" else "no Ubuntu server image"
        raise UserError(f"{iso} says that it is '{line[:100]}': that is {what}. {remedy}.")
    if match["arch"] != arch:
        raise UserError(
            f"{iso} is for {match['arch']}, and the image is to be for {arch}. "
            f"{remedy}; or write arch: {match['arch']}."
        )
    return Info(match["release"], match["codename"].lower(), match["arch"])
