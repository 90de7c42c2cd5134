# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What stops an installation on the wrong machine, before anything is written (Subiquity: early-commands)."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils import _mac
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest

#: A file of the installer's live system; its first line is told to the server as the reason of the failure.
REASON = "/run/netboot-reason"
#: What can be expected of a machine, and how it is written.
KEYS: Mapping[str, str] = {
    "disk_serial": "the serial number of one of its disks, as lsblk -o SERIAL shows it",
    "disk_size": "the size of one of its disks, such as 500G (2 % more or less), or a range such as 400G..600G",
    "mac": "the address of one of its network cards",
    "product": "its product name, as in /sys/class/dmi/id/product_name; * stands for any text",
    "product_serial": "its serial number, as in /sys/class/dmi/id/product_serial; * stands for any text",
}
_UNITS = {"M": 10**6, "G": 10**9, "T": 10**12, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([MGT]I?)B?", re.IGNORECASE)
#: Makers round: a disk of "500 GB" has 500,107,862,016 bytes, the next usual size is 512 GB.
_TOLERANCE = Decimal("0.02")
# blkid(8) takes the label as it stands; longer ones than these 16 characters exist in no usual file system.
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,16}")
_LONGEST = 100

# Runs in the installer: Python 3.8 and util-linux 2.34 in the oldest. Whatever goes wrong
# stops the installation. blkid looks at the disks themselves, since lsblk knows of labels only what udev told it.
_PROGRAM = f"""\
import glob, json, re, subprocess, sys

want = json.loads(sys.argv[1])

def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""

def same(text):
    return str(text or "").replace("_", "").replace(" ", "").lower()

def output(*argv, fine=(0,)):
    done = subprocess.run(argv, stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode not in fine:
        raise OSError("%s ended with %s" % (argv[0], done.returncode))
    return done.stdout

def reasons():
    if "label" in want:
        marked = output("blkid", "-c", "/dev/null", "-t", "LABEL=" + want["label"], "-o", "device", fine=(0, 2))
        if marked:
            yield "%s carries the protected label %s" % (" ".join(marked.split()), want["label"])
    for key, name in ("product", "product_name"), ("product_serial", "product_serial"):
        found = read("/sys/class/dmi/id/" + name)
        pattern = ".*".join(map(re.escape, same(want.get(key, "*")).split("*")))
        if not re.fullmatch(pattern, same(found), re.DOTALL):
            yield "the %s is %s, not %s" % (key, found or "unknown", want[key])
    cards = glob.glob("/sys/class/net/*/address") + glob.glob("/sys/class/net/*/bonding_slave/perm_hwaddr")
    if "mac" in want and want["mac"] not in map(read, cards):
        yield "no network card has the mac %s" % want["mac"]
    if "disk_serial" in want or "disk_size" in want:
        found = json.loads(output("lsblk", "-J", "-b", "-d", "-o", "NAME,TYPE,SIZE,SERIAL"))["blockdevices"]
        disks = [disk for disk in found if disk["type"] == "disk" and int(disk["size"])]
        least, most = want.get("disk_size", (0, 2 ** 99))
        if not any(least <= int(disk["size"]) <= most for disk in disks
                   if same(want.get("disk_serial")) in ("", same(disk["serial"]))):
            yield "no disk has the disk_serial %s and %s to %s bytes; there are %s" % (
                want.get("disk_serial", "(any)"), least, most,
                ", ".join("{{name}} (serial {{serial}}, {{size}} bytes)".format(**disk) for disk in disks) or "none")

try:
    wrong = "; ".join(reasons())
except Exception as error:
    wrong = "the machine could not be looked at: %s" % error
if wrong:
    wrong = ascii("not installed, nothing was written: " + wrong)[1:-1]
    with open("{REASON}", "w") as file:
        file.write(wrong[:450] + "\\n")
    sys.exit("netboot: " + wrong)
"""


def normalise(machine: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what is expected of a machine, in plain types and one notation, and what is wrong with it.

    :param machine: its settings C(expect), any of L(KEYS), and C(protect_label).
    :return: a size is the least and the most number of bytes; faults begin with the setting's name.
    """
    expect = machine["expect"]
    faults = []
    if not isinstance(expect, Mapping):
        return {}, [f"expect: must be a mapping, such as {{disk_size: 500G}}; known are {', '.join(KEYS)}"]
    wanted: dict[str, Any] = {}
    for key, value in expect.items():
        try:
            if key not in KEYS:
                raise ValueError(f"no such expectation; {suggest(str(key), KEYS)}")
            wanted[key] = _value(key, value)
        except ValueError as error:
            faults.append(f"expect: {key}: {error}")
    label = machine["protect_label"]
    if label and not _LABEL.fullmatch(str(label)):
        faults.append(f"protect_label: '{label}' is not a label; use up to 16 letters, digits and . _ -")
    return wanted, faults


def early_commands(machine: Mapping[str, Any]) -> list[str]:
    """Return the early-commands that stop the installation when it is not the machine that the inventory means.

    They are to stand before all others. The reason is left in L(REASON) for the error-commands.

    :param machine: settings as C(_machines.normalise) returns them, with C(expect) as L(normalise) does.
    """
    want = dict(machine["expect"])
    if machine["protect_label"]:
        want["label"] = str(machine["protect_label"])
    if not want:
        return []
    # Subiquity runs a text with sh -c. -I: what its snap sets for a Python of its own is not meant for this one.
    return [f"python3 -I -c {shlex.quote(_PROGRAM)} {shlex.quote(json.dumps(want))}"]


def _value(key: str, value: Any) -> Any:
    if key == "mac":
        return _mac.normalise(value)
    if key == "disk_size":
        return _size(value)
    text = str(value).strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise ValueError(f"'{text}' is not usable; write {KEYS[key]}")
    return text


def _size(value: Any) -> list[int]:
    """Return the least and the most number of bytes.

    Already normalised values pass, so that settings may be normalised twice.
    """
    if isinstance(value, list) and len(value) == 2 and all(isinstance(end, int) for end in value):  # noqa: PLR2004
        return value
    least, dots, most = str(value).partition("..")
    ends = [_bytes(least), _bytes(most if dots else least)]
    if not dots:
        ends = [ends[0] * (1 - _TOLERANCE), ends[1] * (1 + _TOLERANCE)]
    if ends[0] > ends[1]:
        raise ValueError(f"'{value}' ends before it begins")
    return [int(end) for end in ends]


def _bytes(text: str) -> Decimal:
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"'{text}' is not a size; write {KEYS['disk_size']}")
    return Decimal(found.group(1)) * _UNITS[found.group(2).upper()]
