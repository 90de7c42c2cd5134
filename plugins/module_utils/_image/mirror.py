# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How Ubuntu's mirrors are laid out, and what their lists of checksums say. Touches neither network nor files.

https://releases.ubuntu.com has the newest point releases for amd64 in CODENAME/ (and VERSION/, such as 24.04.3/);
https://cdimage.ubuntu.com/releases those for other processors, in CODENAME/release/; what has aged moves to
https://old-releases.ubuntu.com/releases/CODENAME/, for all processors, and there VERSION/ is the same folder. In each
lie SHA256SUMS and its signature SHA256SUMS.gpg. So public projects use them that download from all three; on mirrors
see https://documentation.ubuntu.com/project/release-team/mirror-scripts. Our tests asked none of the three.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, Sequence

LIST, SIGNATURE = "SHA256SUMS", "SHA256SUMS.gpg"
AMD64 = "https://releases.ubuntu.com"
OTHERS = "https://cdimage.ubuntu.com/releases"
OLD = "https://old-releases.ubuntu.com/releases"

# As sha256sum writes it; Ubuntu's lists have the asterisk.
_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?:\./)?(?P<name>\S+)")
# Not ubuntu-24.04-beta-live-server-amd64.iso, which lies in old-releases, too.
_NAME = re.compile(r"ubuntu-(?P<version>\d+\.\d+(\.\d+)?)-live-server-(?P<arch>[a-z0-9]+)\.iso")


@dataclass(frozen=True)
class Asked:
    """An image by its name.

    release: 24.04, or 24.04.3 for that one alone. mirrors: the user's own; none for Ubuntu's.
    """

    release: str
    codename: str
    arch: str
    mirrors: Sequence[str] = ()

    @property
    def point(self) -> str:
        """The point release that is asked for; empty when it is the newest."""
        return self.release if self.release.count(".") > 1 else ""

    @property
    def number(self) -> str:
        """The release without the point release."""
        return ".".join(self.release.split(".")[:2])

    @property
    def file(self) -> str:
        """The name of its ISO, for people."""
        return f"ubuntu-{self.point or self.release + '[.N]'}-live-server-{self.arch}.iso"


@dataclass(frozen=True)
class Listed:
    """An ISO of a list of checksums."""

    version: str
    file: str
    digest: str

    @property
    def age(self) -> tuple[int, ...]:
        """What is larger the newer it is: 24.04.10 is newer than 24.04.9."""
        return tuple(int(part) for part in self.version.split("."))


def folders(asked: Asked) -> Iterator[str]:
    """Yield the addresses of the folders that may have the image, without a slash at the end, in the order to ask.

    An own mirror may be laid out as any of Ubuntu's three, or be just one folder with ISOs and their signed list.
    """
    names = [asked.codename, *([asked.point] if asked.point else [])]
    if not asked.mirrors:
        new = [f"{AMD64}/{name}" if asked.arch == "amd64" else f"{OTHERS}/{name}/release" for name in names]
        yield from new
        yield from (f"{OLD}/{name}" for name in names)
    for mirror in asked.mirrors:
        base = mirror.rstrip("/")
        places = [f"{base}/{name}" for name in [*names, asked.number]]
        yield from dict.fromkeys([*places, *(f"{place}/release" for place in places), base])


def listed(text: str, arch: str) -> list[Listed]:
    """Return the live-server ISOs for that processor in a list of checksums, the newest first."""
    found = []
    for line in text.splitlines():
        entry = _LINE.fullmatch(line.strip())
        name = _NAME.fullmatch(entry["name"]) if entry else None
        if entry and name and name["arch"] == arch:
            found.append(Listed(name["version"], entry["name"], entry["digest"].lower()))
    return sorted(found, key=lambda one: one.age, reverse=True)


def newest(isos: Sequence[Listed], asked: Asked) -> Listed | None:
    """Return the ISO that is asked for, of those in a list: the point release, else the newest of the release."""
    for iso in isos:
        if iso.version == asked.point or (not asked.point and is_of(iso.version, asked.release)):
            return iso
    return None


def is_of(version: str, release: str) -> bool:
    """Whether a version is of a release, or is that point release: 24.04.3 is of 24.04 and of 24.04.3."""
    return version == release or (release.count(".") == 1 and version.startswith(f"{release}."))
