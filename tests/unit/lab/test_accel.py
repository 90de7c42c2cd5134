# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a machine's processor: the choice, and the trial with machines that run and such that do not."""

from __future__ import annotations

import pytest

from tests.lab import accel
from tests.lab.arch import AMD64, ARM64, Arch


@pytest.mark.parametrize(
    ("arch", "host", "works", "name", "why"),
    [
        (AMD64, "x86_64", True, "kvm", ""),
        (ARM64, "aarch64", True, "kvm", ""),
        (AMD64, "x86_64", False, "tcg", "a trial boot with KVM failed"),
        (ARM64, "aarch64", False, "tcg", "a trial boot with KVM failed"),
        (AMD64, "aarch64", True, "tcg", "the host's processor is aarch64"),
        (ARM64, "x86_64", True, "tcg", "the host's processor is x86_64"),
        (AMD64, "riscv64", True, "tcg", "the host's processor is riscv64"),
    ],
)
def test_choice(arch: Arch, host: str, works: bool, name: str, why: str) -> None:
    tried: list[Arch] = []

    def trial(asked: Arch) -> bool:
        tried.append(asked)
        return works

    chosen = accel.choose(arch, host, trial)
    assert (chosen.name, chosen.why) == (name, why)
    assert chosen.arguments[:2] == ("-accel", name)
    # no guest of another processor is tried
    assert tried == ([arch] if accel.HOSTS.get(host) == arch else [])


def test_words() -> None:
    assert str(accel.choose(AMD64, "x86_64", lambda _arch: True)) == "KVM"
    assert str(accel.choose(AMD64, "x86_64", lambda _arch: False)) == "TCG (a trial boot with KVM failed)"


@pytest.mark.parametrize("arch", [AMD64, ARM64], ids=["amd64", "arm64"])
def test_the_trial_sees_a_machine_that_runs(arch: Arch) -> None:
    assert accel.runs(arch, accel.emulated(arch), 30)


def test_the_trial_sees_one_that_does_not() -> None:
    assert not accel.runs(ARM64, ("-accel", "tcg", "-cpu", "cortex-a72"), 1)  # makes no random numbers
    assert not accel.runs(AMD64, ("-accel", "no-such"), 5)  # QEMU ends
    assert not accel.runs(AMD64, (*accel.emulated(AMD64), "-S"), 1)  # it is there, and does nothing
