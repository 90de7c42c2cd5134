# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what this host is already, in parts: "# part NAME", and what a program said, or a line of our own each.

Argument, as JSON: root, state and answers (folders), units (names, first those of web server and boot server). It
only looks. Each call of a module costs more than all that is asked here, so all is asked at once; what it means is
decided on the controller.
"""

from __future__ import annotations

import glob
import json
import math
import os
import re
import subprocess
import sys
import time
from typing import Any, Iterator

#: Where firewalld came without the program nft, Debian's Python has its library.
NFT = """
import nftables
tables = nftables.Nftables()
tables.set_json_output(True)
print(tables.cmd("list ruleset")[1])
"""
#: Asks a service that runs: UNIT WHAT PROGRAM ARGUMENT… prints WHAT when it answers.
ASK = """systemctl --quiet is-active "$1" && what="$2" && shift 2 && python3 "$@" > /dev/null && echo "$what" """
QUESTIONS, SETTINGS = "/usr/local/lib/netboot/doctor", "/etc/netboot"
ZONES = "systemctl --quiet is-active firewalld && firewall-cmd"


def programs(units: list[str]) -> dict[str, list[str]]:
    """The programs whose words are parts, each with its arguments."""
    return {
        "addresses": ["ip", "-json", "address", "show"],
        # documentation's own network (RFC 5737): near to nobody, and nothing is sent
        "route": ["ip", "-json", "-4", "route", "get", "192.0.2.1"],
        "packages": ["dpkg-query", "--show", r"--showformat=${db:Status-Abbrev}\t${Package}\n"],
        "cut_off": ["sh", "-c", "dpkg --audit; ls /var/lib/dpkg/updates"],
        "sockets": ["ss", "-H", "-l", "-t", "-u", "-n", "-p"],
        "units": ["systemctl", "show", "--property=Id,MainPID,ActiveState,UnitFileState", *units],
        "dnsmasq": ["dnsmasq", "--version"],
        "nft": ["sh", "-c", 'nft -j list ruleset || /usr/bin/python3 -c "$1"', "sh", NFT],
        "iptables": ["iptables-save"],
        "zones": ["sh", "-c", f"{ZONES} --get-active-zones"],
        "default_zone": ["sh", "-c", f"{ZONES} --get-default-zone"],
    }


def questions(web: str, boot: str) -> Iterator[tuple[str, list[str]]]:
    """The services of ours, asked as machines ask them, where their configuration says that they are."""
    places = found(f"{SETTINGS}/nginx.conf", r"listen ([0-9.]+:\d+);")
    cards = found(f"{SETTINGS}/dnsmasq.conf", r"^interface=(\S+)$")
    ask = ["sh", "-c", ASK, "sh"]
    for place in places:
        yield f"heard http {place}", [*ask, web, f"http {place}", f"{QUESTIONS}/web.py", place]
    owners = found(
        f"{SETTINGS}/dnsmasq.conf", r"^dhcp-relay=[0-9.]+,([0-9.]+)$"
    )  # of a cache: who answers there
    for card, place in zip(cards, owners or places):  # both are in the order of the networks
        address = place.partition(":")[0]
        yield f"heard pxe {card}", [*ask, boot, f"pxe {card} {address}", f"{QUESTIONS}/pxe.py", card, address]


def found(path: str, pattern: str) -> list[str]:
    """All that a file has of a pattern, each once: several of nginx's servers listen at one place."""
    try:
        with open(path, encoding="utf-8") as file:
            return list(dict.fromkeys(re.findall(pattern, file.read(), re.MULTILINE)))
    except (OSError, ValueError):
        return []


def told(argv: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """What each program says, in lines; none of one that is not there (env ends with 127). They run side by side."""
    prefix = ["env", f"PATH={os.environ.get('PATH', '')}:/usr/sbin:/sbin", "LC_ALL=C"]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    started = {
        name: subprocess.Popen([*prefix, *words], stdin=nothing, stdout=pipe, stderr=nothing)
        for name, words in argv.items()
    }
    for name, process in started.items():
        yield name, process.communicate()[0].decode("utf-8", "replace").splitlines()


def files(root: str, state: str) -> Iterator[tuple[str, list[str]]]:
    """What files say."""
    efi = f"{root}/http/efi/"
    loaders = [
        path
        for end in ("*.efi", "*.by-ipxe")
        for path in (*glob.glob(efi + end), *glob.glob(f"{efi}*/{end}"))
    ]
    yield "uefi_loaders", [path[len(efi) :] for path in sorted(loaders)]
    yield "gives", found(f"{SETTINGS}/dnsmasq.conf", r"^tag-if=set:gives,tag:(\S+)$")
    yield "marks", sorted(glob.glob("/etc/systemd/system/*.d/netboot-installs.conf"))
    try:
        with open(f"{state}/firewall.json", encoding="utf-8") as file:
            yield "note", file.read().splitlines()
    except OSError:
        pass


def noted(folder: str) -> Iterator[str]:
    """The answers that modules have noted (module_utils/_noted.py) and that hold: no file is another; a line each."""
    for path in sorted(glob.glob(f"{folder}/*.json")):
        try:
            with open(path, encoding="utf-8") as file:
                note = json.load(file)
            if time.time() > (note["until"] or math.inf):
                continue
            if all(stamp(place) == was for place, was in note["files"].items()):
                name = os.path.basename(path)[: -len(".json")]
                yield json.dumps({"name": name, "key": note["key"], "answer": note["answer"]})
        except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
            continue  # the question is asked again


def stamp(path: str) -> list[int] | None:
    """As the module that noted it."""
    try:
        now = os.stat(path)
    except OSError:
        return None
    return [now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino]


def main(given: dict[str, Any]) -> None:
    """All of it."""
    ours = [*files(given["root"], given["state"]), ("noted", list(noted(given["answers"])))]
    asked = {**programs(given["units"]), **dict(questions(*given["units"][:2]))}
    for parts in (told(asked), ours):
        for name, lines in parts:
            sys.stdout.write("\n".join([f"# part {name}", *lines]) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
