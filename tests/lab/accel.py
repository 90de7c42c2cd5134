# SPDX-License-Identifier: GPL-3.0-or-later
"""KVM where a machine really runs with it, else emulation (TCG). choose() is pure."""

from __future__ import annotations

import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import disk
from .arch import AMD64, ARM64, Arch

PATIENCE = 3.0
"""Seconds for the trial, which takes a third of one even when it is emulated."""
SAYS = b"RUNS"
KVM = ("-accel", "kvm", "-cpu", "host")
HOSTS = {"x86_64": AMD64, "aarch64": ARM64}
"""What a host calls its own processor."""


@dataclass(frozen=True)
class Accelerator:
    """How QEMU runs a machine's processor. why: for a person, why not by KVM; empty for KVM."""

    name: str
    arguments: tuple[str, ...]
    why: str = ""

    def __str__(self) -> str:
        return self.name.upper() + (f" ({self.why})" if self.why else "")


def choose(arch: Arch, host: str, works: Callable[[Arch], bool]) -> Accelerator:
    """What runs machines of a processor on a host. works: whether a trial with KVM succeeds."""
    if HOSTS.get(host) != arch:
        return Accelerator("tcg", emulated(arch), f"the host's processor is {host}")
    if not works(arch):
        return Accelerator("tcg", emulated(arch), "a trial boot with KVM failed")
    return Accelerator("kvm", KVM)


def emulated(arch: Arch) -> tuple[str, ...]:
    """QEMU's arguments for a processor that is emulated."""
    # Debian 13's AAVMF offers no network boot to a processor that makes no random numbers itself (RNDR), even beside
    # virtio-rng; `max` does. To emulate its pointer signatures as they are specified would be slow.
    processor = ("-cpu", "max,pauth-impdef=on") if arch == ARM64 else ()
    return ("-accel", "tcg", *processor)


@cache
def of(arch: Arch) -> Accelerator:
    """What runs machines of a processor here; tried once for a run."""
    return choose(arch, platform.machine(), lambda tried: runs(tried, KVM))


def told(archs: Iterable[Arch]) -> str:
    """What runs machines of these processors here, for a person."""
    return "; ".join(f"{arch.debian} machines by {of(arch)}" for arch in dict.fromkeys(archs))


def runs(arch: Arch, arguments: tuple[str, ...], patience: float = PATIENCE) -> bool:
    """Whether a machine without network says on its serial port that it executes our program.

    /dev/kvm may be there and start QEMU, and yet hang in firmware: so a PC boots a disk by SeaBIOS. An arm64 machine
    runs the program in its firmware's place, as AAVMF takes long to come to a disk. Secure Boot needs smm.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, program = folder / "serial", folder / "program"
        if arch == ARM64:
            program.write_bytes(arm64_program())
            kind = ("qemu-system-aarch64", "-machine", "virt", "-bios", str(program))
        else:
            program.write_bytes(disk.image(mark=SAYS.decode()))
            drive = f"file={program},format=raw,if=ide"
            kind = ("qemu-system-x86_64", "-machine", "pc,smm=on", "-drive", drive)
        command = [
            *("setpriv", "--pdeathsig", "KILL", *kind, *arguments, "-m", "64", "-display", "none"),
            *("-nodefaults", "-vga", "none", "-nic", "none", "-monitor", "none", "-serial", f"file:{log}"),
        ]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        try:
            end = time.monotonic() + patience
            while time.monotonic() < end and process.poll() is None:
                if log.exists() and SAYS in log.read_bytes():
                    return True
                time.sleep(0.05)
            return False
        finally:
            process.kill()
            process.wait()


def arm64_program() -> bytes:
    """Machine code that takes a random number from the processor (RNDR), says SAYS on QEMU's serial port, and waits.

    Firmware needs those numbers (see emulated): a processor without them stops at the first instruction.
    """
    words = [0xD53B2400, 0xD2A12001]  # mrs x0, rndr; mov x1, 0x9000000: the PL011 of QEMU's board virt
    for letter in SAYS:
        words += [0x52800002 | letter << 5, 0x39000022]  # mov w2, letter; strb w2, [x1]
    words += [0xD503205F, 0x17FFFFFF]  # wfe; b to the wfe
    return b"".join(word.to_bytes(4, "little") for word in words)
