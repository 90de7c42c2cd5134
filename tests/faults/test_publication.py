# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes, the disk is full or read-only, while the server's program hands out what the plan says."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from tests.faults.box import OTHERS, WRITTEN, Box, Seen, wait

POINTS = 20
# Another version of every entry and seed: what a run of the playbook changes.
BUMP = """
import glob, os, re, sys
for pattern in ("boot/*/*/*/*", "boot/*/*/*/*/*", "seed/*/user-data"):
    for path in glob.glob(top + "/plan/" + pattern):
        if os.path.isfile(path):
            text = re.sub("# version .*\\n", "", open(path).read())
            open(path, "w").write(text + "# version %d END\\n" % version)
print("null")
"""
# What is served: the versions that were seen, and files that are not whole.
SERVED = """
import glob, json, re
versions, broken = set(), []
for pattern in ("tftp/pxelinux.cfg/01-*", "http/grub/machines/*", "http/machines/*/*/user-data"):
    for path in glob.glob(top + "/" + pattern):
        text = open(path).read()
        found = re.search(r"# version (\\d+) END\\n$", text)
        local = "LOCALBOOT" in text or "chainloader" in text
        if not local:
            versions.add(int(found[1]) if found else -1)
        if not text.endswith("\\n") or not text.startswith("#") or text.count("# version") > 1:
            broken.append(path)
print(json.dumps([sorted(versions), broken]))
"""


def bump(box: Box, version: int, top: str = "/var/lib/netboot") -> None:
    box.python(f"top, version = {top!r}, {version}\n{BUMP}")


def served(box: Box, top: str = "/srv/netboot") -> list[int]:
    versions, broken = box.python(f"top = {top!r}\n{SERVED}")
    assert broken == []
    return [int(version) for version in versions]


LEFT = f"find /srv/netboot /var/lib/netboot {WRITTEN}"


@contextlib.contextmanager
def held(box: Box) -> Iterator[None]:
    """Nothing takes reports by itself meanwhile. At the end everything runs again, also what was killed."""
    box.sh("systemctl stop netboot-reports.path netboot-expire.timer")
    try:
        yield
    finally:
        box.sh(
            "systemctl reset-failed; "
            "systemctl start netboot-nginx netboot-dnsmasq ssh netboot-reports.path netboot-expire.timer"
        )


def cut_at(box: Box, moment: float, report: str) -> bool:
    """Publish, and let everything that runs on the server end at that moment; whether that came before the end."""
    done = box.sh(
        f"echo x >/var/spool/netboot/reports/{report}\nnetboot publish & sleep {moment:.3f}; kill -9 -1; jobs -r",
        check=False,
    )
    return "changed" not in done


def test_power_cut_at_twenty_points_of_a_publication(box: Box, seen: Seen) -> None:
    box.allowed = set(OTHERS[:POINTS])
    tokens = box.tokens(OTHERS[:POINTS])
    cut = 0
    with held(box):
        bump(box, 1)
        took = "s=$(date +%s%N); netboot publish >/dev/null; e=$(date +%s%N); echo $(((e-s)/1000000))"
        whole = float(box.sh(took)) / 1000
        for point, name in enumerate(OTHERS[:POINTS]):
            bump(box, point + 2)
            moment = whole * (point + 0.5) / POINTS
            cut += cut_at(box, moment, f"{name}.{tokens[name]}.installed")  # one that reports just then
            found = served(box)
            assert set(found) <= {point + 1, point + 2}, f"cut at {moment:.3f} s: {found}"
            box.entries()  # each is whole; those of one machine may be halfway, one taken away and the other not yet
            box.sh("systemctl start netboot-publish")
            assert served(box) == [point + 2]
            assert box.offered()[name] == "-"
            assert box.states()[name] == "installed"
            # the page is written twice a minute, perhaps just now; one that was killed is completed the next time
            with contextlib.suppress(AssertionError):
                wait(lambda: box.sh(LEFT) == "", 60)
            assert box.sh(LEFT) == ""
    assert cut >= POINTS // 2, f"only {cut} of {POINTS} came before the end"
    seen(
        f"nothing; at its next start the server completes what was begun ({cut} of {POINTS} cuts came in the middle)"
    )


def small(box: Box, size: str) -> str:
    """A server of its own in a file system that can be full or read-only; its command line."""
    box.sh(
        f"""set -e
        mkdir -p /mnt/small; mount -t tmpfs -o size={size} tmpfs /mnt/small
        mkdir -p /mnt/small/root/tftp /mnt/small/root/http /mnt/small/spool/reports /mnt/small/spool/fetched
        cp -a /srv/netboot/http/machines /mnt/small/root/http # else nobody would count as armed
        cp -a /var/lib/netboot /mnt/small/state; rm -rf /mnt/small/state/served.json
        echo '{{"root": "/mnt/small/root", "state": "/mnt/small/state", "spool": "/mnt/small/spool"}}' >/etc/small.json
        netboot --settings /etc/small.json publish"""
    )
    return "netboot --settings /etc/small.json"


def test_disk_full_when_the_plan_is_handed_out(box: Box, seen: Seen) -> None:
    command = small(box, "40m")
    try:
        before = served(box, "/mnt/small/root")
        bump(box, 99, "/mnt/small/state")
        box.sh("dd if=/dev/zero of=/mnt/small/filler bs=4k status=none", check=False)
        said = box.sh(f"{command} publish; {command} arm m000", check=False)
        assert "No space left on device" in said
        assert "Traceback" not in said
        assert served(box, "/mnt/small/root") == before
        box.sh(f"rm /mnt/small/filler; {command} publish")
        assert served(box, "/mnt/small/root") == [99]
        seen(said.splitlines()[0])
    finally:
        box.sh("umount /mnt/small", check=False)


def test_read_only_file_system(box: Box, seen: Seen) -> None:
    command = small(box, "40m")
    try:
        token = box.tokens(["m000"])["m000"]
        box.sh(f"echo x >/mnt/small/spool/reports/m000.{token}.installed; mount -o remount,ro /mnt/small")
        said = box.sh(f"{command} reports", check=False)
        assert "Read-only file system" in said
        assert "Traceback" not in said
        box.sh(f"mount -o remount,rw /mnt/small; {command} reports")  # the report is still there
        assert json.loads(box.sh(f"{command} status --json m000"))[0]["state"] == "installed"
        seen(said.splitlines()[0])
    finally:
        box.sh("umount /mnt/small", check=False)
