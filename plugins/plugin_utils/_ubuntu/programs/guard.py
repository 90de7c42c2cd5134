# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop the installation on the wrong machine, and of disks that hold what nobody said may go.

Whatever goes wrong stops it. Argument: as JSON, what is expected, which disks the installer is told to use, and
whether they may be wiped; and the file for the reason.
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

Disk = Any
#: What the installer compares with udev's values, by shell patterns.
UDEV = {
    "serial": "ID_SERIAL",
    "model": "ID_MODEL",
    "vendor": "ID_VENDOR",
    "id_path": "ID_PATH",
    "devpath": "DEVPATH",
}

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
    """Every disk that has a size, with what is on it and what udev says of it, which is what the installer asks."""
    columns = "NAME,PATH,TYPE,SIZE,SERIAL,ROTA,FSTYPE,LABEL,MOUNTPOINT"
    found = json.loads(output("lsblk", "-J", "-b", "-o", columns))["blockdevices"]
    found = [disk for disk in found if disk["type"] == "disk" and int(disk["size"])]
    for disk in found:
        lines = output("udevadm", "info", "--query=property", "--name=" + disk["path"]).splitlines()
        disk["udev"] = dict(line.split("=", 1) for line in lines if "=" in line)
        disk["all"] = list(parts(disk))
    return found


def parts(node: Any) -> Iterator[Any]:
    yield node
    for child in node.get("children") or []:
        yield from parts(child)


def fits(disk: Disk, match: Any) -> bool:
    """Whether the installer takes a disk for one that is to be matched (Subiquity: models/filesystem.py)."""
    for key, pattern in match.items():
        if key in UDEV and not fnmatch.fnmatchcase(disk["udev"].get(UDEV[key], ""), str(pattern)):
            return False
        if key == "path" and not fnmatch.fnmatchcase(disk["path"], str(pattern)):
            return False
        if key == "ssd" and (str(disk["rota"]).lower() in ("0", "false")) != pattern:
            return False
    return True


def matched(there: list[Disk], matches: Any) -> list[Disk]:
    """The disks one of which is taken; more than one, when it cannot be told which."""
    for match in matches if isinstance(matches, list) else [matches]:
        found = [disk for disk in there if fits(disk, match)]
        if "size" in match or "ssd" in match:  # then those that hold the installer itself do not count
            found = [
                disk for disk in found if not any(node.get("mountpoint") for node in disk["all"])
            ] or found
        if found:
            sizes = [int(disk["size"]) for disk in found]
            end = {"largest": max, "smallest": min}.get(match.get("size"))
            return [disk for disk, size in zip(found, sizes) if end is None or size == end(sizes)]
    return []


def named(there: list[Disk], action: Any) -> list[Disk]:
    """The disks that a disk of storage.config can be, when it is named and not matched."""
    if "serial" in action:
        keys = "ID_SERIAL", "ID_SERIAL_SHORT"
        return [d for d in there if action["serial"] in [d["serial"], *(d["udev"].get(key) for key in keys)]]
    return [disk for disk in there if os.path.realpath(action["path"]) == os.path.realpath(disk["path"])]


def used(there: list[Disk]) -> list[Disk]:
    """The disks that the installer would use; where that cannot be told, all of them."""
    if "config" not in want["storage"]:
        return matched(there, want["storage"]["match"]) or there
    taken: list[Disk] = []
    rest = list(there)
    for action in want["storage"]["config"]:
        is_named = "serial" in action or "path" in action
        found = named(rest, action) if is_named else matched(rest, action.get("match", {}))
        if not found:
            return there
        taken += [disk for disk in found if disk not in taken]
        if len(found) == 1:
            rest.remove(found[0])
    return taken or there


def held(disk: Disk) -> str:
    """What a disk holds, for people; nothing when it is blank."""
    signs = output("wipefs", "--no-act", "--noheadings", "--output", "TYPE", disk["path"]).split()
    found = []
    for node in disk["all"]:
        kind, label = node.get("fstype") or "", node.get("label") or ""
        if kind or label:
            is_windows = kind.lower() in ("ntfs", "bitlocker")
            found.append(" ".join(filter(None, [node["name"], "Windows" if is_windows else "", kind, label])))
    if not signs and not found and len(disk["all"]) == 1:
        return ""
    return ", ".join(found) or "/".join(dict.fromkeys(signs)) or "partitions"


def other_machine() -> Iterator[str]:
    for key, name in ("product", "product_name"), ("product_serial", "product_serial"):
        found = read("/sys/class/dmi/id/" + name)
        pattern = ".*".join(map(re.escape, same(want.get(key, "*")).split("*")))
        if not re.fullmatch(pattern, same(found), re.DOTALL):
            yield f"the {key} is {found or 'unknown'}, not {want[key]}"
    cards = glob.glob("/sys/class/net/*/address") + glob.glob("/sys/class/net/*/bonding_slave/perm_hwaddr")
    if "mac" in want and want["mac"] not in map(read, cards):
        yield f"no network card has the mac {want['mac']}"


def other_disks(there: list[Disk]) -> Iterator[str]:
    if "disk_serial" not in want and "disk_size" not in want:
        return
    least, most = want.get("disk_size", (0, 2**99))
    serial = want.get("disk_serial")
    right = [disk for disk in there if same(serial) in ("", same(disk["serial"]))]
    if not any(least <= int(disk["size"]) <= most for disk in right):
        listed = [f"{disk['name']} (serial {disk['serial']}, {disk['size']} bytes)" for disk in there]
        yield (
            f"no disk has the disk_serial {serial or '(any)'} and {least} to {most} bytes;"
            f" there are {', '.join(listed) or 'none'}"
        )


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
            yield f"disk {disk['name']} holds {what}: to wipe it, run homelab.netboot.arm -l {want['name']}"


def reasons() -> Iterator[str]:
    yield from other_machine()
    there = disks()
    yield from other_disks(there)
    chosen = used(there)
    yield from protected(there, chosen)
    yield from not_blank(chosen)


def main() -> None:
    want.update(json.loads(sys.argv[1]))
    try:
        wrong = "; ".join(reasons())
    except Exception as error:
        wrong = f"the machine could not be looked at: {error}"
    if wrong:
        wrong = ascii("not installed, nothing was written: " + wrong)[1:-1]
        with open(sys.argv[2], "w") as file:
            file.write(wrong[:450] + "\n")
        sys.exit("netboot: " + wrong)


if __name__ == "__main__":
    main()
