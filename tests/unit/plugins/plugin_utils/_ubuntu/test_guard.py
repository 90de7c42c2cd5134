# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's command runs in a real shell; only what it looks at is another machine's."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import InputError
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import autoinstall, live
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu.installer import (
    Live,
    command,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

MAC = "f4:4d:30:60:64:69"
# As util-linux 2.34 (Ubuntu 20.04) prints it, with a loop device and an empty card reader.
LSBLK = {
    "blockdevices": [
        {"name": "loop0", "path": "/dev/loop0", "type": "loop", "size": 500107862016, "serial": None},
        {
            "name": "sda",
            "path": "/dev/sda",
            "type": "disk",
            "size": 500107862016,
            "rota": False,
            "serial": "S3Z9NB0K 123456",
        },
        {
            "name": "sdb",
            "path": "/dev/sdb",
            "type": "disk",
            "size": "2000398934016",
            "rota": "1",
            "serial": "WD-1",
            "fstype": "ext4",
            "label": "Data",
            "children": [{"name": "sdb1", "path": "/dev/sdb1"}],
        },
        {"name": "sdc", "path": "/dev/sdc", "type": "disk", "size": 0, "serial": "CARD"},
    ]
}


def normalised(**settings: Any) -> dict[str, Any]:
    (machine,) = machines.normalise([{"name": "nuc1", "mac": MAC, **settings}])
    return machine


class Nuc(Live):
    """A machine's /sys and /run in a folder, and what lsblk and blkid say of its disks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name, text in {
            "class/dmi/id/product_name": "NUC8i5BEH\n",
            "class/dmi/id/product_serial": "G6BE81234567\n",
            "class/net/eno1/address": f"{MAC}\n",
            "class/net/bond0/address": "02:00:00:00:00:01\n",
            "class/net/eno2/bonding_slave/perm_hwaddr": "f4:4d:30:60:64:70\n",
        }.items():
            self.write(name, text)
        self.program("lsblk", f"cat <<'END'\n{json.dumps(LSBLK)}\nEND")
        self.program("blkid", "exit 2")
        self.program("wipefs", 'for last; do :; done; [ "$last" = /dev/sda ] || echo dos')
        self.program("udevadm", 'echo "ID_SERIAL=MODEL_${3#--name=/dev/}"; echo ID_MODEL=Model')

    def boot(self, **settings: Any) -> str:
        """Run the guard as the installer does; return the reason why it stopped, or nothing."""
        return self.guard(normalised(**settings))

    def guard(self, machine: Mapping[str, Any]) -> str:
        self.reason.unlink(missing_ok=True)
        self.carry(machine)
        # as Subiquity writes what it was told by cloud-init
        self.write("autoinstall.yaml", yaml.safe_dump(autoinstall.compose(machine)))
        done = self.run(command("early", 1))
        reason = self.why()
        assert (done.returncode != 0) == bool(reason), done.stderr
        assert not reason or self.advice()[-1].startswith("> ")
        assert sorted(path.name for path in (self.folder / "class").iterdir()) == ["dmi", "net"]
        return reason

    @property
    def told(self) -> dict[str, Any]:
        """What the installer reads after its early-commands."""
        result: dict[str, Any] = yaml.safe_load((self.folder / "autoinstall.yaml").read_text())
        return result


@pytest.fixture
def nuc(tmp_path: Path) -> Nuc:
    return Nuc(tmp_path)


@pytest.mark.parametrize(
    "expect",
    [
        {},
        {"disk_serial": "s3z9nb0k_123456"},
        {"disk_size": "500 GB"},
        {"disk_size": "465GiB..466GiB"},
        {"disk_size": "1.9T..2.1T", "disk_serial": "WD-1"},
        {"disk_model": "mod*"},
        {"product": "NUC8i5BEH"},
        {"product": "nuc8*"},
        {"product_serial": "G6BE81234567"},
        {"mac": "F4-4D-30-60-64-69"},
        {"mac": "f44d.3060.6470"},
    ],
)
def test_the_machine_that_is_meant_is_installed(nuc: Nuc, expect: dict[str, Any]) -> None:
    assert nuc.boot(expect=expect) == ""


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"disk_serial": "OTHER"}, "no disk has the disk_serial OTHER"),
        ({"disk_serial": "CARD"}, "no disk has the disk_serial CARD"),
        (
            {"disk_size": "512G"},
            "no disk has the disk_size 501.8 GB to 522.2 GB; "
            "there are sda (serial S3Z9NB0K 123456, 500.1 GB), sdb (serial WD-1, 2 TB): use the right machine, or",
        ),
        (
            {"disk_size": "500G", "disk_serial": "WD-1"},
            "no disk has the disk_serial WD-1 and the disk_size 490 GB to 510 GB; there are",
        ),
        ({"disk_model": "Other"}, "no disk has the disk_model Other; there are sda"),
        ({"product": "NUC8"}, "the product is NUC8i5BEH, not NUC8"),
        ({"product": "NUC[0-9]*"}, "the product is NUC8i5BEH, not NUC[0-9]*"),
        ({"product_serial": "G6BE8123456"}, "the product_serial is G6BE81234567, not G6BE8123456"),
        ({"mac": "f4:4d:30:60:64:71"}, "no network card has the mac f4:4d:30:60:64:71"),
        ({"product": "X", "mac": "f4:4d:30:60:64:71"}, "not X; no network card"),
    ],
)
def test_another_machine_is_not_and_the_reason_is_told(nuc: Nuc, expect: dict[str, Any], reason: str) -> None:
    told = nuc.boot(expect=expect)
    assert told.startswith("not installed, nothing was written: ")
    assert reason in told
    nuc.wipe = "blank"
    assert "homelab.netboot.arm" not in nuc.boot(expect=expect)
    assert nuc.advice()[-1] == "> use the right machine, or correct netboot_expect of nuc1"


def test_a_marked_disk_stops_it_without_any_setting_when_it_would_be_used(nuc: Nuc) -> None:
    nuc.program("blkid", '[ "$4" = LABEL=KEEP ] && echo /dev/sdb1')
    assert "/dev/sdb1 carries the protected label KEEP" in nuc.boot()  # the largest would be taken
    assert nuc.boot(disk={"serial": "MODEL_sda"}) == ""
    assert "/dev/sdb1 carries" in nuc.boot(disk={"model": "Mod*"})  # either of them
    nuc.wipe = "blank"
    assert "homelab.netboot.arm" not in nuc.boot()  # which would not be enough
    nuc.wipe = "always"
    nuc.program("blkid", '[ "$4" = LABEL=KEEP ] && echo /dev/mapper/unknown')
    assert "/dev/mapper/unknown carries" in nuc.boot(disk={"serial": "MODEL_sda"})


@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        ({}, True),
        ({"disk": {"size": "largest"}}, True),
        ({"disk": {"size": "smallest"}}, False),
        ({"disk": {"serial": "MODEL_sda"}}, False),
        ({"disk": {"serial": "*_sdb"}}, True),
        ({"disk": {"path": "/dev/sd[ac]"}}, False),
        ({"disk": {"path": "/dev/*"}}, True),
        ({"disk": {"ssd": True}}, False),
        ({"disk": {"ssd": False}}, True),
        ({"disk": {"model": "Model", "size": "smallest"}}, False),
        (
            {
                "autoinstall": {
                    "storage": {"layout": {"name": "direct", "match": [{"serial": "no"}, {"ssd": True}]}}
                }
            },
            False,
        ),
        ({"autoinstall": {"storage": {"config": [{"type": "disk", "id": "d", "path": "/dev/sda"}]}}}, False),
        ({"autoinstall": {"storage": {"config": [{"type": "disk", "id": "d", "serial": "WD-1"}]}}}, True),
        (
            {
                "autoinstall": {
                    "storage": {"config": [{"type": "disk", "id": "d", "match": {"size": "smallest"}}]}
                }
            },
            False,
        ),
        ({"autoinstall": {"storage": {"config": [{"type": "disk", "id": "d", "match": {}}]}}}, True),
        ({"autoinstall": {"storage": {"config": [{"type": "dasd", "id": "d"}]}}}, True),
        (
            {
                "autoinstall": {
                    "storage": {
                        "config": [
                            {"type": "disk", "id": "one", "match": {"size": "smallest"}},
                            {"type": "disk", "id": "two", "match": {"size": "smallest"}},
                        ]
                    }
                }
            },
            True,
        ),
    ],
)
def test_a_disk_that_holds_something_stops_it_only_when_it_would_be_used(
    nuc: Nuc, settings: dict[str, Any], stops: bool
) -> None:
    assert nuc.boot(**settings) == ""  # somebody said that it may be wiped
    nuc.wipe = "blank"
    told = nuc.boot(**settings)
    held = "disk sdb (serial WD-1, 2 TB) holds sdb ext4 Data"
    assert (f"{held}: to wipe it, run homelab.netboot.arm -l nuc1" in told) is stops
    assert bool(told) is stops
    assert not stops or nuc.advice()[-2:] == [held, "> to wipe it, run homelab.netboot.arm -l nuc1"]


def test_what_a_disk_holds_is_told_in_words(nuc: Nuc) -> None:
    nuc.wipe = "blank"
    disk = {"name": "sda", "path": "/dev/sda", "type": "disk", "size": 10**9, "rota": True, "serial": None}

    def told(**more: Any) -> str:
        nuc.program("lsblk", f"cat <<'END'\n{json.dumps({'blockdevices': [{**disk, **more}]})}\nEND")
        return nuc.boot()

    assert told() == ""
    windows = {"name": "sda3", "path": "/dev/sda3", "fstype": "ntfs", "label": "OS"}
    assert "disk sda (1 GB) holds sda3 Windows ntfs OS: " in told(children=[windows])
    assert "disk sda (1 GB) holds partitions: " in told(children=[{"name": "sda1", "path": "/dev/sda1"}])
    nuc.program("wipefs", "echo gpt; echo PMBR; echo gpt")
    assert "disk sda (1 GB) holds gpt/PMBR: " in told()


@pytest.mark.parametrize("tool", ["lsblk", "blkid", "wipefs", "udevadm"])
def test_it_stops_when_it_cannot_look(nuc: Nuc, tool: str) -> None:
    nuc.wipe = "blank"
    nuc.program(tool, "exit 1")
    assert f"could not be looked at: {tool} ended with 1" in nuc.boot(expect={"disk_size": "500G"})


def test_it_stops_when_the_firmware_tells_nothing(nuc: Nuc) -> None:
    shutil.rmtree(nuc.folder / "class/dmi/id")
    assert "the product is unknown, not NUC8" in nuc.boot(expect={"product": "NUC8"})


@pytest.fixture(scope="module")
def module_nuc(tmp_path_factory: pytest.TempPathFactory) -> Nuc:
    return Nuc(tmp_path_factory.mktemp("nuc"))


# what shells, Python and JSON take for more than a letter, more often than chance would have it
NASTY = st.text(
    st.sampled_from("'\"`$\\;&|<>(){}[]*?!#~%@=é\u2028 a") | st.characters(exclude_categories=["C"]),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(
    text=NASTY
    | st.sampled_from(["$(touch class/x)", "'; touch x; '", '"; touch x; "', "`touch x`", "@TOKEN@"])
)
@example(text="systemctl")
def test_no_text_of_the_inventory_is_more_than_a_text(module_nuc: Nuc, text: str) -> None:
    text = text[:99].strip()
    if not text.isprintable() or not text:
        return
    module_nuc.write("class/dmi/id/product_name", f"{text}\n")
    assert module_nuc.boot(expect={"product": text[:100]}) == ""
    module_nuc.write("class/dmi/id/product_name", "another\n")
    assert "not installed" in module_nuc.boot(expect={"product": f"x{text[:99]}", "disk_serial": text[:100]})


def test_the_real_disks_of_this_computer_are_found(nuc: Nuc) -> None:
    done = subprocess.run(
        ["lsblk", "-J", "-b", "-d", "-o", "NAME,TYPE,SIZE"], capture_output=True, check=True
    )
    disks = [disk for disk in json.loads(done.stdout)["blockdevices"] if disk["type"] == "disk"]
    sizes = {int(disk["size"]) for disk in disks} - {0}
    if not sizes:
        pytest.skip("no disk here")
    (nuc.folder / "bin/lsblk").unlink()
    machine = normalised(protect_label="", disk={"path": "/dev/*"})
    assert nuc.guard({**machine, "expect": {"disk_size": [max(sizes)] * 2}}) == ""
    assert "no disk has the disk_size" in nuc.guard(
        {**machine, "expect": {"disk_size": [max(sizes) + 1] * 2}}
    )
    assert all(f"{disk['name']} (" in nuc.advice()[0] for disk in disks if int(disk["size"]))


@pytest.fixture
def label(tmp_path: Path) -> Iterator[str]:
    """Return the label of a file system on a block device of this computer, a loop device."""
    label = f"kept{os.getpid()}"
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(1 << 20)
    path = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", label, disk], check=True, env=path)
        losetup = ["losetup", "--find", "--show", str(disk)]
        device = subprocess.run(losetup, check=True, env=path, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no loop device can be made here: {error}")
    yield label
    subprocess.run(["losetup", "--detach", device], check=True, env=path)


def test_a_real_file_system_with_the_label_stops_it(nuc: Nuc, label: str) -> None:
    (nuc.folder / "bin/blkid").unlink()
    assert f"carries the protected label {label}" in nuc.boot(protect_label=label)
    assert nuc.boot(protect_label=f"x{label}") == ""


@pytest.mark.parametrize("name", ["begin", "guard", "report"])
def test_the_programs_suit_the_oldest_installers_python(name: str) -> None:
    text = (live._PROGRAMS / f"{name}.py").read_text()
    tree = ast.parse(text, feature_version=(3, 8))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    modules = {alias.name for node in nodes for alias in node.names}
    assert {module.partition(".")[0] for module in modules} <= {*sys.stdlib_module_names, "yaml"}
    assert "@" not in text


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (
            {"expect": {"disk_sise": "500G"}},
            "netboot_expect: disk_sise: no such expectation; did you mean disk_size",
        ),
        ({"expect": "500G"}, "netboot_expect: must be a mapping"),
        ({"expect": {"disk_size": 500}}, "netboot_expect: disk_size: '500' is not a size; write"),
        ({"expect": {"disk_size": "2T..1T"}}, "'2T..1T' ends before it begins"),
        ({"expect": {"disk_size": "1T.."}}, "'' is not a size"),
        ({"expect": {"disk_serial": " "}}, "netboot_expect: disk_serial: '' is not usable; write the serial"),
        ({"expect": {"product": "a\nb"}}, "is not usable"),
        ({"expect": {"mac": "nope"}}, "netboot_expect: mac: 'nope' is not a MAC address"),
        ({"protect_label": "a b"}, "netboot_protect_label: 'a b' is not a label; use"),
    ],
)
def test_what_cannot_be_expected_is_said_before_anything_changes(
    settings: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InputError) as caught:
        normalised(**settings)
    assert f"machine nuc1: {fault}" in str(caught.value) or fault in str(caught.value)


def test_settings_may_be_normalised_twice() -> None:
    once = normalised(expect={"disk_size": "500G", "mac": "F44D30606469"})
    assert machines.normalise([once]) == [once]
