# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""The door of this room: what the others may ask of Ubuntu. Another system would be a sibling with such a door."""

from __future__ import annotations

from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.apt_cache import hosts as mirrors
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.apt_cache import is_mirror, is_ubuntu
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.autoinstall import LAYERS, wanted
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.kernel_line import kernel_arguments
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.memory import RAMDISK, memory_needed
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu.releases import (
    ANY,
    RELEASES,
    Release,
    find,
)

__all__ = [
    "ANY",
    "LAYERS",
    "RAMDISK",
    "RELEASES",
    "Release",
    "find",
    "is_mirror",
    "is_ubuntu",
    "kernel_arguments",
    "memory_needed",
    "mirrors",
    "wanted",
]
