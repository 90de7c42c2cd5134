# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache's disk is full, it is killed in the middle, the mirror sends what is wrong, there is no network yet."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.common import run
from tests.mirror.web import Web
from tests.packages.archive import Archive
from tests.packages.conftest import PACKAGES
from tests.packages.place import SERVER, TOP, Cache, Machine, rendered

New = Callable[..., Machine]
pytestmark = pytest.mark.usefixtures("names")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 14 MB where the server's folder is."""
    folder = tmp_path / "server/srv"
    folder.mkdir(parents=True)
    run("mount", "-t", "tmpfs", "-o", "size=14m", "none", folder)
    yield folder
    run("umount", folder)


@pytest.mark.usefixtures("mirror")
def test_more_than_the_disk_holds(tmp_path: Path, small: Path, archive: Archive, machine: New) -> None:
    """What was not asked for longest goes in time; nginx looks every ten seconds."""
    several = [f"p{number}" for number in range(6)]
    for name in several:
        archive.add(name, size=3_000_000)
    archive.publish()
    with Cache(tmp_path / "server", pxe_http_apt_free="7m"):
        one = machine("m")
        for first, second in zip(several[::2], several[1::2], strict=True):
            assert one.install(first, second)[0] == 0
            time.sleep(0 if second == several[-1] else 11)
        assert one.fetched() == [f"{name}_1_all.deb" for name in several]


@pytest.mark.usefixtures("mirror")
def test_a_disk_that_others_have_filled(tmp_path: Path, small: Path, machine: New) -> None:
    with Cache(tmp_path / "server"):
        one = machine("m")
        assert one.install("few")[0] == 0
        filler = small / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(small).free))
        code, said = machine("other").install("large")
        assert code == 100
        print(said)
        filler.unlink()
        other = machine("later")
        assert other.install(*PACKAGES)[0] == 0
        assert len(other.fetched()) == 4


def test_killed_in_the_middle(tmp_path: Path, archive: Archive, machine: New) -> None:
    """Nothing that is not whole is handed out later; what was whole is not fetched again."""
    slow = Web(tmp_path / "web", archive.root, "limit_rate 3m;", port=80)
    with slow, Cache(tmp_path / "server") as cache:
        one = machine("m")
        assert one.install("few")[0] == 0
        process = one.start("apt-get", "download", "large")
        end = time.monotonic() + 30
        while not any(
            "large" in line for line in slow.asked()
        ):  # its first slice is kept, the second on its way
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.3)
        cache.kill()
        process.communicate(timeout=60)
        assert process.returncode == 100
        cache.start()
        assert one.run("apt-get", "download", "large")[0] == 0
        other = machine("other")
        assert other.install(*PACKAGES)[0] == 0
        whole = [
            line for line in slow.asked() if "large" in line and line.split()[4].endswith("bytes=0-4194303")
        ]
        assert len(whole) == 1


@pytest.mark.usefixtures("cache", "mirror")
def test_a_mirror_that_sends_what_is_wrong(cache: Cache, archive: Archive, machine: New) -> None:
    """apt refuses it. It stays until the folder of packages is emptied, which the troubleshooting page tells."""
    deb = archive.pool / "few_1_all.deb"
    good = deb.read_bytes()
    deb.write_bytes(good[:-1] + b"x")
    for name in ("first", "second"):
        code, said = machine(name).install("few")
        assert code == 100
        assert "Hash Sum mismatch" in said
        deb.write_bytes(good)
    shutil.rmtree(cache.packages)
    cache.packages.mkdir()
    assert machine("third").install("few")[0] == 0


@pytest.mark.usefixtures("mirror")
def test_a_server_that_has_no_network_when_it_starts(tmp_path: Path, machine: New) -> None:
    """Its own files are served, and packages when the name servers are known."""
    with Cache(tmp_path / "server", pxe_http_resolvers=[]) as cache:
        (cache.root / "http/images/x").write_text("an image")
        assert cache.ask("GET /images/x HTTP/1.1", f"Host: {SERVER}").endswith("an image")
        code, said = machine("m").install("few")
        assert code == 100
        assert "502" in said
        (tmp_path / "server/run/resolver").write_text("resolver 127.0.0.1 ipv6=off;\n")
        cache.process.send_signal(1)
        time.sleep(1)
        assert machine("other").install("few")[0] == 0


@pytest.mark.parametrize(
    ("hosts", "written"),
    [
        (
            "search lan\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\nnameserver 9.9.9.9\n",
            "resolver 192.168.1.1 9.9.9.9 ipv6=off;\n",
        ),
        ("nameserver ::1\n", ""),
        (None, ""),
    ],
)
def test_name_servers_are_those_of_the_host(tmp_path: Path, hosts: str | None, written: str) -> None:
    """The command of the unit, which may fail ("-"), by the real awk."""
    settings = {"pxe_http_resolvers": [], "__netboot_service": "{{ __pxe_http_service }}"}
    unit = rendered(json.dumps(settings), "../../netboot/templates/netboot-nginx.service.j2")
    before, again = re.findall(r"^Exec(?:StartPre|Reload)=-(.*)$", unit, re.MULTILINE)
    assert before == again
    for place in ("run", "etc"):
        (tmp_path / place).mkdir()
    if hosts is not None:
        (tmp_path / "etc/resolv.conf").write_text(hosts)
    *argv, script = shlex.split(before)  # in double quotes systemd reads it as a shell does, but for $$
    script = script.replace("$$", "$").replace("/etc/", f"{tmp_path}/etc/").replace(TOP, str(tmp_path))
    done = subprocess.run([*argv, script], check=False)
    assert (done.returncode == 0) == (hosts is not None)
    assert (tmp_path / "run/resolver").read_text() == written


@pytest.mark.usefixtures("mirror")
def test_a_cache_that_is_away(machine: New) -> None:
    code, said = machine("m").install("few")
    assert code == 100
    assert f"Could not connect to {SERVER}:80" in said
