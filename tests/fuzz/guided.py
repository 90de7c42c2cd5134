# SPDX-License-Identifier: GPL-3.0-or-later
"""The same for ISOs alone, led by the code that each one reached (atheris): `make fuzz-guided N=500000`.

What atheris makes says which whole image is taken, and which of its bytes become what. What fails lies in
build/fuzz-guided, as the image itself and as what atheris made.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tests.lab.common import CACHE, locked, say
from tests.tools.wheel import fetch

#: The newest for Python 3.11; PyPI has it for x86_64 only, and not for each Python.
PACKAGE = "atheris==3.0.0"
FAILED = Path("build/fuzz-guided")
EDITS = 8
MEGABYTES = (
    1024  # of the whole process: a net behind that of each input, since what watches code needs some itself
)


def folder() -> Path:
    """Where atheris can be imported from; fetched on first use, not installed."""
    place = CACHE / "python" / f"{PACKAGE}-{platform.python_version()}"
    with locked("atheris"):
        if not place.exists():
            say(f"Fetching {PACKAGE} (once, 35 MB; it is not installed) …")
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place.parent) as work:
                with zipfile.ZipFile(fetch(PACKAGE, Path(work))) as packed:
                    packed.extractall(Path(work, "made"))
                Path(work, "made").rename(place)
    return place


def edited(data: bytes, used: list[int], provider: Any) -> bytes:
    """The image with some of its bytes changed, mostly where they mean something."""
    result = bytearray(data)
    for dummy in range(provider.ConsumeIntInRange(1, EDITS)):
        at = provider.ConsumeIntInRange(0, 2 * len(used) - 1)
        place = (
            used[at] if at < len(used) else used[at - len(used)] + 1
        )  # a zero beside it may mean something, too
        new = provider.ConsumeBytes(provider.PickValueInList([1, 1, 1, 2, 4, 8, 34]))
        result[place : place + len(new)] = new
    size = provider.ConsumeIntInRange(0, 4 * len(result))  # most are not shortened
    return bytes(result[: size or None])


def main() -> int:
    """Run, in a process of its own, since atheris ends it without cleaning up; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--number", type=int, default=50_000, help="of inputs (50000)")
    parser.add_argument("--seed", type=int, default=1, help="of atheris (1)")
    parser.add_argument("--place", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.place:
        guide(Path(options.place), options.number, options.seed)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="netboot-fuzz-", dir=memory) as place:
        argv = [sys.executable, "-m", "tests.fuzz.guided", *sys.argv[1:], "--place", place]
        code = subprocess.run(argv, check=False).returncode
    print(f"fuzz-guided: {options.number} inputs: {'FAILED' if code else 'all ended well'}")
    return code


def guide(work: Path, number: int, seed: int) -> None:
    """Give atheris what it needs; it ends the process, with an exit code that is not 0 when an input failed."""
    sys.path.insert(0, str(folder()))
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["pycdlib", "ansible_collections.homelab.netboot.plugins"]):
        fuzz = importlib.import_module("ansible_collections.homelab.netboot.tests.fuzz.__main__")
    inputs, costs = sys.modules[fuzz.make.__module__], sys.modules[fuzz.used.__module__]
    signal.signal(signal.SIGPROF, fuzz.hang)
    fuzz.iso.MAX_CPU = costs.NET
    wholes = list(inputs.make(work)["iso"].values())
    place = work / "x.iso"
    FAILED.mkdir(parents=True, exist_ok=True)

    def try_one(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        whole, used = provider.PickValueInList(wholes)
        place.write_bytes(edited(whole, used, provider))
        ended = fuzz.try_one(fuzz.read_iso, place)
        if ended not in ("read", "refused"):
            (FAILED / "failed.iso").write_bytes(place.read_bytes())
            raise AssertionError(f"{FAILED / 'failed.iso'}: {ended}")

    arguments = [
        *(f"-runs={number}", f"-seed={seed}", f"-timeout={4 * costs.SECONDS}"),
        *(
            f"-rss_limit_mb={MEGABYTES}",
            "-max_len=512",
            "-len_control=0",
            f"-artifact_prefix={FAILED}/",
            "-print_final_stats=1",
        ),
    ]
    atheris.Setup([sys.argv[0], *arguments], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
