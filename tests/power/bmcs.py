# SPDX-License-Identifier: GPL-3.0-or-later
"""BMCs that others wrote: sushy-tools' for Redfish, OpenIPMI's for IPMI. Each is a process on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bcrypt

USER, PASSWORD = "admin", "pass-of-the-bmc"

_REDFISH = """
import logging, random
logging.basicConfig(level=logging.DEBUG)
random.randint = lambda least, most: least  # its machines take 1 to 11 seconds to switch
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_AUTH_FILE = {auth!r}
SUSHY_EMULATOR_STATE_DIR = {top!r}
SUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}
SUSHY_EMULATOR_LISTEN_IP = "127.0.0.1"
SUSHY_EMULATOR_LISTEN_PORT = {port}
SUSHY_EMULATOR_SSL_CERT = {cert!r}
SUSHY_EMULATOR_SSL_KEY = {key!r}
"""
_IPMI = """
name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 {port}
  priv_limit admin
  allowed_auths_user md5
  allowed_auths_operator md5
  allowed_auths_admin md5
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{top}/chassis 0x20"
user 2 true "{user}" "{password}" admin 10 md5
"""
_IPMI_COMMANDS = """
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""
# get NAME … answers NAME:VALUE, set NAME VALUE … keeps it; ipmi_sim's own way to whatever it controls
_CHASSIS = """#!/bin/sh
cd {top} || exit 1
shift
do=$1
shift
if [ "$do" = set ]; then
  if [ -e stuck ]; then exit 1; fi
  echo "$*" >>said
fi
while [ $# -gt 0 ]; do
  if [ "$do" = get ]; then echo "$1:$(cat "$1")"; else echo "$2" >"$1"; shift; fi
  shift
done
"""


class Bmc:
    """A process that answers on a port of 127.0.0.1, with files of its own."""

    kind = ""

    def __init__(self, top: Path, **machines: bool) -> None:
        """machines: name=runs."""
        self.top, self.machines = top, machines
        top.mkdir(parents=True)
        self.port = free_port()
        self.log = (top / "log").open("w")
        self.process = subprocess.Popen(self.argv(), stdout=self.log, stderr=subprocess.STDOUT, cwd=top)

    def argv(self) -> list[str]:
        raise NotImplementedError

    def power(self, **other: Any) -> dict[str, Any]:
        """netboot_power of its machine."""
        return {
            "type": self.kind,
            "address": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            **other,
        }

    def wait(self) -> None:
        """Until it answers, or is gone, or has had its time; one that is asked by UDP is quick."""

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Redfish(Bmc):
    """sushy-tools' emulator, over TLS with a certificate that it signed itself."""

    kind = "redfish"

    def argv(self) -> list[str]:
        (self.top / "auth").write_text(
            f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n"
        )
        self.cert = self.top / "cert.pem"
        key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bmc", "-days", "2"]
        files = ["-keyout", str(self.top / "key.pem"), "-out", str(self.cert)]
        subprocess.run(
            [*key, *files, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
        )
        systems: list[dict[str, Any]] = [
            {"uuid": name, "name": f"the {name}", "power_state": "On" if runs else "Off", "nics": []}
            for name, runs in self.machines.items()
        ]
        places = {"auth": str(self.top / "auth"), "cert": str(self.cert), "key": str(self.top / "key.pem")}
        text = _REDFISH.format(top=str(self.top), systems=systems, port=self.port, **places)
        (self.top / "config.py").write_text(text)
        return [
            str(Path(sys.executable).with_name("sushy-emulator")),
            "--config",
            str(self.top / "config.py"),
        ]

    def wait(self) -> None:
        for dummy in range(600):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError((self.top / "log").read_text())

    def power(self, **other: Any) -> dict[str, Any]:
        return super().power(**{"ca_path": str(self.cert), **other})

    def said(self) -> list[str]:
        """What it was told to do, in its own words."""
        lines = (self.top / "log").read_text().splitlines()
        return [line.partition("main:")[2] for line in lines if ":Set " in line or " set to " in line]


class Ipmi(Bmc):
    """OpenIPMI's simulator, with one machine."""

    kind = "ipmi"

    def argv(self) -> list[str]:
        runs = next(iter(self.machines.values()))
        (self.top / "power").write_text(f"{int(runs)}\n")
        (self.top / "boot").write_text("none\n")
        (self.top / "said").touch()
        (self.top / "state").mkdir()
        names = {"user": USER, "password": PASSWORD}
        (self.top / "lan.conf").write_text(_IPMI.format(top=self.top, port=self.port, **names))
        (self.top / "commands").write_text(_IPMI_COMMANDS)
        (self.top / "chassis").write_text(_CHASSIS.format(top=self.top))
        (self.top / "chassis").chmod(0o755)
        return ["ipmi_sim", "-c", "lan.conf", "-f", "commands", "-s", "state", "-n"]

    def stick(self) -> None:
        """From now on it can be asked, and does nothing."""
        (self.top / "stuck").touch()

    def said(self) -> list[str]:
        """What it told the machine to do."""
        return (self.top / "said").read_text().splitlines()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
