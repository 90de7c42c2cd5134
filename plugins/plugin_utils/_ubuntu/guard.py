# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What stops an installation on the wrong machine, before anything is written (Subiquity: early-commands)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

#: A file of the installer's live system; its first line is told to the server as the reason of the failure.
REASON = "/run/netboot-reason"
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


def early_commands(machine: Mapping[str, Any]) -> list[str]:
    """Return the early-commands that stop the installation when it is not the machine that the inventory means.

    They are to stand before all others. The reason is left in L(REASON) for the error-commands.

    :param machine: settings as the filter P(homelab.netboot.machines#filter) returns them.
    """
    want = dict(machine["expect"])
    if machine["protect_label"]:
        want["label"] = str(machine["protect_label"])
    if not want:
        return []
    # Subiquity runs a text with sh -c. -I: what its snap sets for a Python of its own is not meant for this one.
    return [f"python3 -I -c {shlex.quote(_PROGRAM)} {shlex.quote(json.dumps(want))}"]
