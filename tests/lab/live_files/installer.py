# SPDX-License-Identifier: GPL-3.0-or-later
"""Does with the answers what Subiquity's server does with them, but for the system that it installs.

It tells its steps as Subiquity does, by curtin's webhook (canonical/curtin: curtin/reporter/handlers.py and events.py).

That is a boot sector, or on UEFI Debian's shim and GRUB, which say a number that each installation makes anew; on a
disk that has room for it, a system that starts (system.py).
How Subiquity reads its answers, runs commands and ends is told in canonical/subiquity: subiquity/server/server.py,
and controllers/cmdlist.py and shutdown.py beside it. What it says on the console meanwhile: subiquity/client/client.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import system as whole  # type: ignore[import-not-found]  # beside this program
import yaml
from cloudinit import stages  # type: ignore[import-not-found]  # only there

HERE = Path(__file__).parent
TARGET = Path("/target")
LOG = Path("/var/log/installer/subiquity-server-debug.log")
ANSWERS = Path("/autoinstall.yaml")
RESULT = Path("/run/cloud-init/result.json")
PLACEHOLDER = b"system=--------"
#: Bytes of a disk that has room for a system.
ROOM = 256 * 2**20
#: Seconds after which nobody will press enter any more.
WAITS = 10

#: Where the steps are told; once they are known, the addresses of the webhooks that the answers name.
hooks: list[str] = []


class StoppedError(Exception):
    """The installation must not go on."""


def say(text: str) -> None:
    """One step, on the serial port and in the installer's log."""
    print(f"LAB {text}", flush=True)
    with LOG.open("a", encoding="utf-8") as log:
        print(text, file=log)


def report(kind: str, name: str, description: str, **more: str) -> None:
    """Tell a step as curtin does: an error is a line of the log."""
    level = {"FAIL": "ERROR", "WARN": "WARN"}.get(more.get("result", ""), "INFO")
    event = {
        "name": name,
        "description": description,
        "event_type": kind,
        "origin": "curtin",
        "timestamp": time.time(),
        "level": level,
        **more,
    }
    with LOG.open("a", encoding="utf-8") as log:
        print(": ".join([kind, name, *more.values(), description]), file=log)
    for address in hooks:
        headers = {"Content-Type": "application/json", "User-Agent": "Curtin/24.1"}
        request = urllib.request.Request(address, json.dumps(event).encode(), headers)  # noqa: S310
        try:
            urllib.request.urlopen(request).close()  # noqa: S310 - without a limit of time, as curtin does
        except OSError as error:
            with LOG.open("a", encoding="utf-8") as log:
                print(f"failed posting event: {name} [{error}]", file=log)


@contextmanager
def step(name: str, description: str = "") -> Iterator[None]:
    """A step, told at its begin and its end (subiquitycore/context.py: Context)."""
    report("start", f"subiquity/{name}", description)
    try:
        yield
    except Exception as error:
        report("finish", f"subiquity/{name}", str(error), result="FAIL")
        raise
    report("finish", f"subiquity/{name}", description, result="SUCCESS")


def end(way: str) -> None:
    """Leave the machine: reboot or poweroff, by the kernel alone, since no systemd runs here."""
    os.sync()
    Path("/proc/sysrq-trigger").write_text({"reboot": "b", "poweroff": "o"}[way], encoding="ascii")
    time.sleep(60)


def answers() -> dict[str, Any]:
    """The section `autoinstall` as cloud-init delivers it; empty when there is none, or cloud-init had errors."""
    if json.loads(RESULT.read_text(encoding="utf-8"))["v1"]["errors"]:
        return {}
    init = stages.Init()
    init.read_cfg()
    init.fetch(existing="trust")
    told = dict(init.cloudify().cfg.get("autoinstall") or {})
    ANSWERS.write_text(yaml.safe_dump(told), encoding="utf-8")
    return told


def again() -> dict[str, Any]:
    """The same once more, since early-commands may alter it."""
    return dict(yaml.safe_load(ANSWERS.read_text(encoding="utf-8")))


def echo(argv: list[str], environment: dict[str, str], *, shown: bool) -> int:
    """Run a command; what it says is in the log, and shown on the console while it says it. Its exit code."""
    with subprocess.Popen(
        argv,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            with LOG.open("a", encoding="utf-8") as log:
                log.write(line)
            if shown:
                print(line, end="", flush=True)
    return process.returncode


def run(kind: str, commands: list[Any], check: bool) -> None:
    """Run a list of commands; StoppedError at the first that fails, when check says so."""
    # a reboot by systemctl is the kernel's, since no systemd runs here
    path = f"{HERE}/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TARGET_MOUNT_POINT": str(TARGET)}
    for number, command in enumerate(commands):
        argv = ["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        with step(f"{kind.title()}/run/command_{number}", " ".join(argv[2:] or argv)):
            code = echo(argv, environment, shown=kind != "late")
            say(f"command list={kind} number={number} exit={code}")
            if check and code != 0:
                raise StoppedError(f"{kind}-command {number} ended with exit code {code}")


def install(told: dict[str, Any]) -> None:
    """Write the system to the disk that is named, else to the first; with a number of its own, and read it back."""
    number = uuid.uuid4().hex[:8]
    match = told.get("storage", {}).get("layout", {}).get("match", {})
    name = match["path"][5:] if match else sorted(path.name for path in Path("/sys/block").glob("sd*"))[0]
    disk = Path("/dev", name)
    is_whole = whole.size(disk) >= ROOM
    kind = "system" if is_whole else "efi" if Path("/sys/firmware/efi").exists() else "bios"
    image = (HERE / f"{kind}.img").read_bytes().replace(PLACEHOLDER, b"system=" + number.encode())
    if is_whole:
        whole.write(disk, image, told.get("user-data", {}))
    else:
        mark(disk, image)
    say(f"install disk={name} bytes={len(image)} system={number}")


def mark(disk: Path, image: bytes) -> None:
    """Write what only says that it was booted, and read it back."""
    with disk.open("r+b", buffering=0) as device:
        device.write(image)
        os.fsync(device.fileno())
        device.seek(0)
        if device.read(len(image)) != image:
            raise OSError(f"{disk} does not hold what was written to it")


def main() -> None:
    """Early commands, the system, late commands, reboot; any failure: error commands, and it waits for a person."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    config = answers()
    words = Path("/proc/cmdline").read_text(encoding="utf-8").split()
    say(f"autoinstall confirmed={'yes' if 'autoinstall' in words else 'no'} keys={','.join(sorted(config))}")
    if not config or "autoinstall" not in words:
        say("failed why=the installer has no answers, or would ask before it goes on; it waits")
        end("poweroff")
    TARGET.mkdir(exist_ok=True)
    hooks.extend(one["endpoint"] for one in config.get("reporting", {}).values() if one["type"] == "webhook")
    try:
        with step("Early/run"):
            run("early", config.get("early-commands", []), check=True)
        config = again()
        with step("Install/install"), step("Install/install/curtin_install", "installing system"):
            install(config)
        with step("Late/run"):
            run("late", config.get("late-commands", []), check=True)
    except (OSError, StoppedError) as error:
        run("error", config.get("error-commands", []), check=False)
        time.sleep(1)
        print("An error occurred. Press enter to start a shell", flush=True)
        time.sleep(WAITS)
        say(f"failed why=the installation stopped: {error}")
        end("poweroff")
    say("done")
    end(str(config.get("shutdown", "reboot")))


if __name__ == "__main__":
    main()
