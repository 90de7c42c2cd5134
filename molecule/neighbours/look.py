# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what the services of the host's owner are, and what they answer: look.py."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import struct
import subprocess
import urllib.error
import urllib.request

ADDRESS = "192.168.1.50"
PORTS = (80, 8080, 8081, 8082, 8083)
#: Those of them that are installed.
UNITS = (
    "apache2.service",
    "caddy.service",
    "dnsmasq.service",
    "nginx.service",
    "systemd-resolved.service",
    "virtual.service",
)
PROPERTIES = ("MainPID", "ActiveState", "ActiveEnterTimestampMonotonic", "UnitFileState", "NRestarts", "Nice")
PLACES = (
    "/etc/apache2",
    "/etc/caddy",
    "/etc/default/dnsmasq",
    "/etc/dnsmasq.conf",
    "/etc/dnsmasq.d",
    "/etc/logrotate.d/nginx",
    "/etc/nginx",
    "/etc/resolv.conf",
    "/etc/systemd/resolved.conf.d",
    "/etc/systemd/system/nginx.service.d",
    "/etc/systemd/system/virtual.service",
    "/home",
    "/srv/site",
)
#: A question for the address of nas.home (RFC 1035, section 4.1).
QUESTION = b"\x2a\x2a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03nas\x04home\x00\x00\x01\x00\x01"


def units() -> dict[str, str]:
    """What systemd says of each service."""
    ask = ["systemctl", "show", *(f"--property={name}" for name in PROPERTIES)]
    said = {unit: subprocess.check_output([*ask, unit], text=True) for unit in UNITS}
    return {unit: text for unit, text in said.items() if "UnitFileState=\n" not in text}


def files() -> dict[str, list[object]]:
    """Every file and folder of theirs, with all that would tell that somebody wrote it."""
    paths = []
    for place in PLACES:
        paths.append(place)
        paths += [
            os.path.join(top, name) for top, folders, names in os.walk(place) for name in folders + names
        ]
    return {path: _file(path) for path in sorted(paths) if os.path.lexists(path)}


def _file(path: str) -> list[object]:
    state, digest = os.lstat(path), ""
    if os.path.isfile(path):
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    return [digest, oct(state.st_mode), state.st_uid, state.st_gid, state.st_ino, state.st_ctime_ns]


def names(server: str) -> str:
    """The address in the answer to QUESTION; the reason when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        try:
            asking.sendto(QUESTION, (server, 53))
            return asking.recv(512)[len(QUESTION) :][12:16].hex()
        except OSError as error:
            return str(error)


def address() -> list[str]:
    """Who offers which address to a virtual machine (RFC 2131, section 2)."""
    head = struct.pack("!BBBB4sHH16s16s192s", 1, 1, 6, 0, b"look", 0, 0x8000, b"", b"RT\x00\x00\x00\x01", b"")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"virbr0")
        asking.settimeout(5)
        asking.bind(("", 68))
        asking.sendto(head + b"\x63\x82\x53\x63\x35\x01\x01\xff", ("255.255.255.255", 67))
        answer, (server, _port) = asking.recvfrom(2048)
        return [server, socket.inet_ntoa(answer[16:20])]


def page(port: int) -> list[object]:
    """A site's first page with its head; the reason when there is none."""
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}:{port}/", timeout=5) as answer:
            head = {name: value for name, value in answer.headers.items() if name != "Date"}
            return [answer.status, head, answer.read().decode()]
    except urllib.error.URLError as error:
        return [str(error.reason)]


if __name__ == "__main__":
    answers = {
        "names": names(ADDRESS),
        "resolved": names("127.0.0.53"),
        "address": address(),
        **{str(port): page(port) for port in PORTS},
    }
    print(json.dumps({"units": units(), "files": files(), "answers": answers}))
