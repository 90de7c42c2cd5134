# SPDX-License-Identifier: GPL-3.0-or-later
"""Each package is fetched once, by real apt; what changes is seen at once; nobody else is served."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.mirror.web import Web
from tests.packages.archive import Archive
from tests.packages.conftest import PACKAGES
from tests.packages.place import SERVER, Cache, Machine, Names, all_at_once

New = Callable[..., Machine]
DEBS = [f"{name}_1_all.deb" for name in PACKAGES]


def sent(mirror: Web) -> Counter[str]:
    """Bytes of each file that the mirror has sent, by its own log."""
    bytes_: Counter[str] = Counter()
    for line in mirror.asked():
        _method, path, _status, size, *_range = line.split()
        bytes_[path.rpartition("/")[2]] += int(size)
    return bytes_


@pytest.mark.usefixtures("names", "cache")
def test_ten_installations_fetch_each_package_once(tmp_path: Path, archive: Archive, machine: New) -> None:
    """At once, by a line that takes longer for the large one than apt waits for a first byte."""
    machines = [machine(f"m{number}") for number in range(10)]
    with Web(tmp_path / "web", archive.root, "limit_rate 290k;", port=80) as mirror:
        ended = all_at_once(machines, *PACKAGES)
        there = sent(mirror)
    assert [said for code, said in ended if code] == []
    assert [one.fetched() for one in machines] == [DEBS] * 10
    sizes = {path.name: path.stat().st_size for path in archive.pool.glob("*.deb")}
    print("mirror sent / size:", {name: there[name] / size for name, size in sizes.items()})
    assert {name: there[name] for name in sizes} == sizes
    assert sum(there.values()) < 1.1 * sum(sizes.values())  # lists, too


@pytest.mark.usefixtures("names", "cache")
def test_the_installed_system_asks_its_ordinary_sources(mirror: Web, machine: New) -> None:
    one = machine("m", autoinstall={"apt": {"conf": 'APT::Install-Recommends "false";'}})
    assert one.install("few")[0] == 0
    assert f'"http://{SERVER}/"' in one.run("apt-config", "dump")[1]
    one.late_commands()
    assert "Proxy" not in one.run("apt-config", "dump")[1]
    assert one.conf.read_text() == 'APT::Install-Recommends "false";\n'
    plain = machine("plain")
    plain.late_commands()
    assert not plain.conf.exists()
    assert mirror.asked()


def test_it_stays_where_that_is_wanted(machine: New) -> None:
    one = machine("m", keep_apt_cache=True)
    one.late_commands()
    assert f'Acquire::http::Proxy "http://{SERVER}/";' in one.run("apt-config", "dump")[1]


@pytest.mark.parametrize("away", ["mirror", "names", "both", "ill"])
def test_what_is_kept_installs_without_the_mirror(
    names: Names, mirror: Web, cache: Cache, machine: New, away: str
) -> None:
    assert machine("first").install(*PACKAGES)[0] == 0
    cache.kill()
    cache.start()  # a server that was switched off has it all the same
    time.sleep(2.1)  # lists are asked for anew
    if away != "names":
        mirror.__exit__()
    if away in ("names", "both"):
        names.__exit__()
    second = machine("second")
    with Web(cache.top / "ill", cache.top, "return 503;", port=80) if away == "ill" else nullcontext():
        assert second.install(*PACKAGES)[0] == 0
    assert second.fetched() == DEBS
    code, said = machine("third", mirror="http://ports.ubuntu.com/other").install("few")
    assert code == 100
    assert "502" in said


@pytest.mark.usefixtures("names", "cache")
def test_a_mirror_that_changed_is_seen_at_once(archive: Archive, mirror: Web, machine: New) -> None:
    old = machine("old")
    assert old.install("few")[0] == 0
    time.sleep(2.1)  # web servers tell versions of a file apart by its second and size
    archive.add("few", "2")
    archive.publish()
    new = machine("new")
    assert new.install("few")[0] == 0
    assert new.fetched() == ["few_2_all.deb"]
    late = machine("late")  # with the lists of before, as a machine that is being installed meanwhile
    for path in (old.top / "state/lists").glob("*_*"):
        (late.top / "state/lists" / path.name).write_bytes(path.read_bytes())
    assert late.run("apt-get", "download", "few")[0] == 0
    assert late.fetched() == ["few_1_all.deb"]
    time.sleep(2.1)
    before = len(mirror.asked())
    assert machine("same").install("few")[0] == 0
    (asked,) = mirror.asked()[before:]  # whether the list is still the same, and no more
    assert asked.split()[1:4] == ["/ubuntu/dists/noble/InRelease", "304", "0"]


@pytest.mark.usefixtures("names")
def test_mirrors_of_the_users_are_asked_for_each_package(
    tmp_path: Path, archive: Archive, mirror: Web, machine: New
) -> None:
    """They may give other content the same name."""
    uri = "http://mirror.lan/ubuntu"
    settings = {"autoinstall": {"apt": {"primary": [{"arches": ["default"], "uri": uri}]}}}
    listed = [{"name": "m", "mac": "any", **settings}]
    with Cache(tmp_path / "server", netboot_machines=listed, pxe_http_apt_hosts=["also.lan"]):
        for number in range(2):
            assert machine(f"m{number}", mirror=uri, **settings).install("few")[0] == 0
        assert machine("also", mirror="http://also.lan/ubuntu").install("few")[0] == 0
        size = (archive.pool / "few_1_all.deb").stat().st_size
        assert sent(mirror)["few_1_all.deb"] == 2 * size  # for each mirror once
        archive.add("few", "1", size=50_000)
        archive.publish()
        time.sleep(2.1)
        assert machine("after", mirror=uri).install("few")[0] == 0


@pytest.mark.usefixtures("names", "mirror")
@pytest.mark.parametrize(
    ("request_", "host"),
    [
        ("GET http://example.org/ubuntu/dists/noble/InRelease HTTP/1.1", "example.org"),
        ("GET http://archive.ubuntu.com:25/x HTTP/1.1", "archive.ubuntu.com:25"),
        ("GET http://archive.ubuntu.com/x HTTP/1.1", "example.org"),
        ("GET http://example.org/x HTTP/1.1", "archive.ubuntu.com"),
        ("GET http://evil.archive.ubuntu.com/x HTTP/1.1", "evil.archive.ubuntu.com"),
        ("GET https://archive.ubuntu.com/x HTTP/1.1", "example.org"),
        ("GET http://127.0.0.1/x HTTP/1.1", "127.0.0.1"),
    ],
)
def test_it_is_a_proxy_for_mirrors_alone(cache: Cache, mirror: Web, request_: str, host: str) -> None:
    answer = cache.ask(request_, f"Host: {host}")
    assert answer.startswith("HTTP/1.1 403 ")
    assert "is none of the mirrors that this server keeps packages of (netboot_apt_cache)." in answer
    assert mirror.asked() == []


@pytest.mark.usefixtures("names")
def test_only_reading_and_only_the_boot_network(cache: Cache, mirror: Web) -> None:
    path = "http://archive.ubuntu.com/ubuntu/dists/noble/InRelease HTTP/1.1"
    host = "Host: archive.ubuntu.com"
    for method, status in (("PUT", "403"), ("POST", "403"), ("DELETE", "403")):
        assert cache.ask(f"{method} {path}", host, "Content-Length: 0").split()[1] == status
    assert cache.ask("CONNECT archive.ubuntu.com:443 HTTP/1.1", host).split()[1] in ("400", "405")
    assert cache.ask(f"GET {path}", host, source="198.51.100.7").split()[1] == "403"
    assert mirror.asked() == []
    assert cache.ask(f"GET {path}", host).split()[1] == "200"


def test_what_is_the_servers_own_is_served_as_ever(cache: Cache) -> None:
    (cache.root / "http/images/x").write_text("an image")
    for place in ("/images/x", f"http://{SERVER}/images/x"):
        assert cache.ask(f"GET {place} HTTP/1.1", f"Host: {SERVER}").endswith("an image")


@pytest.mark.usefixtures("names")
def test_what_needs_a_password_is_not_kept(cache: Cache, mirror: Web) -> None:
    lines = (
        "GET http://archive.ubuntu.com/ubuntu/pool/main/few_1_all.deb HTTP/1.1",
        "Host: archive.ubuntu.com",
    )
    login = "Authorization: Basic bWU6bWU="
    for _time in range(2):
        assert cache.ask(*lines, login).split()[1] == "200"
    assert len(mirror.asked()) == 2
    assert [path for path in cache.packages.rglob("*") if path.is_file()] == []
    for words in (lines, lines, (*lines, login)):  # what is kept is for those without a password
        assert cache.ask(*words).split()[1] == "200"
    assert len(mirror.asked()) == 4


def test_a_name_that_leads_back_here_is_no_circle(cache: Cache) -> None:
    with Names(SERVER):
        answer = cache.ask("GET http://archive.ubuntu.com/x HTTP/1.1", "Host: archive.ubuntu.com")
    assert answer.startswith("HTTP/1.1 508 ")
    assert len((cache.top / "log/apt.log").read_text().splitlines()) == 2
