# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage ISOs, packages and UEFI programs at random, and see that reading them ends well: `make fuzz`.

Well is: an answer, or one of the errors that users are told; and at the cost that tests/unit/costs.py allows. The same
seed makes the same inputs. What fails lies in build/fuzz afterwards.
"""

from __future__ import annotations

import argparse
import collections
import importlib.metadata
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import iso
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import deb, pe
from ansible_collections.homelab.netboot.tests.fuzz.inputs import KINDS, damaged, make
from ansible_collections.homelab.netboot.tests.unit.costs import MEGABYTES, NET, SECONDS, used

FAILED = Path("build/fuzz")
#: Errors that are told to users, without a traceback.
TOLD = (UserError, deb.DebError, pe.PeError)
PATHS = ("casper/vmlinuz", "casper/initrd", "none", "casper")


class HangError(BaseException):
    """An input took too long."""


def read_iso(place: Path) -> None:
    """Read all that is read of an image."""
    with place.open("rb") as file:
        image = iso.Image(file, place.name)
        image.release()
        for path in PATHS:
            try:
                image.find(path)
            except UserError as error:
                assert str(error).isprintable(), error
        image.matching("**/*")


def read_deb(place: Path) -> None:
    """Unpack what is wanted."""
    deb.read(str(place), ["usr/lib/shim/shimx64.efi.signed", "none"])


def read_pe(place: Path) -> None:
    """Read all that is read of a program."""
    program = pe.read(place.read_bytes())
    pe.signers(program)
    pe.sbat(program)
    pe.sbat_level(program)
    pe.shim_version(program)
    for certificate in pe.trust(program).certificates:
        pe.common_name(certificate)


READERS: Mapping[str, Callable[[Path], None]] = {"iso": read_iso, "deb": read_deb, "pe": read_pe}


def hang(number: int, frame: object) -> None:
    """Break off an input that computes for too long."""
    raise HangError


def try_one(reader: Callable[[Path], None], place: Path) -> str:
    """Read one input; return how that ended, or a traceback."""
    before = used().megabytes
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        reader(place)
        ended = "read"
    except TOLD:
        ended = "refused"
    except (Exception, HangError):
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    grown = used().megabytes - before
    return ended if grown < MEGABYTES else f"took {grown:.0f} MB"


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--number", type=int, default=10_000, help="of inputs (10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the damages (1)")
    options = parser.parse_args()
    signal.signal(signal.SIGPROF, hang)
    iso.MAX_CPU = NET
    begin = time.monotonic()
    ends: collections.Counter[tuple[str, str]] = collections.Counter()
    failures = 0
    with TemporaryDirectory(
        prefix="netboot-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    ) as name:
        whole = make(Path(name))
        place = Path(name) / "x"
        for number in range(options.number):
            dice = random.Random(f"{options.seed}-{number}")  # noqa: S311 - damage, not a secret
            kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
            which = dice.choice(sorted(whole[kind]))
            place.write_bytes(damaged(dice, *whole[kind][which]))
            ended = try_one(READERS[kind], place)
            if ended not in ("read", "refused"):
                failures += 1
                FAILED.mkdir(parents=True, exist_ok=True)
                kept = FAILED / f"{options.seed}-{number}.{kind}"
                kept.write_bytes(place.read_bytes())
                print(f"{kept} ({which}): {ended}", flush=True)
                ended = "FAILED"
            ends[kind, ended] += 1
    for (kind, ended), count in sorted(ends.items()):
        print(f"{kind:<4} {ended:<8} {count:7}")
    spent = used()
    print(
        f"fuzz: {options.number} inputs, pycdlib {importlib.metadata.version('pycdlib')}, "
        f"{time.monotonic() - begin:.0f} s, {spent.seconds:.0f} s of computing, {spent.megabytes:.0f} MB at most: "
        f"{f'{failures} FAILED' if failures else 'all ended well'}"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
