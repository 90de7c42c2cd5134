# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the Debian packages that the lab needs, after saying which."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from .common import LabError, need_root, run, say

PACKAGES = {
    "python3-venv": "keeps the tests' Python packages apart, in .venv",
    "git": "lists the project's files",
    "shellcheck": "checks its shell scripts",
    "podman": "containers for the servers",
    "runc": "starts them, also on hosts with hybrid cgroups",
    "netavark": "their network",
    "iptables": "used by netavark, and to shut a server's port",
    "mmdebstrap": "makes their images from Debian's packages",
    "debian-archive-keyring": "the keys that those packages are checked with",
    "openssh-client": "Ansible's way to the servers",
    "iproute2": "the boot network",
    "dnsmasq-base": "plays the home router",
    "qemu-system-x86": "plays the machines to be installed",
    "ovmf": "their UEFI firmware",
    "qemu-system-arm": "plays arm64 machines",
    "qemu-efi-aarch64": "their UEFI firmware",
    "ipxe-qemu": "the boot ROMs of their network cards",
    "busybox-static": "fetches by TFTP, as a device in a server's network would",
    "squashfs-tools": "its root file system",
    "fdisk": "the partition table of the disk that UEFI machines boot when they are left alone",
    "mtools": "the files on it",
    "syslinux": "starts the systems that BIOS machines get",
    "syslinux-common": "the boot sector of their disks",
    "sbsigntool": "signs and verifies UEFI programs, and takes a signature from shim",
    "openssl": "makes their keys",
    "zstd": "compresses packages as Ubuntu does",
    "gnupg": "makes the keys that sign lists of checksums, as Ubuntu's are",
    "gpgv": "verifies them, as on a server",
    "openipmi": "its ipmi_sim plays BMCs that speak IPMI",
    "curl": "asks the servers as any web client does",
    "xorriso": "makes ISOs, and reads them beside ours",
    "genisoimage": "makes ISOs as few others do, and its mkzftree compressed files",
    "7zip": "reads ISOs beside ours",
    "libarchive-tools": "its bsdtar reads ISOs beside ours",
}


def missing(packages: Mapping[str, str]) -> list[str]:
    """Which of the packages are not installed, in their order."""
    shown = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages, check=False)
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def setup(packages: Mapping[str, str] | None = None) -> None:
    """Install what is missing; asks first when there is somebody to ask (a terminal, and not CI=true).

    packages: Debian's names, and what each is for; by default those of the lab.
    """
    packages = PACKAGES if packages is None else packages
    wanted = missing(packages)
    if not wanted:
        return
    say("The test lab needs these Debian packages and will install them with apt-get:")
    for package in wanted:
        say(f"  {package:<24} {packages[package]}")
    need_root()
    if os.environ.get("CI") != "true" and sys.stdin.isatty():
        answer = input("Install them now? [Y/n] ").strip().lower()
        if answer not in ("", "y", "yes"):
            raise LabError("nothing was installed; the lab cannot run without these packages")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    for command in ([*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", *wanted]):
        if subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode != 0:
            raise LabError(f"{' '.join(command[:6])} … failed, see above; is a package mirror reachable?")
    say("The lab's packages are installed.")
