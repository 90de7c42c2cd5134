# SPDX-License-Identifier: GPL-3.0-or-later
"""All runs, told in their order: a bare server, looked at, set up, looked at again, changed; one with more machines."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator

import pytest
import testinfra

from tests.check_mode import PASSWORD, Snapshot
from tests.servers import PREFIX, ansible_playbook

#: Where the roles write, and nobody else: what packages bring is shown as packages.
PLACES = (
    "/etc/netboot",
    "/etc/logrotate.d/netboot",
    "/etc/systemd/system/",
    "/srv/netboot/",
    "/usr/local/",
    "/var/lib/netboot/",
    "/var/spool/netboot/",
)
#: Other settings, of every role, for the second half.
CHANGED = {
    "netboot_http_port": 8080,
    "netboot_kernel_args": ["console=ttyS1"],
    "netboot_uefi": "never",
    "pxe_http_report_burst": 21,
    "machine_states_hours": 5,
    "netboot_status_page": False,
}
#: An image more, which cannot be judged before it is there.
MORE_IMAGES = {
    "netboot_images": {name: {"path": "/var/tmp/test.iso"} for name in ("focal", "other")},
    "netboot_image": "focal",
}


@dataclass
class Seen:
    """What site.yml said in each run, what two of them wrote, and what those in check mode touched."""

    said: dict[str, str] = field(default_factory=dict)
    written: dict[str, set[str]] = field(default_factory=dict)
    content: dict[str, dict[str, str]] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)


def site(host: Any, *options: str, status: Any = 0, **variables: Any) -> str:
    """Run site.yml for this server and return what it says."""
    more = json.dumps({"netboot_password_hash": PASSWORD, **variables})
    return play(host, "site.yml", *options, "-e", more, status=status)


def play(host: Any, playbook: str, *options: str, status: Any = 0) -> str:
    """Run a playbook for this server and return what it says."""
    done = ansible_playbook(host, playbook, *options)
    said = done.stdout + done.stderr
    assert done.returncode == status, said[-6000:]
    return said


@contextmanager
def deaf(host: Any, unit: str) -> Iterator[None]:
    """Keep a service from answering, though it runs, and systemd takes it for active."""
    host.run_expect([0], f"systemctl kill --signal=STOP {unit}")
    try:
        assert host.check_output(f"systemctl is-active {unit}") == "active"
        yield
    finally:
        host.run_expect([0], f"systemctl kill --signal=CONT {unit}")


def contents(host: Any, paths: set[str]) -> dict[str, str]:
    """The texts of small files; those that went are left out."""
    program = (
        "import json, os, sys\n"
        "paths = [p for p in json.loads(sys.argv[1]) if os.path.isfile(p) and os.path.getsize(p) < 1 << 16]\n"
        "print(json.dumps({p: open(p, errors='replace').read() for p in paths}))"
    )
    text = host.check_output("python3 -c %s %s", program, json.dumps(sorted(paths)))
    found: dict[str, str] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def seen(host: Any, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Do it all, once; the tests look at what was seen."""
    story = Seen()

    def look(name: str, *options: str, **variables: Any) -> None:
        before = Snapshot.of(host)
        story.said[name] = site(host, "--check", "--diff", *options, **variables)
        story.touched += Snapshot.of(host).differences(before)

    def do(name: str, *options: str, **variables: Any) -> None:
        before = Snapshot.of(host)
        story.said[name] = site(host, "--diff", *options, **variables)
        story.written[name] = Snapshot.of(host).changed_since(before, PLACES)
        story.content[name] = contents(host, story.written[name])

    def many() -> dict[str, str]:
        first = site(other, f"--inventory={more}")
        return {
            "first, 23 machines": first,
            "later, 23 machines": site(other, f"--inventory={more}", **CHANGED),
        }

    # the package lists are as old as those of a server that is looked at now and then
    host.run_expect(
        [0], "touch -d '2 days ago' /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp"
    )
    other = testinfra.get_host(f"podman://{PREFIX}check_mode-bookworm")
    more = tmp_path_factory.mktemp("more") / "more.json"
    more.write_text(json.dumps({"netboot_machines": {"hosts": machines(20)}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSIBLE_NOCOLOR", "true")
        patch.setenv("ANSIBLE_FORCE_COLOR", "false")
        patch.setenv("ANSIBLE_DISPLAY_SKIPPED_HOSTS", "true")  # they are results, too
        with ThreadPoolExecutor() as pool:  # the two servers know nothing of each other
            done = pool.submit(many)
            look("bare")
            do("first", "-vvv")
            story.said["again"] = site(host)
            for unit in ("netboot-nginx", "netboot-dnsmasq"):
                with deaf(host, unit):
                    story.said[unit] = site(host, status=2)
            look("image", **MORE_IMAGES)
            look("changed", "-vvv", **CHANGED)
            do("later", **CHANGED)
            story.said.update(done.result())
            prove(host, story)
    return story


def prove(host: Any, story: Seen) -> None:
    """Read all images: as they are, with a byte that a disk changed, which `site` does not see, and mended."""
    folder = host.check_output("readlink -f /srv/netboot/http/images/focal/current")
    story.said["manifest"] = host.check_output(
        "python3 -c %s",
        "import urllib.request as web\n"
        "print(web.urlopen('http://192.168.1.50:8080/images/focal/current/manifest.json').read().decode())",
    )
    before = Snapshot.of(host)
    story.said["proved"] = play(host, "homelab.netboot.verify_images", "-e", "image=focal")
    story.touched += Snapshot.of(host).differences(before)
    rot = (
        "import os, sys\nwith open(sys.argv[1], 'r+b') as file:\n"
        "    info = os.fstat(file.fileno())\n    byte = file.read(1)\n    file.seek(0)\n"
        "    file.write(bytes([byte[0] ^ 1]))\n"
        "os.utime(sys.argv[1], ns=(info.st_atime_ns, info.st_mtime_ns))"
    )
    host.check_output("python3 -c %s %s", rot, f"{folder}/initrd")
    story.said["rotten"] = play(host, "homelab.netboot.verify_images", status=2)
    host.run_expect([0], f"rm -r {folder}")
    site(host, **CHANGED)
    story.said["mended"] = play(host, "homelab.netboot.verify_images")


def machines(count: int) -> dict[str, Any]:
    """So many machines beside the three of all scenarios."""
    return {f"more{number:02}": {"netboot_mac": f"52:54:00:00:00:{number:02x}"} for number in range(count)}
