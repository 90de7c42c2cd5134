# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images with systemd, made from Debian's packages: no image registry is asked."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from .common import BUILD, LabError, digest, locked, run, say, succeeds

SUITES = ("bookworm", "trixie")
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-apt,iproute2,ca-certificates,openssh-server"
# apt keeps what it fetched, for the next container (see aptcache.py); each container gets its own machine-id.
HOOKS = (
    'printf "Binary::apt::APT::Keep-Downloaded-Packages \\"true\\";\\n" >"$1/etc/apt/apt.conf.d/90lab"',
    ': >"$1/etc/machine-id"',
)
CHANGES = ('CMD ["/sbin/init"]', "STOPSIGNAL SIGRTMIN+3")


def tag(suite: str) -> str:
    """The image's name; it changes with the recipe."""
    return f"localhost/netboot-lab-{suite}:{digest(suite, PACKAGES, *HOOKS, *CHANGES)}"


def ensure(suite: str) -> str:
    """The image's name, once it is there: made on first use (about half a minute), kept by podman."""
    if suite not in SUITES:
        raise LabError(f"no image for {suite}: choose one of {', '.join(SUITES)}")
    name = tag(suite)
    with locked(f"image-{suite}"):
        if not succeeds("podman", "image", "exists", name):
            build(suite, name)
    return name


def build(suite: str, name: str) -> None:
    """Make the image from packages and remove its predecessors."""
    started = time.monotonic()
    say(f"Making the {suite} container image from Debian's packages (once, about half a minute) …")
    BUILD.mkdir(parents=True, exist_ok=True)
    log = BUILD / f"image-{suite}.log"
    with tempfile.TemporaryDirectory(prefix="image-", dir=BUILD) as folder:
        tar = Path(folder, f"{suite}.tar")
        options = [f"--customize-hook={hook}" for hook in HOOKS]
        command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", *options, suite, str(tar)]
        if bootstrap(command, log) != 0:
            last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-8:])
            raise LabError(f"mmdebstrap could not make {suite}; its log is {log}\n{last}")
        changes = [word for change in CHANGES for word in ("--change", change)]
        run("podman", "import", *changes, str(tar), name)
    for old in run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}").split():
        if old.startswith(name.rpartition(":")[0] + ":") and old != name:
            run("podman", "rmi", old, check=False)  # still used by a container: then it stays
    say(f"The {suite} image is ready ({time.monotonic() - started:.0f} s).")


def bootstrap(command: list[str], log: Path) -> int:
    """Run mmdebstrap and say every ten seconds how far it is; returns its exit code."""
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        while True:
            try:
                return process.wait(10)
            except subprocess.TimeoutExpired:
                lines = [
                    line[3:]
                    for line in log.read_text(encoding="utf-8").splitlines()
                    if line.startswith("I: ")
                ]
                say(f"  … {(lines or ['mmdebstrap starts'])[-1]}")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
