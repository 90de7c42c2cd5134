# SPDX-License-Identifier: GPL-3.0-or-later
"""The initrd is an archive that others read, with modules in an order in which they load."""

from __future__ import annotations

import gzip
import lzma
import shutil
import stat
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab import disk, initrd, kernel
from tests.lab.arch import AMD64, ARM64, Arch
from tests.lab.initrd import Entry


def module(*needs: str) -> bytes:
    """The part of a module that counts here."""
    return b"\x7fELF...\0license=GPL\0depends=" + ",".join(needs).encode() + b"\0retpoline=Y\0"


@pytest.mark.skipif(not shutil.which("busybox"), reason="busybox reads the archive")
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.binary(max_size=64), min_size=1, max_size=5
    )
)
def test_cpio_is_read_by_busybox(files: dict[str, bytes]) -> None:
    data = initrd.cpio(Entry(name, stat.S_IFREG | 0o644, body) for name, body in files.items())
    listing = subprocess.run(["busybox", "cpio", "-t"], input=data, capture_output=True, check=True)
    assert listing.stdout.decode().split() == list(files)
    assert all(body in data for body in files.values())
    assert len(data) % 4 == 0


def test_a_module_comes_after_its_needs() -> None:
    modules = {"a": module("b", "c-d"), "b": module("c_d"), "c_d": module(), "e": module("built")}
    assert initrd.load_order(["a", "e", "b"], modules, ["built"]) == ["c_d", "b", "a", "e"]


def test_a_module_that_is_nowhere_is_named() -> None:
    with pytest.raises(KeyError, match="isofs"):
        initrd.load_order(["isofs"], {}, [])


def test_compressed_modules() -> None:
    assert initrd.plain_module("a.ko.xz", lzma.compress(module())) == module()
    assert initrd.plain_module("a.ko", module()) == module()
    assert kernel.module_name("kernel/fs/nls/nls_utf-8.ko.xz") == "nls_utf_8"


@pytest.mark.parametrize(("arch", "driver"), [(AMD64, b"ahci.ko"), (ARM64, b"virtio_blk.ko")])
def test_the_same_input_gives_the_same_initrd(arch: Arch, driver: bytes) -> None:
    modules = {name: module() for name in initrd.wanted(arch)}
    scripts = {"init": b"#!/bin/sh\n", "udhcpc": b"#!/bin/sh\n"}
    first, second = (
        initrd.build(b"busybox", modules, [], scripts, uuid="u-u-i-d", arch=arch) for dummy in range(2)
    )
    assert first == second
    assert b"u-u-i-d\n" in gzip.decompress(first)
    assert driver in gzip.decompress(first)


def test_the_disk_can_be_booted() -> None:
    sector = disk.boot_sector()
    assert len(sector) == 512
    assert sector[-2:] == b"\x55\xaa"
    assert not any(sector[446:510]), "no partition table"
    start = int.from_bytes(sector[sector.index(0xBE) + 1 :][:2], "little") - 0x7C00
    assert sector[start:].startswith(b"\r\nLOCAL DISK BOOTED\r\n\0")
    with pytest.raises(ValueError, match="does not fit"):
        disk.boot_sector("x" * 500)
