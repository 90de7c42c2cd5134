# SPDX-License-Identifier: GPL-3.0-or-later
"""Images, loaders and boot menus lie where the servers look for them."""

from __future__ import annotations

from typing import Any

import pytest

TFTP = "/srv/netboot/tftp"
IMAGE = "/srv/netboot/http/images/focal/current"


@pytest.fixture
def version(host: Any) -> str:
    """A version's name is the beginning of the ISO's checksum."""
    return str(host.file("/var/tmp/test.iso").sha256sum[:12])


@pytest.mark.parametrize("name", ["lpxelinux.0", "pxelinux.0", "ldlinux.c32", "libcom32.c32", "libutil.c32"])
def test_the_loader_is_the_distributions(host: Any, name: str) -> None:
    owner = host.check_output(f"find /usr/lib/PXELINUX /usr/lib/syslinux/modules/bios -name {name}")
    assert host.file(f"{TFTP}/{name}").sha256sum == host.file(owner).sha256sum


def test_the_image_is_the_one_that_was_given(host: Any) -> None:
    assert host.file(f"{IMAGE}/focal.iso").sha256sum == host.file("/var/tmp/test.iso").sha256sum


@pytest.mark.parametrize(("name", "content"), [("vmlinuz", "kernel " * 1000), ("initrd", "initrd " * 3000)])
def test_kernel_and_initrd_come_out_of_it(host: Any, name: str, content: str) -> None:
    assert host.file(f"{IMAGE}/{name}").content_string == content
    assert host.file(f"{TFTP}/images/focal/current/{name}").content_string == content
    assert host.file(f"{IMAGE}/{name}").mode == 0o644


def test_every_machine_has_its_menu_and_all_others_boot_their_disk(host: Any, version: str) -> None:
    folder = f"{TFTP}/pxelinux.cfg"
    names = ["01-f4-4d-30-60-64-69", "01-f4-4d-30-60-64-6a", "01-f4-4d-30-60-64-6b", "default"]
    assert sorted(host.file(folder).listdir()) == names
    nuc1, nuc2, nuc3, default = (host.file(f"{folder}/{name}").content_string for name in names)
    assert f"KERNEL http://192.168.1.50/images/focal/{version}/vmlinuz" in nuc1
    assert "ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/ cloud-config-url=/dev/null\n" in nuc1
    assert f"KERNEL images/focal/{version}/vmlinuz" in nuc2
    assert "cloud-config-url=/dev/null console=ttyS0\n" in nuc2
    for text in (nuc3, default):
        assert "LOCALBOOT" in text
        assert "KERNEL" not in text


def test_uefi_loaders_that_fit_no_image_do_not_stay(host: Any) -> None:
    # prepare.yml put a shim there; the test image has no signed kernel, so no pair fits
    assert host.file("/srv/netboot/http/efi").listdir() == []
