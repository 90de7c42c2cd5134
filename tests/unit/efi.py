# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what efi_loaders reads, for its tests: UEFI programs, keys and signatures, shims, Debian packages."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import subprocess
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

ALIGNMENT = 512
HEADERS = 1024  # bytes before the first section
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
SHA256 = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328").bytes_le


def sbat(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in ("sbat,1,SBAT Version,sbat,1,URL", *lines)).encode()


GRUB_SBAT = sbat("grub,5,FSF,grub,2.12,URL", "grub.vendor,1,Vendor,grub2,2.12-9,URL")
SHIM_SBAT = sbat("shim,4,UEFI shim,shim,1,URL", "shim.vendor,1,Vendor,shim,16.1,URL")


def program(sections: Mapping[str, bytes] | None = None, machine: int = 0x8664) -> bytes:
    """A UEFI program (PE32+) that does nothing, with these sections besides its code."""
    names, table, data = b"", b"", b""
    every = {".text": b"\xc3" * 100, **(sections or {})}
    for number, (name, content) in enumerate(every.items()):
        short = name.encode()
        if len(short) > 8:
            short = b"/%d" % (4 + len(names))
            names += name.encode() + b"\0"
        size = -(-len(content) // ALIGNMENT) * ALIGNMENT
        fields = (short, len(content), 4096 * (number + 1), size, HEADERS + len(data), 0, 0, 0, 0, 0x40000040)
        table += struct.pack("<8s6L2HL", *fields)
        data += content.ljust(size, b"\0")
    optional = struct.pack("<H2x4x8x4x4x8x2L", 0x20B, 4096, ALIGNMENT).ljust(56, b"\0")
    optional += struct.pack("<2L", 4096 * (len(every) + 1), HEADERS) + struct.pack("<L2H", 0, 10, 0)
    optional = optional.ljust(108, b"\0") + struct.pack("<L", 16) + bytes(128)
    strings = struct.pack("<L", 4 + len(names)) + names
    place = 64 + 24 + len(optional) + len(table)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<L", 64) + b"PE\0\0"
    head += struct.pack("<2H3L2H", machine, len(every), 0, place, 0, len(optional), 0x2022)
    whole = head + optional + table + strings
    assert len(whole) <= HEADERS
    return whole.ljust(HEADERS, b"\0") + data


def grub(lines: bytes = GRUB_SBAT, machine: int = 0x8664) -> bytes:
    """An unsigned GRUB that says a version."""
    return program({".sbat": lines}, machine)


def shim(
    allowed: bytes, revoked: bytes = b"", level: str = "", lines: bytes = SHIM_SBAT, machine: int = 0x8664
) -> bytes:
    """An unsigned shim that trusts `allowed`: one certificate (DER), or lists of them."""
    table = struct.pack("<4L", len(allowed), len(revoked), 16, 16 + len(allowed)) + allowed + revoked
    sections = {".sbat": lines, ".vendor_cert": table}
    if level:
        mild, strict = f"sbat,1,1\n{level}\n\0".encode(), b"sbat,1,2\ngrub,99\n\0"
        sections[".sbatlevel"] = struct.pack("<3L", 0, 8, 8 + len(mild)) + mild + strict
    return program(sections, machine)


def signature_list(kind: bytes, entries: Sequence[bytes]) -> bytes:
    """An EFI signature list; all entries have the same size."""
    body = b"".join(bytes(16) + entry for entry in entries)
    return kind + struct.pack("<3L", 28 + len(body), 0, 16 + len(entries[0])) + body


_SIGNED: dict[tuple[object, ...], bytes] = {}


@dataclass(frozen=True)
class Key:
    """A key and its certificate, made by openssl."""

    key: Path
    pem: Path

    @classmethod
    def make(
        cls, folder: Path, name: str, issuer: Key | None = None, authority: bool = True, days: int = 2
    ) -> Key:
        made = cls(folder / f"{name}.key", folder / f"{name}.pem")
        extensions = ["-addext", f"basicConstraints=critical,CA:{'TRUE' if authority else 'FALSE'}"]
        if not authority:
            extensions += ["-addext", "extendedKeyUsage=codeSigning"]
        by = ["-CA", str(issuer.pem), "-CAkey", str(issuer.key)] if issuer else []
        command = [
            "openssl",
            "req",
            "-utf8",
            "-x509",
            "-newkey",
            "rsa:1024",  # a tenth of the time; ansible-test makes keys for each test anew
            "-nodes",
            "-days",
            str(days),
            *extensions,
            *by,
        ]
        command += ["-subj", f"/O=Org/CN={name}", "-keyout", str(made.key), "-out", str(made.pem)]
        subprocess.run(command, check=True, capture_output=True)
        return made

    @property
    def der(self) -> bytes:
        command = ["openssl", "x509", "-in", str(self.pem), "-outform", "DER"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def sign(self, data: bytes, *also: Key) -> bytes:
        """Sign a program, as sbsign does it; `also` are certificates that the signature brings along.

        A signature has the time in it, so the same request gives the same bytes again.
        """
        request = (self.key, data, *(one.pem for one in also))
        if request in _SIGNED:
            return _SIGNED[request]
        place = self.key.with_suffix(".in")
        place.write_bytes(data)
        out = self.key.with_suffix(".out")
        more = [word for one in also for word in ("--addcert", str(one.pem))]
        command = [
            "sbsign",
            "--key",
            str(self.key),
            "--cert",
            str(self.pem),
            *more,
            "--output",
            str(out),
            str(place),
        ]
        subprocess.run(command, check=True, capture_output=True)
        _SIGNED[request] = out.read_bytes()
        return _SIGNED[request]


def package(files: Mapping[str, bytes], packing: str = "xz") -> bytes:
    """A Debian package with these files; `packing` is xz, gz, zst or nothing."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    data = tar.getvalue()
    if packing == "xz":
        data = lzma.compress(data)
    elif packing == "gz":
        data = gzip.compress(data)
    elif packing == "zst":
        data = subprocess.run(["zstd", "-qc"], input=data, check=True, capture_output=True).stdout
    ending = f".{packing}" if packing else ""
    return archive_of({"debian-binary": b"2.0\n", "control.tar.xz": b"odd", f"data.tar{ending}": data})


def archive_of(parts: Mapping[str, bytes]) -> bytes:
    """An archive as ar(1) makes it."""
    text = b"!<arch>\n"
    for name, content in parts.items():
        text += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(content))
        text += content + b"\n" * (len(content) % 2)
    return text
