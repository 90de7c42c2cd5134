# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks are found by what stands on their label: the guard runs for real, with udev's values of 53 disks.

udev_disks.json: machine → its disks, from examples/machines of canonical/subiquity (44e42fc6, 2026-08-20), values only.
"sas" is put together from what people published of theirs (udevadm info); their sizes are those of the models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import machines
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import autoinstall, releases
from ansible_collections.homelab.netboot.tests.unit import worked_examples
from ansible_collections.homelab.netboot.tests.unit.plugins.plugin_utils._ubuntu.installer import (
    Live,
    command,
)

MACHINES: dict[str, list[dict[str, str]]] = json.loads(
    Path(__file__).with_name("udev_disks.json").read_text()
)
REMOVED = ("DEVNAME", "size", "rotational")
MULTIPATH = {"name": "mpatha", "path": "/dev/mapper/mpatha", "type": "mpath"}


def number(udev: Mapping[str, str]) -> str:
    """The serial number as lsblk (2.38) says it."""
    keys = "SCSI_IDENT_SERIAL", "ID_SCSI_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"
    return next((udev[key] for key in keys if key in udev), "")


def is_seen(udev: Mapping[str, str]) -> bool:
    """Whether the installer sees this disk: no floppy, and there is something in the reader."""
    return udev["MAJOR"] != "2" and udev["size"] != "0"


class Machine(Live):
    """A machine with these disks, all of them blank."""

    def __init__(self, folder: Path, disks: list[dict[str, str]]) -> None:
        super().__init__(folder)
        rows = []
        for udev in disks:
            name = udev["DEVNAME"].removeprefix("/dev/")
            lines = [f"{key}={value}" for key, value in udev.items() if key not in REMOVED]
            self.write(f"udev/{name}", "\n".join(lines) + "\n")
            model = udev.get("ID_MODEL_ENC", "").replace("\\x20", " ").strip() or udev.get("ID_MODEL")
            rows.append(
                {
                    "name": name,
                    "path": udev["DEVNAME"],
                    "type": "disk",
                    "size": int(udev["size"]),
                    "serial": number(udev) or None,
                    "model": model,
                    "rota": udev.get("rotational") != "0",
                    **(
                        {"fstype": "mpath_member", "children": [MULTIPATH]}
                        if disks is MACHINES["multipath"]
                        else {}
                    ),
                }
            )
        self.program("lsblk", f"cat <<'END'\n{json.dumps({'blockdevices': rows})}\nEND")
        self.program("udevadm", f'cat "{folder}/udev/${{3#--name=/dev/}}"')
        self.program("blkid", "exit 2")
        self.program("wipefs", ":")

    def settle(self, **settings: Any) -> dict[str, Any]:
        """Run the guard; what the installer then reads of its storage. ValueError with the reason why it stopped."""
        raw = {"name": "nuc1", "mac": "f4:4d:30:60:64:69", **settings}
        return dict(self.install(machines.normalise([raw])[0])["storage"])

    def install(self, machine: Mapping[str, Any], release: releases.Release = releases.ANY) -> dict[str, Any]:
        """The same with settings in their normal form; all that the installer then reads."""
        self.reason.unlink(missing_ok=True)
        self.wipe = "blank"
        self.carry(machine)
        self.write("autoinstall.yaml", yaml.safe_dump(autoinstall.compose(machine, release=release)))
        self.run(command("early", 1))
        if self.why():
            raise ValueError(self.why())
        return dict(yaml.safe_load((self.folder / "autoinstall.yaml").read_text()))


def layout(match: Any) -> dict[str, Any]:
    return {"storage": {"layout": {"name": "direct", "match": match}}}


def config(*disks: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"type": "disk", "id": f"d{place}", **disk} for place, disk in enumerate(disks)]
    return {"storage": {"config": [*numbered, {"type": "mount", "id": "m", "path": "/", "device": "x"}]}}


def path_of(udev: Mapping[str, str], name: str) -> str:
    return MULTIPATH["path"] if name == "multipath" else udev["DEVNAME"]


def beginning(udev: Mapping[str, str], others: list[dict[str, str]]) -> str:
    """The shortest beginning of the number that no other disk of the machine has, four signs at least."""
    mine = number(udev)
    theirs = {number(other) for other in others if is_seen(other)} - {mine}
    lengths = range(min(4, len(mine)), len(mine) + 1)
    return next(mine[:size] for size in lengths if not any(other.startswith(mine[:size]) for other in theirs))


NUMBERED = [
    pytest.param(name, udev, id=f"{name}-{udev['DEVNAME'][5:]}")
    for name, disks in MACHINES.items()
    for udev in disks
    if is_seen(udev) and number(udev)
]


def test_they_are_53_of_every_kind() -> None:
    disks = [udev for disks in MACHINES.values() for udev in disks]
    assert len(disks) == 53
    assert len(NUMBERED) == 33
    kinds = {(udev["DEVNAME"][5:7], udev.get("ID_BUS", "")) for udev in disks if is_seen(udev)}
    assert kinds == {("nv", ""), ("sd", "ata"), ("sd", "scsi"), ("sd", "usb"), ("vd", "")}


@pytest.mark.parametrize(("name", "udev"), NUMBERED)
def test_what_stands_on_the_label_finds_the_disk(tmp_path: Path, name: str, udev: dict[str, str]) -> None:
    machine = Machine(tmp_path, MACHINES[name])
    mine, first = number(udev), beginning(udev, MACHINES[name])
    found = {"path": path_of(udev, name)}
    wwn = udev.get("ID_WWN", mine).removeprefix("0x").removeprefix("eui.").upper()
    pairs = [(f"{first}*", mine), (mine.swapcase(), f"*{mine[1:]}"), (udev["ID_SERIAL"], wwn)]
    for serial, expected in pairs:
        told = machine.settle(disk={"serial": serial}, expect={"disk_serial": expected})
        assert told["layout"]["match"] == found, serial
    for disk in ({"match": {"serial": f"{first}*"}}, {"serial": mine}):
        told = machine.settle(autoinstall=config(disk))
        assert told["config"][0] == {"type": "disk", "id": "d0", **found}


@pytest.mark.parametrize(
    ("name", "model", "path"),
    [
        ("imsm", "TOSHIBA DT01ACA100", "/dev/sda"),  # ID_MODEL ends after DT01ACA1
        ("imsm", "TOSHIBA_DT01ACA1", "/dev/sda"),  # as the installer itself has it
        ("imsm", "dt01aca100", "/dev/sda"),
        ("imsm", "Ultra USB 3.0", "/dev/sdc"),
        ("imsm", "SanDisk Ultra*", "/dev/sdc"),
        ("imsm", "A400 NVMe SanDisk 256GB", "/dev/nvme0n1"),
        ("lp-1986676-missing-osprober", "KINGSTON SKC2000M8250G", "/dev/nvme0n1"),
        ("lp-1986676-missing-osprober", "SKC2000*", "/dev/nvme0n1"),
        ("lp-1986676-missing-osprober", "CT500MX500SSD1", "/dev/sdb"),  # the first by its number
        ("mwhudson", "ADATA_SX8200PNP", "/dev/nvme0n1"),
        ("multipath", "QEMU HARDDISK", "/dev/mapper/mpatha"),
        ("sas", "WD20NPVX*", "/dev/sdb"),
        ("sas", "WDC WD20NPVX-00EA4T0", "/dev/sdb"),
        ("sas", "ST300MM0006", "/dev/sdd"),
        ("sas", "mb8000jfecq", "/dev/sdk"),
    ],
)
def test_so_does_the_model(tmp_path: Path, name: str, model: str, path: str) -> None:
    machine = Machine(tmp_path, MACHINES[name])
    assert machine.settle(disk={"model": model})["layout"]["match"] == {"path": path}
    told = machine.settle(expect={"disk_model": model}, autoinstall=config({"match": {"model": model}}))
    assert told["config"][0]["path"] == path


NUC = MACHINES["lp-1986676-missing-osprober"]


@pytest.mark.parametrize(
    ("serial", "why"),
    [
        ("*", "fits"),  # it could be any
        (
            "2112*",
            "the serial 2112* fits sdb (CT500MX500SSD1, serial 21122DA80425, 500.1 GB), sda (CT500MX500SSD1, serial",
        ),
        ("CT500*", "fits sdb"),  # as the installer itself has it, and of both
        (
            "NOBODYS*",
            'no disk fits {"serial": "NOBODYS*"}; there are sdd (ProductCode, serial 1217911277454395617, 157.3 GB), s',
        ),
        ("920321111113", "no disk fits"),  # nothing is in the reader
        ("21122DB9911", "no disk fits"),
    ],
)
def test_a_number_that_fits_no_disk_or_several_stops_it(tmp_path: Path, serial: str, why: str) -> None:
    machine = Machine(tmp_path, NUC)
    with pytest.raises(ValueError, match=re.escape(why)):
        machine.settle(disk={"serial": serial})


def test_a_number_is_looked_for_on_labels_before_it_is_in_models(tmp_path: Path) -> None:
    disks = [dict(disk) for disk in NUC if disk["DEVNAME"] in ("/dev/sda", "/dev/sdc")]
    disks[1]["ID_SERIAL_SHORT"] = "CT500"
    disks[1]["ID_SERIAL"] = "TOSHIBA_CT500"
    assert Machine(tmp_path, disks).settle(disk={"serial": "CT500*"})["layout"]["match"] == {
        "path": "/dev/sdc"
    }


def test_what_a_maker_puts_before_the_number_need_not_be_written(tmp_path: Path) -> None:
    disks = [
        {**NUC[0], "ID_SERIAL": "WDC_WD40EFRX-68N32N0_WD-WCC7K4AA0001", "ID_SERIAL_SHORT": "WD-WCC7K4AA0001"}
    ]
    machine = Machine(tmp_path, disks)
    for serial in ("WCC7K4AA0001", "WD-WCC7K4AA0001", "wcc7k4*", "WDC WD40EFRX-68N32N0_WD-WCC7K4AA0001"):
        assert machine.settle(disk={"serial": serial})["layout"]["match"] == {"path": NUC[0]["DEVNAME"]}


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("S0K2ADLV", "/dev/sdd"),  # the number of its board follows
        ("S0K2ADLV0000M4386960", "/dev/sdd"),
        ("ZA17WDAG", "/dev/sdk"),
        ("5000c50093fddc5f", "/dev/sdk"),
        ("VJG3WK3X", "/dev/sdaa"),
        ("WXP1E94D0VXT", "/dev/sdb"),
    ],
)
def test_what_stands_on_sas_disks_finds_them(tmp_path: Path, label: str, path: str) -> None:
    machine = Machine(tmp_path, MACHINES["sas"])
    assert machine.settle(disk={"serial": label}, expect={"disk_serial": label})["layout"]["match"] == {
        "path": path
    }
    assert machine.settle(autoinstall=config({"serial": label}))["config"][0]["path"] == path


def test_as_many_disks_as_are_asked_for_may_fit_one_number(tmp_path: Path) -> None:
    machine = Machine(tmp_path, NUC)
    both = {"match": {"serial": "21122D*"}}
    told = machine.settle(autoinstall=config(both, dict(both)))
    assert [disk["path"] for disk in told["config"][:2]] == ["/dev/sdb", "/dev/sda"]
    with pytest.raises(ValueError, match=r"fits sdb .*, sda "):
        machine.settle(autoinstall=config(both))
    with pytest.raises(ValueError, match="no disk fits"):
        machine.settle(autoinstall=config(both, dict(both), dict(both)))


def test_disks_without_a_number_are_found_by_their_path(tmp_path: Path) -> None:
    nameless = [(name, udev) for name, disks in MACHINES.items() for udev in disks if not number(udev)]
    for place, (name, udev) in enumerate(nameless):
        (tmp_path / f"{place}").mkdir()
        machine = Machine(tmp_path / f"{place}", MACHINES[name])
        if is_seen(udev):
            found = {"path": udev["DEVNAME"]}
            assert machine.settle(disk=found)["layout"]["match"] == found
    (tmp_path / "raid").mkdir()
    machine = Machine(tmp_path / "raid", MACHINES["lp1999173-raid1"])
    told = machine.settle(autoinstall=config({"path": "/dev/vdb"}, {"match": {"path": "/dev/vd*"}}))
    assert [disk["path"] for disk in told["config"][:2]] == ["/dev/vdb", "/dev/vda"]


@pytest.mark.parametrize("name", MACHINES)
def test_the_largest_is_one_that_the_installer_sees(tmp_path: Path, name: str) -> None:
    told = Machine(tmp_path, MACHINES[name]).settle(disk={"size": "largest"})
    seen = {path_of(udev, name): int(udev["size"]) for udev in MACHINES[name] if is_seen(udev)}
    assert seen[told["layout"]["match"]["path"]] == max(seen.values())


@pytest.mark.parametrize("name", ["simple", "virtio"])
def test_a_floppy_disk_is_never_the_smallest(tmp_path: Path, name: str) -> None:
    told = Machine(tmp_path, MACHINES[name]).settle(disk={"size": "smallest"})
    assert "fd0" not in told["layout"]["match"]["path"]


def test_all_else_that_the_installer_is_told_stays_as_it_is(tmp_path: Path) -> None:
    odd = {
        "late-commands": ["a: 'b'\n\"c\" \\ é", "yes"],
        "packages": ["1.0", "no"],
        "user-data": {"x": 0o17},
    }
    said = {**odd, **layout([{"serial": "no"}, {"serial": "37PYNGAFS"}])}
    (normal,) = machines.normalise([{"name": "n", "mac": "f4:4d:30:60:64:69", "autoinstall": said}])
    before, after = autoinstall.compose(normal), Machine(tmp_path, NUC).install(normal)
    assert after["storage"]["layout"].pop("match") == {"path": "/dev/sdc"}
    del before["storage"]["layout"]["match"]
    assert after == before


def test_nothing_is_said_of_disks_where_nothing_was(tmp_path: Path) -> None:
    (normal,) = machines.normalise([{"name": "n", "mac": "f4:4d:30:60:64:69"}])
    told = Machine(tmp_path, NUC).install(normal, releases.find("24.04"))
    assert told == autoinstall.compose(normal, release=releases.find("24.04"))
    assert "storage" not in told


def test_for_a_gap_every_disk_that_fits_is_left_to_choose_from(tmp_path: Path) -> None:
    machine = Machine(tmp_path, NUC)
    gap = {"name": "direct", "mode": "use_gap", "match": {"model": "CT500*"}}
    assert machine.settle(autoinstall={"storage": {"layout": gap}})["layout"]["match"] == {"model": "CT500*"}
    gap["match"] = {"serial": "37PY*"}
    assert machine.settle(autoinstall={"storage": {"layout": gap}})["layout"]["match"] == {"path": "/dev/sdc"}


REAL = ("lp-1986676-missing-osprober", "imsm")
#: Where users read of disks; machines.py has what bad input is told.
PAGES = (
    *worked_examples.ROOT.glob("docs/*.md"),
    worked_examples.ROOT / "README.md",
    worked_examples.ROOT / "roles/netboot/meta/argument_specs.yml",
    worked_examples.ROOT / "plugins/plugin_utils/_inventory/machines.py",
)
NAMES = re.compile(
    r"""(?<![\w"])(?:disk_)?(serial|model): (?:"(?P<quoted>[^"…{]+)"|(?P<plain>[^\s"{}#,…]+[^"{}#,…\n]*))"""
)


def found_on(folder: Path, machine: Mapping[str, Any]) -> list[str]:
    """The paths of the disks that it means, on the one of the real machines that has such."""
    for name in REAL:
        (folder / name).mkdir(parents=True)
        try:
            storage = Machine(folder / name, MACHINES[name]).install(machine)["storage"]
        except ValueError:
            continue
        disks = [action for action in storage.get("config", []) if action["type"] == "disk"]
        return [disk["path"] for disk in disks] or [storage["layout"]["match"]["path"]]
    return []


def test_the_examples_of_the_documentation_find_the_disks_of_real_machines(tmp_path: Path) -> None:
    found = {}
    for title, inventory in worked_examples.examples().items():
        for machine in worked_examples.machines(inventory):
            if "serial" in json.dumps(autoinstall.settings(machine).get("storage", {})):
                found[f"{title}: {machine['name']}"] = found_on(tmp_path / machine["name"], machine)
    assert found == {"RAID 1: store1": ["/dev/sda", "/dev/sdb"], "RAID 1: store2": ["/dev/sda", "/dev/sdb"]}


def test_every_disk_that_is_named_anywhere_is_that_of_a_real_machine(tmp_path: Path) -> None:
    named = set()
    for page in PAGES:
        for said in NAMES.finditer(page.read_text()):
            named.add((said[1], (said["quoted"] or said["plain"]).strip()))
    assert named == {
        ("serial", "50026B72*"),
        ("serial", "50026B72823D1475"),
        ("model", "KINGSTON SKC2000*"),
    }
    for place, (key, text) in enumerate(sorted(named)):
        raw = {
            "name": "nuc1",
            "mac": "f4:4d:30:60:64:69",
            "disk": {key: text},
            "expect": {f"disk_{key}": text},
        }
        found = found_on(tmp_path / str(place), machines.normalise([raw])[0])
        assert found == ["/dev/nvme0n1"], text


def test_what_the_page_of_security_expects_is_a_real_disk(tmp_path: Path) -> None:
    page = (worked_examples.ROOT / "docs/security.md").read_text()
    (block,) = re.findall(r"^```yaml\n(netboot_expect:.*?)^```", page, re.MULTILINE | re.DOTALL)
    expect = yaml.safe_load(block)["netboot_expect"]
    disk = {key: value for key, value in expect.items() if key.startswith("disk_")}
    assert sorted(disk) == ["disk_model", "disk_serial", "disk_size"]
    machine = Machine(tmp_path, NUC)
    machine.settle(disk={"size": "largest"}, expect=disk)
    with pytest.raises(ValueError, match="no disk has the disk_serial"):
        machine.settle(disk={"size": "largest"}, expect={**disk, "disk_size": "500G"})
