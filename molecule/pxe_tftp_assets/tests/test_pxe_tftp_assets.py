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


def test_every_machine_has_its_entries_in_the_plan(host: Any, version: str) -> None:
    plan = "/var/lib/netboot/plan"
    entries = {
        name: host.file(f"{plan}/boot/{name}/tftp/pxelinux.cfg/01-f4-4d-30-60-64-{end}").content_string
        for name, end in {"nuc1": "69", "nuc2": "6a", "nuc3": "6b"}.items()
    }
    assert f"KERNEL http://192.168.1.50/images/focal/{version}/vmlinuz" in entries["nuc1"]
    seed = "ds=nocloud-net;s=http://192.168.1.50/machines/nuc1/@TOKEN@/"
    assert f"{seed} cloud-config-url=/dev/null\n" in entries["nuc1"]
    assert f"KERNEL images/focal/{version}/vmlinuz" in entries["nuc2"]
    assert "cloud-config-url=/dev/null console=ttyS0\n" in entries["nuc2"]
    for path in ("local/tftp/pxelinux.cfg", "static/tftp/pxelinux.cfg/default"):
        text = host.file(f"{plan}/{path}").content_string
        assert "LOCALBOOT" in text
        assert "KERNEL" not in text


def test_the_plan_is_nobodys_business(host: Any) -> None:
    assert host.file("/var/lib/netboot/plan").mode == 0o700
    assert host.run("runuser -u www-data -- ls /var/lib/netboot/plan").rc != 0
    assert not host.file(f"{TFTP}/pxelinux.cfg").exists  # role machine_states hands out


def test_without_a_pair_that_fits_there_is_ipxe_and_no_old_pair_stays(host: Any) -> None:
    # prepare.yml put a shim there; the test image has no signed kernel, so no pair fits
    assert host.file("/srv/netboot/http/efi").listdir() == ["ipxe.efi"]
    loader = host.file("/srv/netboot/http/efi/ipxe.efi")
    assert loader.sha256sum == host.file("/usr/lib/ipxe/snponly.efi").sha256sum


def test_every_machine_has_its_script_for_ipxe(host: Any, version: str) -> None:
    plan = "/var/lib/netboot/plan"
    script = host.file(f"{plan}/boot/nuc1/http/ipxe/machines/f4-4d-30-60-64-69.ipxe").content_string
    assert f"kernel http://192.168.1.50/images/focal/{version}/vmlinuz initrd=initrd ip=dhcp " in script
    for name in ("local/http/ipxe/machines", "static/http/ipxe/default.ipxe"):
        assert "kernel" not in host.file(f"{plan}/{name}").content_string
    assert host.file(f"{plan}/static/http/ipxe/boot.ipxe").exists
