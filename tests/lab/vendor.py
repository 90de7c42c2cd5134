# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor of our own: Debian's shim, GRUB and kernel, signed anew, so that its shim can revoke a key.

In shim are its vendor's certificate and list of revoked ones (rhboot/shim, cert.S): the lab writes its own in their
place. Its authority certifies two signers, one of today, and an old one that shim revokes, as Canonical did with the
keys of kernels before 2022. A machine whose firmware trusts the lab's shim has variables of its own.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.homelab.netboot.plugins.module_utils._uefi import names, pe
from ansible_collections.homelab.netboot.tests.unit import efi

from . import debs
from .common import BUILD, LabError, digest, locked, run, say
from .firmware import LAB_VARIABLES, OVMF

SUITE = "trixie"
TODAY, REVOKED = "today", "revoked"
"""The signers. Who signs GRUB and new kernels, and whose kernels shim refuses."""
FOLDER = BUILD / "vendor"
OWNER = "77fa9abd-0359-4d32-bd60-28f4e78f784b"
"""Owner of our entry in the firmware's db: any GUID."""
SHIM, GRUB = names.SHIM_FILES["x64"] + names.SHIM_ENDINGS[0], names.GRUB_FILES["x64"]


@dataclass(frozen=True)
class Vendor:
    """What was made: packages as in an ISO's pool, and the two signers."""

    shim: Path
    grub: Path
    signers: dict[str, efi.Key]

    def sign(self, program: bytes, signer: str) -> bytes:
        """A program of Debian's, signed by one of the signers instead."""
        return self.signers[signer].sign(unsigned(program))

    @property
    def recipe(self) -> str:
        """Changes when the keys do."""
        return digest(*(key.pem.read_bytes() for key in self.signers.values()))


def ensure() -> Vendor:
    """Make keys, packages and the firmware's variables on first use (three seconds)."""
    packages = debs.fetch(SUITE)
    recipe = digest(Path(__file__).read_bytes(), *(package.name for package in packages))
    with locked(f"vendor-{digest(str(BUILD))}"):
        made, note = _places(FOLDER), FOLDER / "recipe"
        if not note.exists() or note.read_text(encoding="utf-8") != recipe:
            say("Making shim, GRUB and keys of a vendor of the lab's own …")
            shutil.rmtree(FOLDER, ignore_errors=True)
            FOLDER.mkdir(parents=True)
            _make(made, packages)
            note.write_text(recipe, encoding="utf-8")
    return made


def _places(folder: Path) -> Vendor:
    keys = {name: efi.Key(folder / f"{name}.key", folder / f"{name}.pem") for name in (TODAY, REVOKED)}
    return Vendor(
        folder / "shim-signed_1.47+16.1_amd64.deb", folder / "grub-efi-amd64-signed_1+2.12_amd64.deb", keys
    )


def _make(vendor: Vendor, packages: tuple[Path, Path]) -> None:
    firmware, authority = (_key(name) for name in ("firmware", "authority"))
    for name in vendor.signers:
        _key(name, authority)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        for package in packages:
            run("dpkg-deb", "--extract", package, work)
        shim, grub = (Path(work, name).read_bytes() for name in (SHIM, GRUB))
    revoked = efi.signature_list(efi.X509, [vendor.signers[REVOKED].der])
    shim = firmware.sign(with_vendor(unsigned(shim), authority.der, revoked))
    vendor.shim.write_bytes(efi.package({SHIM: shim}))
    vendor.grub.write_bytes(efi.package({GRUB: vendor.sign(grub, TODAY)}))
    run(
        *("virt-fw-vars", "--input", OVMF / "OVMF_VARS_4M.ms.fd", "--output", LAB_VARIABLES),
        *("--add-db", OWNER, firmware.pem),
    )


def _key(name: str, issuer: efi.Key | None = None) -> efi.Key:
    return efi.Key.make(FOLDER, name, issuer, authority=issuer is None, days=3650)


def with_vendor(shim: bytes, allowed: bytes, revoked: bytes) -> bytes:
    """A shim that trusts that certificate, and refuses what the lists name."""
    table = struct.pack("<4L", len(allowed), len(revoked), 16, 16 + len(allowed)) + allowed + revoked
    old = pe.read(shim).sections[".vendor_cert"]
    if len(table) > len(old) or shim.count(old) != 1:
        raise LabError("Debian's shim has no room for the lab's certificates")
    return shim.replace(old, table.ljust(len(old), b"\0"))


def unsigned(program: bytes) -> bytes:
    """A program without any of its signatures."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(program)
        file.flush()
        for _signature in pe.read(program).signatures:
            run("sbattach", "--remove", file.name)
        return Path(file.name).read_bytes()
