# SPDX-License-Identifier: GPL-3.0-or-later
"""Take everything of homelab.netboot off this host; a line for each thing that goes.

Argument, as JSON: root, state and spool (folders), images (keep or remove), check (only say what would go). What is not
there is no fault, so a removal that was cut off is completed by the next one.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

UNITS = "/etc/systemd/system/netboot"
OURS = (
    *("/etc/netboot", "/etc/logrotate.d/netboot", "/var/log/netboot"),
    *("/usr/local/lib/netboot", "/usr/local/sbin/netboot", "/var/lib/netboot-dnsmasq"),
)
STATE = (
    *("answers", "plan", "machines", "logs", "events", "lock", "served.json", "known.json", "packages.json"),
    *("changes.log", "changes.log.1", "firewall.json", "counts.json"),
    *("shown.json", "metrics.prom", "metrics.json", "doctor.json"),
)
SPOOL = ("fetched", "reports", "incoming")


def main(given: dict[str, Any]) -> None:
    """Services first, so that nobody writes to what goes; packages last, when nothing of ours needs them."""
    note = Path(given["state"], "packages.json")
    packages = json.loads(note.read_text()) if note.exists() else {"before": [], "asked": []}
    units = sorted(path for path in glob.glob(f"{UNITS}*") if os.path.isfile(path))
    if units and not given["check"]:
        run("systemctl", "disable", "--now", "--quiet", *map(os.path.basename, units))
    shut_ports(Path(given["state"], "firewall.json"), check=given["check"])
    # the note of the packages goes only when they are gone
    for path in [*units, *files(given), *folders(given)]:
        if os.path.lexists(path) and path != str(note):
            say(path)
            if not given["check"]:
                remove(path)
    if units and not given["check"]:
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed")
    purge(packages, check=given["check"])
    if note.exists() and not given["check"]:
        note.unlink()
    for place in (given["state"], given["spool"], f"{given['root']}/http", given["root"]):
        if os.path.isdir(place) and not os.listdir(place) and not given["check"]:
            os.rmdir(place)


def shut_ports(note: Path, *, check: bool) -> None:
    """Take back what the firewalls of this host were told; what is in nftables went with our service."""
    for argv in json.loads(note.read_text())["close"] if note.exists() else ():
        say(f"opening of the firewall: {' '.join(argv)}")
        if not check and shutil.which(argv[0]):
            # one that is stopped answers with an error, and has nothing open; its own files are edited all the same
            subprocess.run(offline(argv), capture_output=True, check=False)


def offline(argv: list[str]) -> list[str]:
    """Tell a firewalld that does not run to change its files."""
    runs = (
        argv[0] != "firewall-cmd"
        or subprocess.run(["firewall-cmd", "--state"], capture_output=True, check=False).returncode == 0
    )
    return argv if runs else ["firewall-offline-cmd", *(word for word in argv[1:] if word != "--permanent")]


def files(given: dict[str, Any]) -> Iterator[str]:
    """Ours, wherever somebody's own settings have put them; in folders that may have other uses, only ours."""
    yield from textfile()
    yield from OURS
    yield from (f"{given['state']}/{name}" for name in STATE)
    yield from (f"{given['spool']}/{name}" for name in SPOOL)


def textfile() -> Iterator[str]:
    """The metrics, where they lie elsewhere."""
    settings = Path("/etc/netboot/netboot.json")
    place = json.loads(settings.read_text()).get("textfile") if settings.exists() else ""
    if place:
        yield place


def folders(given: dict[str, Any]) -> Iterator[str]:
    """What is served, and the packages that were kept; of a cache its parts of images."""
    yield f"{given['root']}/tftp"
    if given["images"] != "keep":
        yield f"{given['root']}/apt"
        yield f"{given['root']}/cache"
    for path in sorted(glob.glob(f"{given['root']}/http/*")):
        if given["images"] != "keep" or os.path.basename(path) != "images":
            yield path


def remove(path: str) -> None:
    """A file, a link or a whole folder."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def purge(packages: dict[str, Any], *, check: bool) -> None:
    """Packages that came with us, and that nothing else needs now: what apt itself would remove, but no older ones."""
    asked = [name for name in packages["asked"] if installed(name)]
    if not asked:
        return
    if check:
        for name in asked:
            say(f"package {name}, unless something else needs it")
        return
    run("apt-mark", "auto", *asked)
    options = ("-o", "APT::AutoRemove::SuggestsImportant=false")
    told = run("apt-get", "--simulate", *options, "autoremove")
    removable = [line.split()[1] for line in told.splitlines() if line.startswith("Remv ")]
    ours = sorted(set(removable) - set(packages["before"]))
    for name in ours:
        say(f"package {name}")
    for name in sorted(set(asked) - set(ours)):
        say(f"package {name} stays: something else needs it")
    if ours:
        run("apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=60", "purge", *ours)
    if "nginx-common" in ours:
        forget_example_site()


def forget_example_site() -> None:
    """Debian's nginx leaves it there when it is purged; any other file there is somebody's."""
    page = Path("/var/www/html/index.nginx-debian.html")
    page.unlink(missing_ok=True)
    for folder in page.parents[:2]:
        try:
            folder.rmdir()
        except OSError:
            return  # it holds something, or is not there


def installed(name: str) -> bool:
    """Whether a package is there."""
    argv = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", name]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.startswith("ii")


def run(*argv: str) -> str:
    """What a program says; its words are shown when it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def say(text: str) -> None:
    """One line."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
