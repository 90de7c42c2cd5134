# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Machines that are to be installed without a mirror of packages: the packages of the ISO must be in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import system

REMEDY = "Remove small: true there, name another image in netboot_image, or let the installer ask a mirror"


def faults(machine: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    """Return why the machine cannot be installed from an image that was made smaller.

    :param image: what the module P(homelab.netboot.boot_images#module) returns of it.
    """
    if not image.get("small") or machine["install"] == "never":
        return []
    word = _asked(machine)
    if not word:
        return []
    return [
        f"machine {machine['name']}: netboot_autoinstall: apt: {word} installs packages from the ISO, and those of "
        f"image {machine['image']} are left out (netboot_images: small). {REMEDY}"
    ]


def _asked(machine: Mapping[str, Any]) -> str:
    """Return the setting that asks no mirror."""
    apt: dict[str, Any] = {}
    for layer in system.LAYERS:
        given = machine[layer].get("apt") if isinstance(machine[layer], Mapping) else None
        apt.update(given if isinstance(given, Mapping) else {})
    if apt.get("fallback") == "offline-install":
        return "fallback: offline-install"
    mirrors = apt.get("mirror-selection")
    if isinstance(mirrors, Mapping) and mirrors.get("primary") == []:
        return "mirror-selection: primary: []"
    return ""
