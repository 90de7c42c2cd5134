# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked up on the server for a verdict, with the real file system."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._destination import stamp
from ansible_collections.homelab.netboot.plugins.module_utils._program import listing
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import HTTP, OFFER, Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.why import facts
from ansible_collections.homelab.netboot.plugins.module_utils._program.why.case import Facts
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import Box

VERSION = "images/noble/0123456789ab"
STORY = [
    Event(1.0, HTTP, f"/{VERSION}/{part}", bytes=5, status=200) for part in ("vmlinuz", "initrd", "noble.iso")
]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.plan(nuc1="once")
    folder = box.root / "http" / VERSION
    folder.mkdir(parents=True)
    files = {}
    for part in ("vmlinuz", "initrd"):
        (folder / part).write_text("12345")
        files[part] = {"stamp": stamp(os.lstat(folder / part))}
    (folder / "manifest.json").write_text(json.dumps({"files": files}))
    return box


def of(box: Box, name: str = "nuc1") -> Facts:
    return facts.of_machine(Facts(0.0), box.settings, name, STORY)


def test_what_it_fetched_is_compared_with_what_is_there(box: Box) -> None:
    found = of(box)
    assert dict(found.sizes) == {f"{VERSION}/vmlinuz": 5, f"{VERSION}/initrd": 5, f"{VERSION}/noble.iso": 0}
    assert found.changed == ()
    kernel = box.root / "http" / VERSION / "vmlinuz"
    kernel.write_text("1234X")
    os.utime(kernel, ns=(0, 10))
    assert of(box).changed == (f"{VERSION}/vmlinuz",)


def test_its_entry_and_its_last_log(box: Box) -> None:
    box.put("logs/nuc1.log", "the installer failed\n")
    found = of(box)
    assert "seed=http://x/machines/nuc1/@TOKEN@/" in found.entry
    assert found.log == "the installer failed\n"
    stranger = of(box, "")
    assert (stranger.entry, stranger.log, stranger.is_known) == ("", "", False)


def test_the_server_as_it_is(box: Box) -> None:
    with listing.kept(box.settings) as stories:
        stranger = [
            Event(1.0, OFFER, mac="02:00:00:00:00:01"),
            Event(2.0, OFFER, "again", "02:00:00:00:00:01"),
        ]
        stories._keep({"02:00:00:00:00:01": stranger}, {})
        found = facts.look(box.settings, stories)
    assert [event.name for event in found.strangers] == ["again"]
    assert found.full == ()


def test_which_kinds_of_firmware_have_a_loader() -> None:
    text = """pxe-service=x86PC,homelab.netboot,lpxelinux
pxe-service=tag:!ipxe,tag:x,X86-64_EFI,homelab.netboot,efi/shimx64.efi
#pxe-service=ARM64_EFI,x,y
dhcp-vendorclass=set:http16,HTTPClient:Arch:00016
"""
    assert facts.kinds(text) == (0, 7, 16)
    given = """dhcp-match=set:arch0,option:client-arch,0
dhcp-boot=tag:gives,tag:!left,tag:arch0,lpxelinux.0
dhcp-match=set:arch11,option:client-arch,11
"""
    assert facts.kinds(given) == (0, 11)
    assert facts.kinds("") == ()
