# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no image passes through: once, in the machine's name, as long as the owner takes, no token in a log."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.caches.machine import Broken, Machine, ask
from tests.caches.place import FULL, MACHINES, STRANGER, VERSION, Cache, Owner, until

NAME, TOKEN = "m1", "0123456789abcdef" * 2
PUT = f"/reports/{NAME}.{TOKEN}.begun"


@pytest.fixture
def armed(owner: Owner, cache: Cache) -> str:
    """The token of a machine that is armed."""
    owner.offer(NAME, cache.url)
    return owner.box.of(NAME).token


def test_seeds_are_asked_each_time(owner: Owner, cache: Cache, armed: str) -> None:
    url = f"{cache.url}/machines/{NAME}/{armed}/user-data"
    assert ask(url)[1] == f"{NAME} user-data {armed}\n".encode()
    (owner.top / f"root/http/machines/{NAME}/{armed}/user-data").write_text("other\n")
    assert ask(url)[1] == b"other\n"
    owner.box.do("disarm", NAME)
    assert ask(url)[0] == 404
    assert list(cache.kept.rglob("*")) == []


@pytest.mark.usefixtures("armed")
def test_no_token_is_in_a_log(tmp_path: Path, owner: Owner, cache: Cache, armed: str) -> None:
    machine = Machine(tmp_path / "machine", owner.box.macs[NAME], cache.url)
    assert machine.boot() == "installed"
    until(lambda: owner.box.of(NAME).state == "up")
    owner.kill()
    paths = (f"machines/{NAME}/{armed}/user-data", f"x/{armed}", f"machines/{NAME}/{armed.upper()}/receipt")
    for path in (
        *paths,
        f"reports/{NAME}.{armed}.failed",
        f"x?{armed}",
        f"machines%2f{NAME}/{armed}/user-data",
    ):
        for method in ("GET", "PUT", "POST", "DELETE"):
            ask(f"{cache.url}/{path}", method, b"x" * 2_000_000 if method == "PUT" else b"x")
    served = f'"GET /machines/{NAME}/-/user-data HTTP'
    until(lambda: sum(served in line for line in cache.log("served.log")) == 2)
    assert [path.name for path in (cache.top / "log").iterdir() if armed in path.read_text().lower()] == []


def test_hits_can_be_counted(owner: Owner, cache: Cache) -> None:
    owner.add(VERSION, {"vmlinuz": b"kernel"})
    for _time in range(3):
        ask(f"{cache.url}/images/noble/{VERSION}/vmlinuz")
    ask(f"{cache.url}/images/noble/{VERSION}/manifest.json")
    until(lambda: len(cache.log("served.log")) == 4)
    # several processes of nginx's write them, each after its answer, so they may stand in another order
    served = sorted(line.split()[3:6] for line in cache.log("served.log"))
    assert served[0][:2] == ["-", "200"]
    assert served[1:] == [["HIT", "200", "6"], ["HIT", "200", "6"], ["MISS", "200", "6"]]
    until(lambda: [line.split()[2:4] for line in cache.log("kept.log")] == [["206", "6"]])


class Ear:
    """An owner that says all that it hears, and then does as it is told."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.heard = answer, list[bytes]()
        self.server = socket.create_server((FULL, 80))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                link = self.server.accept()[0]
            except OSError:
                return
            with link:
                said = b""
                while b"\r\n\r\n" not in said:
                    said += link.recv(1 << 16)
                head, _space, body = said.partition(b"\r\n\r\n")
                size = next(
                    (int(one[16:]) for one in head.split(b"\r\n") if one.startswith(b"Content-Length: ")), 0
                )
                while len(body) < size:
                    body += link.recv(1 << 16)
                self.heard.append(head + b"\r\n\r\n" + body)
                link.sendall(self.answer)

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def test_who_asks_is_told_and_nobody_is_believed(tmp_path: Path) -> None:
    ear = Ear(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    with Cache(tmp_path / "cache", owner=f"{FULL}:80") as cache:
        for source in MACHINES:
            for method, path in (
                ("GET", "/grub/grub.cfg"),
                ("PUT", PUT),
                ("POST", f"/progress/{NAME}.{TOKEN}"),
            ):
                ask(
                    f"{cache.url}{path}",
                    method,
                    b"" if method == "GET" else b"x",
                    source,
                    X_Real_IP="192.0.2.1",
                )
    ear.close()
    told = [
        line for said in ear.heard for line in said.decode().split("\r\n") if line.startswith("X-Real-IP")
    ]
    assert told == [f"X-Real-IP: {source}" for source in MACHINES for _method in range(3)]


@pytest.mark.parametrize(("method", "path"), [("PUT", PUT), ("POST", f"/progress/{NAME}.{TOKEN}")])
def test_nothing_is_told_twice(tmp_path: Path, method: str, path: str) -> None:
    """An owner that takes it, and dies before it answers."""
    ear = Ear(b"")
    with Cache(tmp_path / "cache", owner=f"{FULL}:80") as cache:
        status, _body, _headers = ask(f"{cache.url}{path}", method, b"x" * 10_000)
    ear.close()
    assert status == 502
    assert [said.count(b"x" * 10_000) for said in ear.heard] == [1]


@pytest.mark.parametrize(
    ("ask_for", "size"),
    [
        ("PUT /reports/{}.{}.installed", 64 * 1024),
        ("POST /reports/{}.{}.up", 8192),
        ("POST /progress/{}.{}", 16 * 1024),
    ],
)
def test_the_owner_says_how_long_a_report_may_be(
    owner: Owner, cache: Cache, armed: str, ask_for: str, size: int
) -> None:
    owner.is_held = True
    method, path = ask_for.split()
    url = cache.url + path.format(NAME, armed)
    assert ask(url, method, b"x" * size)[0] in (201, 204)
    for url in (cache.url + path.format(NAME, armed), owner.url + path.format(NAME, armed)):
        try:
            assert ask(url, method, b"x" * (size + 1))[0] == 413
        except Broken:  # nginx closes while the body is still on its way
            assert url.startswith(owner.url)


def test_what_the_owner_does_not_take_does_not_get_as_far(owner: Owner, cache: Cache) -> None:
    for method, path in (
        *(("DELETE", "/x"), ("POST", "/images/x"), ("PUT", "/x"), ("MKCOL", PUT), ("POST", PUT)),
        *(("PUT", f"/images/noble/{VERSION}/vmlinuz"), ("PUT", f"/machines/{NAME}/{TOKEN}/user-data")),
    ):
        assert ask(f"{cache.url}{path}", method, b"x")[0] in (403, 405), (method, path)
    assert ask(f"{cache.url}/x", source=STRANGER)[0] == 403
    assert ask(f"{cache.url}/images/noble/{VERSION}/noble.iso", source=STRANGER)[0] == 403
    assert [line for line in owner.log("access.log") if not line.endswith('"-"')] == []
