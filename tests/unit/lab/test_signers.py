# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed Debian's own shims, whole and with one of their signatures taken away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import deb, names, pairs, pe

from tests.lab import debs
from tests.lab.common import LabError

SHIM = names.SHIM_FILES["x64"] + names.SHIM_ENDINGS[0]
GRUB = names.GRUB_FILES["x64"]
OLD, NEW = pairs.AUTHORITIES


def unpacked(suite: str) -> tuple[bytes, bytes]:
    try:
        shim, grub = debs.fetch(suite)
    except LabError as error:
        pytest.skip(f"Debian's packages cannot be fetched: {error}")
    return deb.read(str(shim), [SHIM])[SHIM], deb.read(str(grub), [GRUB])[GRUB]


@pytest.mark.parametrize(("suite", "version"), [("bookworm", (2, 6)), ("trixie", (2, 12))])
def test_debians_pairs(suite: str, version: tuple[int, int]) -> None:
    shim, grub = unpacked(suite)
    signers = pe.signers(pe.read(shim))
    assert set(signers) in ({OLD}, {OLD, NEW})
    if suite == "trixie":
        assert signers == (OLD, NEW)
    assert pe.signers(pe.read(grub)) == ("Debian Secure Boot CA",)
    assert pe.numbers(pe.sbat(pe.read(grub))["grub"][1]) == version
    [certificate] = pe.trust(pe.read(shim)).certificates
    assert pe.common_name(certificate) == "Debian Secure Boot CA"


@pytest.mark.skipif(not shutil.which("sbattach"), reason="sbattach is not installed (package sbsigntool)")
@pytest.mark.parametrize(("cut", "left"), [("1", NEW), ("2", OLD)])
def test_a_shim_with_one_signature_taken_away(tmp_path: Path, cut: str, left: str) -> None:
    shim, _grub = unpacked("trixie")
    file = tmp_path / "shim"
    file.write_bytes(shim)
    subprocess.run(["sbattach", "--remove", "--signum", cut, str(file)], check=True, capture_output=True)
    program = pe.read(file.read_bytes())
    assert pe.signers(program) == (left,)
    assert pairs.authorities(pe.signers(program)) == [pairs.AUTHORITIES[left]]
    assert program.digest == pe.read(shim).digest
