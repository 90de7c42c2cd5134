# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine to be installed: QEMU, real firmware, on a boot network."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from . import accel, disk, efi_disk
from .common import BUILD, LabError, digest, run
from .firmware import BIOS, Firmware
from .lan import BRIDGE, Lan, end_processes, reserve


@dataclass(frozen=True)
class Machine:
    """What is switched on. memory: MiB, or the firmware's usual when 0. blank: whether its disk is so at first.

    mac: of the network card that it boots from. other_mac: of a card before that one, on the same network, or nothing.
    other_cable: whether that one has a cable.
    router: what the router says to it of booting, see lan.odd_answers.
    room: bytes of its disk when that is blank; as many as a marked one has when 0.
    disk_first: whether its firmware tries the disk before the network.
    """

    name: str
    mac: str
    firmware: Firmware = BIOS
    memory: int = 0
    blank: bool = False
    other_mac: str = ""
    other_cable: bool = True
    router: str = ""
    room: int = 0
    disk_first: bool = False

    @property
    def cards(self) -> list[str]:
        """The MACs of its network cards, in the order of their slots."""
        return [mac for mac in (self.other_mac, self.mac) if mac]

    @property
    def serial(self) -> str:
        """The serial number of its disk."""
        return f"LAB-{self.name}"[:20]

    @property
    def uuid(self) -> str:
        """The UUID that the firmware reports, with the MAC at its end as on an Intel NUC.

        PXELINUX writes its first three groups byte by byte backwards: 58b41815-581e-c62a-….
        """
        return "1518b458-1e58-2ac6-d4e2-" + self.mac.replace(":", "")


class Client:
    """A machine while it is switched on: `with Client(…) as client`. However the block ends, QEMU ends."""

    def __init__(self, machine: Machine, lan: Lan, *, again: bool = False) -> None:
        """again: with the disk and the firmware's variables that it had when it was switched off."""
        self.machine = machine
        self.again = again
        self.lan = lan
        self.folder = BUILD / "clients" / f"{lan.name}-{machine.name}"
        self.serial = self.folder / "serial.log"
        plugged = machine.cards if machine.other_cable else [machine.mac]
        self.ports = {mac: "t" + digest(str(self.folder), mac) for mac in plugged}
        self.address = ""  # that the router keeps for it
        self.power_on = 0.0
        self.disk_at_first = ""  # a digest of what was on it when it was switched on
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The QEMU command line."""
        machine, firmware = self.machine, self.machine.firmware
        return [
            *("ip", "netns", "exec", self.lan.namespace, "setpriv", "--pdeathsig", "KILL"),
            *(
                firmware.emulator,
                *accel.of(firmware.arch).arguments,
                *firmware.machine,
                "-name",
                machine.name,
            ),
            *("-m", str(machine.memory or firmware.memory), "-uuid", machine.uuid, "-display", "none"),
            *(
                "-nodefaults",
                "-vga",
                firmware.vga,
                "-no-reboot",
                "-monitor",
                "none",
                "-serial",
                f"file:{self.serial}",
            ),
            *self.network(),
            # without a source of randomness newer OVMF offers no network boot (edk2#9530)
            *("-device", "virtio-rng-pci"),
            *self.flash(),
            *("-drive", f"file={self.folder}/disk.img,format=raw,if=none,id=disk"),
            "-device",
            f"{firmware.disk},drive=disk,bootindex={0 if machine.disk_first else 2},serial={machine.serial}",
        ]

    def network(self) -> list[str]:
        """Its network cards. One without a cable is the first that the firmware tries."""
        words = []
        for number, mac in enumerate(self.machine.cards):
            card = f"{self.machine.firmware.nic},mac={mac}{'' if self.machine.firmware.rom else ',romfile='}"
            if port := self.ports.get(mac):
                words += ["-netdev", f"tap,id=net{number},ifname={port},script=no,downscript=no"]
                card += f",netdev=net{number}" + (",bootindex=1" if mac == self.machine.mac else "")
            else:
                card += ",bootindex=0"
            words += ["-device", card]
        return words

    def flash(self) -> list[str]:
        """UEFI's firmware, and its variables, which are this machine's own; nothing for BIOS."""
        firmware = self.machine.firmware
        if firmware.code is None:
            return []
        parts = ((firmware.code, "on"), (self.folder / "variables.fd", "off"))
        drives = [
            f"if=pflash,format=raw,unit={unit},readonly={readonly},file={file}"
            for unit, (file, readonly) in enumerate(parts)
        ]
        return [word for drive in drives for word in ("-drive", drive)]

    def __enter__(self) -> Client:
        if self.again:
            self.serial.replace(self.serial.with_suffix(".before.log"))
        else:
            self.make_new()
        self.disk_at_first = digest((self.folder / "disk.img").read_bytes())
        self.serial.touch()
        space = ("ip", "-n", self.lan.namespace)
        for mac, port in self.ports.items():
            self.address = reserve(
                self.lan, mac, self.machine.router
            )  # in the end that of the card that boots
            run(*space, "tuntap", "add", port, "mode", "tap")
            run(*space, "link", "set", port, "master", BRIDGE, "up")
        self.power_on = time.time()
        with (self.folder / "qemu.log").open("wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def make_new(self) -> None:
        """The disk, marked or blank, and the variables as the firmware's maker left them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        firmware = self.machine.firmware
        content = efi_disk.ensure(arch=firmware.arch).read_bytes() if firmware.code else disk.image()
        with (self.folder / "disk.img").open("wb") as disk_file:
            disk_file.write(bytes(len(content)) if self.machine.blank else content)
            disk_file.truncate(self.machine.room or len(content))
        if firmware.variables:
            shutil.copyfile(firmware.variables, self.folder / "variables.fd")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                end_processes([self.process.pid])
                self.process.wait()
        for port in self.ports.values():
            run("ip", "-n", self.lan.namespace, "link", "delete", port, check=False)

    def running(self) -> bool:
        """Whether it is still on."""
        return self.process is not None and self.process.poll() is None

    def check_started(self) -> None:
        """LabError with QEMU's words when it ended with an error."""
        if self.process is not None and self.process.poll():
            said = Path(self.folder, "qemu.log").read_text(encoding="utf-8", errors="replace").strip()
            raise LabError(f"QEMU ended with exit code {self.process.returncode}: {said}")
