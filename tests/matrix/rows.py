# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the boot matrix, and what must be true of each. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.lab import verdict
from tests.lab.firmware import BIOS, Firmware
from tests.lab.story import Story


@dataclass(frozen=True)
class Facts:
    """What the checks need to know of the image: its ISO's path in the URL, and bytes."""

    iso: str
    iso_bytes: int
    boot_bytes: int


Check = Callable[[Story, Facts], list[str]]


@dataclass(frozen=True)
class Row:
    """One boot. inventory: which of tests/matrix/inventory the server was set up from."""

    path: str
    suite: str
    mac: str
    check: Check
    inventory: str = "named"
    firmware: Firmware = BIOS
    strip: str = ""  # a kernel argument that is taken off this machine's entry on the server

    @property
    def name(self) -> str:
        """The row's name in tables and for --row."""
        return f"{self.path}-{self.suite}"


def _installed(story: Story, facts: Facts) -> list[str]:
    return verdict.installed(story, facts.iso, facts.iso_bytes, facts.boot_bytes)


def lpxelinux(story: Story, facts: Facts) -> list[str]:
    """Installed by name; all but the loader by HTTP."""
    search = verdict.searched(story, "01-" + story.mac.replace(":", "-"))
    return _installed(story, facts) + verdict.by_http(story) + search


def pxelinux(story: Story, facts: Facts) -> list[str]:
    """Installed by name; loader, kernel and initrd by TFTP."""
    search = verdict.searched(story, "01-" + story.mac.replace(":", "-"))
    return _installed(story, facts) + verdict.by_tftp(story) + search


def pxelinux_any(story: Story, facts: Facts) -> list[str]:
    """Installed though no name is known: PXELINUX's whole search, down to `default`."""
    return _installed(story, facts) + verdict.by_tftp(story) + verdict.searched(story, "default")


def unknown(story: Story, _facts: Facts) -> list[str]:
    """A machine that the inventory does not name: its own disk."""
    return verdict.left_alone(story) + verdict.searched(story, "default")


def waste(story: Story, facts: Facts) -> list[str]:
    """The proof that the check of bytes can fail: exactly the two faults that the missing argument makes."""
    faults = _installed(story, facts)
    expected = (
        "the ISO was fetched 3 times",
        f"{story.bytes_tftp + story.bytes_http:,} bytes fetched, more than",
    )
    missed = [f"not noticed: {text}" for text in expected if not any(text in fault for fault in faults)]
    return missed + [fault for fault in faults if not fault.startswith(expected)]


ROWS = (
    Row("bios-lpxelinux", "bookworm", "52:54:00:12:34:01", lpxelinux),
    Row("bios-lpxelinux", "trixie", "52:54:00:12:34:01", lpxelinux),
    Row("bios-pxelinux", "bookworm", "52:54:00:12:34:02", pxelinux),
    Row("bios-pxelinux", "trixie", "52:54:00:12:34:02", pxelinux),
    Row("bios-unknown", "bookworm", "52:54:00:12:34:0f", unknown),
    Row("bios-unknown", "trixie", "52:54:00:12:34:0f", unknown),
    Row("bios-pxelinux-any", "bookworm", "52:54:00:12:34:0e", pxelinux_any, inventory="any"),
    Row("waste-is-noticed", "trixie", "52:54:00:12:34:03", waste, strip="cloud-config-url=/dev/null"),
)


def chosen(pattern: str) -> list[Row]:
    """The rows whose name contains the pattern; all for an empty one."""
    return [row for row in ROWS if pattern in row.name]
