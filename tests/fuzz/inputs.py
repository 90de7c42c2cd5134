# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole images, packages and programs, and how they are damaged."""

from __future__ import annotations

import random
from pathlib import Path

from ansible_collections.homelab.netboot.tests.unit import efi, extracts
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso, ubuntu_files

#: Kinds of inputs, and how many of a hundred are of it. A package costs several programs' starts.
KINDS = {"iso": 55, "deb": 5, "pe": 40}
#: Numbers that are seldom meant.
ODD = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
#: Bytes and the places of those that mean something.
Whole = tuple[bytes, list[int]]


def make(folder: Path) -> dict[str, dict[str, Whole]]:
    """Return by kind and name what is damaged."""
    files = ubuntu_files(extracts.KERNEL, extracts.INITRD)
    links = {"kernel": "casper/vmlinuz", "casper/" + "long-name-" * 20: "../casper/initrd"}
    isos = {}
    for name, options in extracts.KINDS.items():
        more = {**options, "links": links if options["rock_ridge"] else None}
        isos[name] = make_iso(folder / f"{name}.iso", files, **more).read_bytes()
    key = efi.Key.make(folder, "Microsoft UEFI CA 2023")
    vendor = efi.Key.make(folder, "Vendor")
    lists = efi.signature_list(efi.X509, [vendor.der]) + efi.signature_list(
        efi.SHA256, [b"1" * 32, b"2" * 32]
    )
    shim = key.sign(efi.shim(vendor.der, lists, level="shim,4\ngrub,5"))
    programs = {
        "shim": shim,
        "shim, signed twice": vendor.sign(shim),
        "shim with lists": key.sign(efi.shim(lists, lists)),
        "grub": vendor.sign(efi.grub()),
    }
    inside = {"usr/lib/shim/shimx64.efi.signed": shim, "usr/share/doc/" + "long/" * 40: b"x"}
    packages = {packing: efi.package(inside, packing) for packing in ("xz", "gz", "zst", "")}
    return {
        kind: {name: (data, meaningful(data)) for name, data in group.items()}
        for kind, group in (("iso", isos), ("deb", packages), ("pe", programs))
    }


def meaningful(data: bytes) -> list[int]:
    """Return where bytes are that mean something, but for contents of files, of which an ISO has no checksum."""
    for content in (extracts.KERNEL, extracts.INITRD):
        data = data.replace(content, bytes(len(content)))
    return [at for at, byte in enumerate(data) if byte]


def damaged(dice: random.Random, data: bytes, used: list[int]) -> bytes:
    """Damage it in one to four places, mostly where it means something."""
    result = bytearray(data)
    for dummy in range(dice.choice((1, 1, 2, 4))):
        at = dice.choice(used) if dice.random() < 0.9 else dice.randrange(len(data))
        how = dice.random()
        if how < 0.5:
            result[at : at + 1] = bytes([result[at] ^ 1 << dice.randrange(8)] if at < len(result) else [])
        elif how < 0.7:
            result[at : at + 1] = bytes([dice.randrange(256)])
        elif how < 0.85:
            size = dice.choice((2, 4, 8))
            number = dice.choice(ODD) & (1 << 8 * size) - 1
            result[at : at + size] = number.to_bytes(size, dice.choice(("little", "big")))
        elif how < 0.95:
            source, size = dice.choice(used), dice.choice((4, 34, 256, 2048))
            result[at : at + size] = data[source : source + size]
        else:
            del result[at:]
    return bytes(result)
