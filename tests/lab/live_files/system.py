# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a system that starts and can be reached: kernel, initrd and root file system of the ISO, as Ubuntu does.

The root file system stays packed, with an ext4 above it that takes what is changed: to unpack it takes long on an
emulated machine. What is left for its cloud-init is what Subiquity leaves (canonical/subiquity: models/subiquity.py).
"""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

CASPER = Path("/cdrom/casper")
ROOT = CASPER / "ubuntu-server-minimal.squashfs"
MOUNTED = Path("/mnt")
NETWORK = "[Match]\nName=e*\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n[DHCPv4]\nClientIdentifier=mac\n"
#: Nobody waits for these on a machine that lives for a minute.
MASKED = (
    *("systemd-logind.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_reap.service"),
    *("dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
)


def size(disk: Path) -> int:
    """Its bytes."""
    sectors = Path("/sys/block", disk.name, "size").read_text(encoding="ascii")
    return 512 * int(sectors)


def write(disk: Path, image: bytes, told: dict[str, Any]) -> None:
    """Put it on a disk whose beginning is the image. told: the section `user-data` of the answers."""
    with disk.open("r+b", buffering=0) as device:
        device.write(image)
    call("udevadm", "settle")  # it looks at what was written, and the disk is in use meanwhile
    call("blockdev", "--rereadpt", str(disk))
    call("udevadm", "settle")
    esp, root, changes = (f"{disk}{number}" for number in (1, 2, 3))
    with mounted("vfat", esp):
        for name in ("vmlinuz", "initrd"):
            shutil.copyfile(CASPER / name, MOUNTED / name)
    with ROOT.open("rb") as source, Path(root).open("r+b") as device:
        shutil.copyfileobj(source, device, 2**20)
    call("mkfs.ext4", "-q", "-F", changes)
    with mounted("ext4", changes):
        for name, text in files(told).items():
            path = MOUNTED / "upper" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        units = MOUNTED / "upper/etc/systemd/system"
        wanted = units / "multi-user.target.wants"
        wanted.mkdir(parents=True)
        for unit in MASKED:
            (units / unit).symlink_to("/dev/null")
        (wanted / "systemd-networkd.service").symlink_to("/usr/lib/systemd/system/systemd-networkd.service")


def files(told: dict[str, Any]) -> dict[str, str]:
    """What differs from the root file system of the ISO."""
    wanted = {"growpart": {"mode": "off"}, "resize_rootfs": False, **told}
    nothing = {
        "userdata_raw": "#cloud-config\n" + yaml.safe_dump(wanted),
        "metadata": {"instance-id": str(uuid.uuid4())},
    }
    source = {"datasource_list": ["None"], "datasource": {"None": nothing}, "network": {"config": "disabled"}}
    return {
        "etc/cloud/cloud.cfg.d/99-installer.cfg": yaml.safe_dump(source),
        "etc/cloud/ds-identify.cfg": "policy: enabled\n",
        "etc/machine-id": "",
        # else systemd takes the first start for one after an update, and makes its caches anew
        "etc/.updated": "",
        "var/.updated": "",
        "etc/systemd/network/10-lab.network": NETWORK,
    }


@contextmanager
def mounted(kind: str, device: str) -> Iterator[None]:
    """While it is mounted."""
    call("mount", "-t", kind, device, str(MOUNTED))
    try:
        yield
    finally:
        call("umount", str(MOUNTED))


def call(*argv: str) -> None:
    """Run a program; OSError with what it said when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")
