# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the disks that are meant; stop on the wrong machine, and when a disk holds what nobody said may go.

The installer compares a disk's serial number and model with udev's ID_SERIAL and ID_MODEL. What stands on the disk's
label is only a part of them, or not in them at all (SAS). So this finds the disks, and puts their paths into the
installer's settings, which it reads again after this command ("early-commands" in its documentation): it uses the very
disks that were looked at here.

Whatever goes wrong stops it. Beside it lies settings.json: what is expected, and whether disks may be wiped. The reason
why it stops is left there too: a line for the server, and below it what a person before the machine is told.
"""

from __future__ import annotations

import fnmatch
import glob
import json
import os
import re
import subprocess
import sys
from typing import Any, Iterator

import yaml

Disk = Any
HERE = os.path.dirname(os.path.abspath(__file__))
#: The installer's settings.
TOLD = "/autoinstall.yaml"
#: What is compared with udev's values as the installer itself does it, by shell patterns.
UDEV = {"vendor": "ID_VENDOR", "id_path": "ID_PATH", "devpath": "DEVPATH"}
#: udev's MAJOR of floppy disks and CDs, which the installer does not see.
NO_DISKS = ("2", "11")
#: Letters of a Seagate SAS disk's number when its board's number follows the disk's own (its SCSI manual, page 80h).
SEAGATE, SEAGATE_BOTH = 8, 20

want: dict[str, Any] = {}


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def same(text: Any) -> str:
    return str(text or "").replace("_", "").replace(" ", "").lower()


def output(*argv: str, fine: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, text=True, errors="replace")
    if done.returncode not in fine:
        raise OSError(f"{argv[0]} ended with {done.returncode}")
    return done.stdout


def disks() -> list[Disk]:
    """Every disk that has a size, with what is on it, what udev says of it, and the path by which it is used."""
    columns = "NAME,PATH,TYPE,SIZE,SERIAL,MODEL,ROTA,FSTYPE,LABEL,MOUNTPOINT"
    found = []
    for disk in json.loads(output("lsblk", "-J", "-b", "-o", columns))["blockdevices"]:
        if disk["type"] != "disk" or not int(disk["size"]):
            continue
        lines = output("udevadm", "info", "--query=property", "--name=" + disk["path"]).splitlines()
        disk["udev"] = dict(line.split("=", 1) for line in lines if "=" in line)
        if disk["udev"].get("MAJOR") in NO_DISKS:
            continue
        disk["all"] = list(parts(disk))
        # one disk that is reached in several ways is another device, which lies on all of them
        paths = [node["path"] for node in disk["all"] if node.get("type") == "mpath"]
        disk["use"] = os.path.realpath(paths[0]) if paths else disk["path"]
        found.append(disk)
    return found


def parts(node: Any) -> Iterator[Any]:
    yield node
    for child in node.get("children") or []:
        yield from parts(child)


def spellings(disk: Disk, key: str) -> tuple[list[Any], list[Any]]:
    """What is compared with a pattern, the first list first; the second counts when no disk at all fits by the first.

    A serial number: as it stands on the label, with or without what the maker puts around it; then as a WWN, and with
    the model, as udev's ID_SERIAL has it for SATA and NVMe. A model: with the maker's name; then without.
    """
    udev = disk["udev"]
    serial, short = udev.get("ID_SERIAL", ""), udev.get("ID_SERIAL_SHORT", "")
    if key == "serial":
        numbers = [disk.get("serial"), short, udev.get("ID_SCSI_SERIAL"), udev.get("SCSI_IDENT_SERIAL")]
        numbers += [on_label(number or "", udev.get("ID_VENDOR")) for number in numbers]
        return numbers, [serial, re.sub(r"^(0x|eui\.)", "", udev.get("ID_WWN", ""))]
    if key == "model":
        models = [udev.get("ID_MODEL"), disk.get("model")]
        if short and "_" + short in serial:
            # ID_MODEL of SCSI and some SATA disks ends after 16 letters; this does not
            models.append(serial.partition("_" + short)[0])
        return models, [re.sub(r"^[^ _]+[ _]+", "", model or "") for model in models]
    return ([disk["path"], disk["use"]] if key == "path" else [udev.get(UDEV[key])]), []


def on_label(number: str, maker: Any) -> str:
    """A serial number without what its maker puts around it."""
    if maker == "SEAGATE" and len(number) == SEAGATE_BOTH:
        return number[:SEAGATE]
    return re.sub("^WD-", "", number)


def named(there: list[Disk], key: str, pattern: Any) -> list[Disk]:
    """The disks that are called so."""
    plain = same if key in ("serial", "model", "vendor") else str
    for place in 0, 1:
        found = [
            disk
            for disk in there
            if any(
                fnmatch.fnmatchcase(plain(name or ""), plain(pattern)) for name in spellings(disk, key)[place]
            )
        ]
        if found:
            return found
    return []


def matched(there: list[Disk], match: Any) -> list[Disk]:
    """The disks that fit (what the keys mean: Subiquity, models/storage.py)."""
    found = there
    for key in ("serial", "model", "path", *UDEV):
        if key in match:
            found = named(found, key, match[key])
    if "ssd" in match:
        found = [disk for disk in found if (str(disk["rota"]).lower() in ("0", "false")) == match["ssd"]]
    if "size" in match or "ssd" in match or match.get("install-media"):
        # the disk that the installer itself came from, or never that one
        mine = bool(match.get("install-media"))
        found = [disk for disk in found if any(node.get("mountpoint") for node in disk["all"]) == mine]
    end = {"largest": max, "smallest": min}.get(match.get("size"))
    if end and found:
        size = end(int(disk["size"]) for disk in found)
        found = [disk for disk in found if int(disk["size"]) == size]
    return found


def choose(there: list[Disk], wish: Any, times: int = 1) -> list[Disk]:
    """The disks any of which may be meant, the one that is used first; LookupError when a person must say more.

    wish: a match, or a list of them of which the first counts that any disk fits. times: how often it is wished.
    """
    for match in wish if isinstance(wish, list) else [wish]:
        found = matched(there, match)
        if not found:
            continue
        # the order in which the kernel found them can be another one the next time
        found.sort(key=lambda disk: (disk["udev"].get("ID_SERIAL", ""), disk["path"]))
        if "serial" in match and len({disk["use"] for disk in found}) > times:
            raise LookupError(f"the serial {match['serial']} fits {listed(found)}")
        return found
    raise LookupError(f"no disk fits {json.dumps(wish)}; there are {listed(there)}")


def amount(size: int) -> str:
    """Bytes as makers of disks count them."""
    power = max((power for power in (6, 9, 12) if size >= 10**power), default=6)
    return f"{size / 10**power:.4g} {'MGT'[power // 3 - 2]}B"


def called(disk: Disk) -> str:
    """A disk by all that it can be known by."""
    number = f"serial {disk['serial']}" if disk.get("serial") else ""
    known = filter(None, [disk.get("model"), number, amount(int(disk["size"]))])
    return f"{disk['name']} ({', '.join(known)})"


def listed(there: list[Disk]) -> str:
    return ", ".join(map(called, there)) or "none"


def wish_of(action: Any) -> Any:
    """What a disk of storage.config is to match; a serial or a path beside it is no pattern."""
    if "serial" in action:
        return {"serial": glob.escape(str(action["serial"]))}
    if "path" in action:
        return {"path": glob.escape(os.path.realpath(str(action["path"])))}
    return action.get("match", {})


def settle(there: list[Disk], storage: Any) -> list[Disk]:
    """Name the disks in the installer's settings by their paths; all that may be used."""
    layout, actions = storage.get("layout") or {}, storage.get("config") or []
    if layout or not actions:
        is_gap = layout.get("mode") == "use_gap"  # the disk with the largest gap, of those that fit
        found = choose(there, layout.get("match", {} if is_gap else {"size": "largest"}))
        if layout and not (is_gap and len(found) > 1):
            layout["match"] = {"path": found[0]["use"]}
        return found
    taken: list[Disk] = []
    rest = there
    named_disks = [action for action in actions if action.get("type") == "disk"]
    wishes = [wish_of(action) for action in named_disks]
    for action, wish in zip(named_disks, wishes):
        found = choose(rest, wish, wishes.count(wish))
        taken += [disk for disk in found if disk not in taken]
        for key in "serial", "match":
            action.pop(key, None)
        action["path"] = found[0]["use"]
        rest = [disk for disk in rest if disk["use"] != found[0]["use"]]
    return taken or there


def held(disk: Disk) -> str:
    """What a disk holds, for people; nothing when it is blank."""
    signs = output("wipefs", "--no-act", "--noheadings", "--output", "TYPE", disk["path"]).split()
    found = []
    # several ways to a disk are nothing that lies on it
    nodes = [node for node in disk["all"] if node.get("type") != "mpath"]
    for node in nodes:
        kind, label = (node.get("fstype") or "").replace("mpath_member", ""), node.get("label") or ""
        if kind or label:
            is_windows = kind.lower() in ("ntfs", "bitlocker")
            found.append(" ".join(filter(None, [node["name"], "Windows" if is_windows else "", kind, label])))
    if not signs and not found and len(nodes) == 1:
        return ""
    return ", ".join(found) or "/".join(dict.fromkeys(signs)) or "partitions"


def other_machine(expect: Any) -> Iterator[str]:
    for key, name in ("product", "product_name"), ("product_serial", "product_serial"):
        found = read("/sys/class/dmi/id/" + name)
        pattern = ".*".join(map(re.escape, same(expect.get(key, "*")).split("*")))
        if not re.fullmatch(pattern, same(found), re.DOTALL):
            yield f"the {key} is {found or 'unknown'}, not {expect[key]}"
    cards = glob.glob("/sys/class/net/*/address") + glob.glob("/sys/class/net/*/bonding_slave/perm_hwaddr")
    if "mac" in expect and expect["mac"] not in map(read, cards):
        yield f"no network card has the mac {expect['mac']}"


def other_disks(there: list[Disk], expect: Any) -> Iterator[str]:
    wished, right = [], there
    for key in "serial", "model":
        if "disk_" + key in expect:
            wished.append(f"the disk_{key} {expect['disk_' + key]}")
            right = named(right, key, expect["disk_" + key])
    if "disk_size" in expect:
        least, most = expect["disk_size"]
        wished.append(f"the disk_size {amount(least)} to {amount(most)}")
        right = [disk for disk in right if least <= int(disk["size"]) <= most]
    if wished and not right:
        yield f"no disk has {' and '.join(wished)}; there are {listed(there)}"


def protected(there: list[Disk], chosen: list[Disk]) -> Iterator[str]:
    label = want["label"]
    if not label:
        return
    # blkid looks at the disks themselves, since lsblk knows of labels only what udev told it
    places = output("blkid", "-c", "/dev/null", "-t", "LABEL=" + label, "-o", "device", fine=(0, 2)).split()
    others = {node["path"] for disk in there if disk not in chosen for node in disk["all"]}
    mine = {node["path"] for disk in chosen for node in disk["all"]}
    marked = [place for place in places if place in mine or place not in others]
    if marked:
        yield f"{' '.join(marked)} carries the protected label {label}"


def not_blank(chosen: list[Disk]) -> Iterator[str]:
    if want["wipe"] == "always":
        return
    for disk in chosen:
        what = held(disk)
        if what:
            yield f"disk {called(disk)} holds {what}"


def reasons(told: Any) -> Iterator[tuple[str, str]]:
    """What is wrong, and what is to be done."""
    expect, there = want["expect"], disks()
    others = [*other_machine(expect), *other_disks(there, expect)]
    for wrong in others:
        yield wrong, f"use the right machine, or correct netboot_expect of {want['name']}"
    if others:
        return  # what is on the disks of another machine is not to be wiped either
    try:
        chosen = settle(there, told.get("storage") or {})
    except LookupError as error:
        yield str(error), f"say which disk is meant in netboot_disk of {want['name']}, or in its storage"
        return
    marked = list(protected(there, chosen))
    for wrong in marked:
        yield wrong, "name another disk, or take the label away"
    for wrong in [] if marked else not_blank(chosen):
        yield wrong, f"to wipe it, run homelab.netboot.arm -l {want['name']}"


def look() -> list[tuple[str, str]]:
    """Why the installation must not go on; when it may, the installer's settings name the disks."""
    with open(HERE + "/settings.json", encoding="utf-8") as file:
        want.update(json.load(file))
    with open(TOLD, encoding="utf-8") as file:
        told = yaml.safe_load(file)
    wrong = list(reasons(told.get("autoinstall", told)))
    if not wrong:
        with open(TOLD, "w", encoding="utf-8") as file:
            yaml.safe_dump(told, file, sort_keys=False)
    return wrong


def main() -> None:
    try:
        wrong = look()
    except Exception as error:
        wrong = [(f"the machine could not be looked at: {error}", "look at its disks")]
    if not wrong:
        return
    groups: dict[str, list[str]] = {}
    for what, remedy in wrong:
        groups.setdefault(remedy, []).append(what)
    text = "; ".join(f"{'; '.join(whats)}: {remedy}" for remedy, whats in groups.items())
    lines = [("not installed, nothing was written: " + text)[:450]]
    for remedy, whats in groups.items():
        lines += [*whats, "> " + remedy]
    lines = [ascii(line)[1:-1] for line in lines]
    with open(HERE + "/reason", "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    sys.exit("netboot: " + lines[0])


if __name__ == "__main__":
    main()
