# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What the module efi_loaders is asked: for which kernels, and where shim and GRUB may come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Where the packages shim-signed and grub-efi-amd64-signed (or arm64) of Debian and Ubuntu put them, by processor.
PACKAGES = {
    "x64": {
        "shim": "/usr/lib/shim/shimx64.efi.signed",
        "grub": "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
    },
    "aa64": {
        "shim": "/usr/lib/shim/shimaa64.efi.signed",
        "grub": "/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed",
    },
}


def sources(pair: Mapping[str, str], images: Iterable[str], root: str) -> dict[str, Any]:
    """Return the module's options C(kernels) and, by processor, C(candidates), what the user names first.

    :param pair: C(shim) and C(grub), files that the user names; may be empty.
    :param images: short names of the images.
    :param root: the folder with C(http/images/) on the server.
    """
    folders = {name: f"{root}/http/images/{name}/current" for name in images}
    named = [{"name": "netboot_efi_pair", **pair}] if pair else []
    pools = [
        {"name": f"the ISO of {name}", "iso": f"{folder}/{name}.iso"} for name, folder in folders.items()
    ]
    return {
        "kernels": [f"{folder}/vmlinuz" for folder in folders.values()],
        "candidates": {
            arch: [*named, *pools, {"name": "the server's packages", **files}]
            for arch, files in PACKAGES.items()
        },
    }
