# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""Read what a UEFI program says of itself: machine, signature, versions, and the certificates inside shim.

Sources: Microsoft's "PE Format"; rhboot/shim, cert.S and SBAT.md; UEFI 2.10, 32.4.1 (signature lists); X.690 (DER);
RFC 2315, 9 (who signed).
Nothing here verifies a signature.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass

MACHINES = {"x64": 0x8664, "aa64": 0xAA64}
X509_LIST = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")  # EFI_CERT_X509_GUID as it lies in memory
SHA256_LIST = bytes.fromhex("2616c4c14c509240aca941f936934328")  # EFI_CERT_SHA256_GUID
COMMON_NAME = bytes.fromhex("0603550403")  # the object identifier 2.5.4.3
SEQUENCE, BMP_STRING = 0x30, 0x1E  # kinds of DER elements
PKCS7 = 2  # the kind of a signature that firmware reads (WIN_CERT_TYPE_PKCS_SIGNED_DATA)
TABLE_HEADER = 8  # bytes before each signature
VERSION = 4  # the field of an SBAT line
OWNER = 16  # bytes before each certificate or hash of a signature list
LEVEL_HEADER = 12  # bytes before the first list of an SBAT level
MAX_NAME = 64
MAX_SECTIONS = 96  # as "PE Format" has it
MAX_ELEMENTS = 32  # of DER side by side
MAX_SIGNATURES = 8  # that are looked at; there are two at most
MAX_CERTIFICATES = 64  # of a shim, allowed and revoked; each is asked for at every signature
MAX_SECTION = 1 << 20  # bytes of a section that is read
_NUMBER = re.compile(r"[0-9]{1,9}")
_NUMBERS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")
READ = (".sbat", ".sbatlevel", ".vendor_cert")


class PeError(ValueError):
    """This is no such file. The text says why; the caller names the file."""


@dataclass(frozen=True)
class Program:
    """One UEFI program."""

    machine: int
    signatures: tuple[bytes, ...]  # good or not
    sections: dict[str, bytes]  # those that say something
    digest: bytes  # SHA-256 as signatures and lists of revoked programs have it


@dataclass(frozen=True)
class Trust:
    """What a shim's vendor put into it."""

    certificates: tuple[bytes, ...]  # DER; of those who may sign GRUB and kernels
    revoked: tuple[bytes, ...]  # DER
    revoked_digests: frozenset[bytes]


def read(data: bytes) -> Program:
    """Take a PE file apart. Raises PeError."""
    if data[:2] == b"\x1f\x8b":
        raise PeError(
            "is compressed (gzip): GRUB may have shim judge it as it is, and only what is in it is signed"
        )
    if data[:2] != b"MZ":
        raise PeError("is no UEFI program")
    try:
        return _read(data)
    except (struct.error, IndexError) as error:
        raise PeError("is damaged: its headers lead beyond its end") from error


def _read(data: bytes) -> Program:
    start = struct.unpack_from("<L", data, 0x3C)[0]
    if data[start : start + 4] != b"PE\0\0":
        raise PeError("is no UEFI program")
    machine, count, symbols, symbol_count, optional_size = struct.unpack_from("<2H4x2LH", data, start + 4)
    optional = start + 24
    directory = {0x10B: 96, 0x20B: 112}.get(struct.unpack_from("<H", data, optional)[0])
    if directory is None:
        raise PeError("is no UEFI program")
    security = optional + directory + 4 * 8  # the fifth entry
    offset, size = struct.unpack_from("<2L", data, security)
    if offset + size > len(data):
        raise PeError("is cut off: its signature lies beyond its end")
    sections = _sections(data, optional + optional_size, count, symbols + 18 * symbol_count)
    # Signed is everything but the checksum, the place of the signature, and the signature.
    end = offset if size else len(data)
    digest = hashlib.sha256()
    whole = memoryview(data)
    for part in (whole[: optional + 64], whole[optional + 68 : security], whole[security + 8 : end]):
        digest.update(part)
    digest.update(bytes(-end % 8))
    return Program(machine, _signatures(data[offset : offset + size]), sections, digest.digest())


def _sections(data: bytes, table: int, count: int, names: int) -> dict[str, bytes]:
    """The sections that are read; names of more than eight bytes lie behind the symbols, from `names` on."""
    if count > MAX_SECTIONS:
        raise PeError(f"is damaged: it says that it has {count} sections")
    sections = {}
    for number in range(count):
        name, length, _address, stored, place = struct.unpack_from("<8s4L", data, table + 40 * number)
        if place + stored > len(data):
            raise PeError("is cut off: a part of it lies beyond its end")
        if name.startswith(b"/") and name[1:].rstrip(b"\0").isdigit():
            at = names + int(name[1:].rstrip(b"\0"))
            name = data[at : at + MAX_NAME].split(b"\0")[0]
        text = name.rstrip(b"\0").decode("latin-1")
        if text in READ:
            sections[text] = data[place : place + min(length or stored, stored, MAX_SECTION)]
    return sections


def _signatures(table: bytes) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 0
    while at + TABLE_HEADER < len(table) and len(found) < MAX_SIGNATURES:
        length, dummy, kind = struct.unpack_from("<L2H", table, at)
        if length <= TABLE_HEADER or at + length > len(table):
            raise PeError("is damaged: its signatures contradict themselves")
        if kind == PKCS7:
            found.append(table[at + TABLE_HEADER : at + length])
        at += -(-length // 8) * 8
    return tuple(found)


def sbat(program: Program) -> dict[str, tuple[int, str]]:
    """Generation and version of each component that the program's SBAT names; empty when it has none."""
    return _components(program.sections.get(".sbat", b""))


def sbat_level(shim: Program) -> dict[str, int]:
    """The lowest generation of each component that this shim starts, as it is built; empty for old shims.

    Its section has a format number, then the places of two such lists, from there on: the one that it applies
    by itself, and a stricter one that an owner may choose.
    """
    section = shim.sections.get(".sbatlevel", b"")
    if len(section) < LEVEL_HEADER or struct.unpack_from("<L", section)[0] != 0:
        return {}
    text = section[4 + struct.unpack_from("<L", section, 4)[0] :].partition(b"\0")[0]
    return {name: generation for name, (generation, dummy) in _components(text).items() if name != "sbat"}


def _components(text: bytes) -> dict[str, tuple[int, str]]:
    found = {}
    for line in text.rstrip(b"\0").decode("utf-8", "replace").splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) > 1 and _NUMBER.fullmatch(fields[1]):
            found[fields[0]] = (int(fields[1]), fields[VERSION] if len(fields) > VERSION else "")
    return found


def shim_version(program: Program) -> str | None:
    """A shim's version; its vendor's line has it, the project's own says 1 for all. None when it says none."""
    versions = [version for name, (dummy, version) in sbat(program).items() if name.startswith("shim.")]
    return versions[0] if versions else None


def numbers(version: str) -> tuple[int, ...]:
    """`2.12` and `2.12~rc1-10ubuntu4` are (2, 12); no number at all is the empty tuple."""
    found = _NUMBERS.match(version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def trust(shim: Program) -> Trust:
    """What the vendor put into the shim. Raises PeError when it is none, or has no certificate."""
    table = shim.sections.get(".vendor_cert", b"")
    try:
        allowed_size, revoked_size, allowed, revoked = struct.unpack_from("<4L", table)
    except struct.error as error:
        raise PeError("is no shim: it has no vendor's certificate") from error
    if max(allowed + allowed_size, revoked + revoked_size) > len(table):
        raise PeError("is damaged: its vendor's certificates lie beyond its end")
    good = table[allowed : allowed + allowed_size]
    certificates = (good,) if _is_certificate(good) else _entries(good)[X509_LIST]
    if not certificates:
        raise PeError("has no vendor's certificate: nothing but hashes")
    bad = _entries(table[revoked : revoked + revoked_size])
    if len(certificates) + len(bad[X509_LIST]) > MAX_CERTIFICATES:
        raise PeError(f"is no usual shim: it has more than {MAX_CERTIFICATES} certificates")
    return Trust(tuple(certificates), tuple(bad[X509_LIST]), frozenset(bad[SHA256_LIST]))


def _entries(data: bytes) -> dict[bytes, list[bytes]]:
    """The entries of signature lists that follow each other, by type."""
    found: dict[bytes, list[bytes]] = {X509_LIST: [], SHA256_LIST: []}
    at = 0
    while at < len(data):
        if at + 28 > len(data):
            raise PeError("is damaged: a list of certificates in it is cut off")
        size, header, each = struct.unpack_from("<3L", data, at + 16)
        if at + size > len(data) or size < 28 + header or each <= OWNER:
            raise PeError("is damaged: a list of certificates in it contradicts itself")
        for entry in range(at + 28 + header, at + size - each + 1, each):
            found.setdefault(data[at : at + 16], []).append(data[entry + OWNER : entry + each])
        at += size
    return found


def _is_certificate(data: bytes) -> bool:
    try:
        kind, start, end = _element(data, 0)
    except PeError:
        return False
    return kind == SEQUENCE and start > 0 and end == len(data)


def common_name(certificate: bytes) -> str | None:
    """Whom a certificate (DER) names as its subject; None when it has no common name."""
    try:
        fields = [content for kind, content in _path(certificate, 0) if kind == SEQUENCE]
        return _common_name(fields[3])  # after algorithm, issuer and validity; RFC 5280, 4.1
    except (PeError, IndexError):
        return None


def signers(program: Program) -> tuple[str, ...]:
    """The authorities that gave the certificates with which a program is signed, by common name, one a signature.

    Firmware starts it when it trusts one of them. What cannot be read is "unknown".
    """
    return tuple(_signer(signature) or "unknown" for signature in program.signatures)


def _signer(signature: bytes) -> str | None:
    try:
        # content → SignedData → its last, the signers → the first → issuer and serial number → issuer
        return _common_name(_path(signature, 1, 0, -1, 0, 1)[0][1])
    except (PeError, IndexError):
        return None


def _common_name(name: bytes) -> str | None:
    at = name.rfind(COMMON_NAME)
    if at < 0:
        return None
    kind, start, end = _element(name, at + len(COMMON_NAME))
    return name[start:end].decode("utf-16-be" if kind == BMP_STRING else "utf-8", "replace")


def _path(data: bytes, *way: int) -> list[tuple[int, bytes]]:
    """Kinds and contents of the DER elements that one is led to: into the first, then at each step into the nth."""
    dummy, start, end = _element(data, 0)
    elements = _elements(data[start:end])
    for number in way:
        elements = _elements(elements[number][1])
    return elements


def _elements(content: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(content) and len(found) < MAX_ELEMENTS:
        kind, start, at = _element(content, at)
        found.append((kind, content[start:at]))
    return found


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """One DER element: its kind, where its content starts, and where it ends."""
    if at + 2 > len(data):
        raise PeError("is damaged: a certificate in it is cut off")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        more = length & 0x7F
        length, start = int.from_bytes(data[start : start + more], "big"), start + more
    if start + length > len(data):
        raise PeError("is damaged: a certificate in it is cut off")
    return data[at], start, start + length
