# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a download is, in lines."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from ansible_collections.homelab.netboot.plugins.filter.images import images
from ansible_collections.homelab.netboot.plugins.module_utils._image.progress import Told
from ansible_collections.homelab.netboot.plugins.plugin_utils._progress import Lines, is_brought

SIZE, SPEED = 3_100_000_000, 31_000_000  # a per cent each second


def looks(*looks: Told, live: bool) -> list[str]:
    """All that is said, without the image's name."""
    lines = Lines(live)
    return [
        line.removeprefix("image noble: ").removeprefix("image jammy: ")
        for look in looks
        for line in lines.of(asdict(look))
    ]


def at(
    seconds: float, have: int | None = None, *, size: int = SIZE, before: int = 0, trouble: str = ""
) -> Told:
    have = round(seconds * SPEED) if have is None else have
    return Told("noble", "https://mirror.example/n.iso", size, have, before, seconds, trouble)


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (at(0), "3.1 GB from https://mirror.example/n.iso"),
        (at(0, size=0), "from https://mirror.example/n.iso"),
        (
            at(0, 1_800_000_000, before=1_800_000_000),
            "3.1 GB from https://mirror.example/n.iso; 1.8 GB of it are here from an earlier run",
        ),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_size_and_source_come_first(look: Told, told: str, live: bool) -> None:
    assert looks(look, live=live) == [told]


def test_a_log_has_a_line_each_ten_per_cent() -> None:
    said = looks(*(at(second) for second in range(101)), live=False)[1:]
    assert [line.split(",")[0] for line in said] == [f"{tens} %" for tens in range(10, 101, 10)]
    assert said[3] == "40 %, 1.2 of 3.1 GB, 31.0 MB/s, 1 min 0 s left"
    assert said[-1] == "100 %, 3.1 of 3.1 GB, 31.0 MB/s"


def test_a_terminal_has_a_line_each_look() -> None:
    said = looks(*(at(second) for second in (0, 3, 3, 6)), live=True)[1:]
    assert said == [
        "3 %, 0.1 of 3.1 GB, 31.0 MB/s, 1 min 37 s left",
        "6 %, 0.2 of 3.1 GB, 31.0 MB/s, 1 min 34 s left",
    ]


def test_speed_is_that_of_the_last_seconds() -> None:
    slow = [at(100 + second, SIZE // 2 + second * 1_000_000) for second in range(0, 60, 3)]
    assert ", 1.0 MB/s, 24 min " in looks(at(0), at(50), *slow, live=True)[-1]


def test_a_break_is_told_once_and_speed_begins_anew() -> None:
    broken = "broken off at 1.6 of 3.1 GB (reset); next try in 4 s"
    trouble = [at(second, 50 * SPEED, trouble=broken) for second in (52, 55)]
    after = [at(60, 50 * SPEED), at(63, 53 * SPEED)]
    said = looks(at(0), at(50), *trouble, *after, live=True)
    assert said[2:] == [broken, "53 %, 1.6 of 3.1 GB, 31.0 MB/s, 47 s left"]


def test_what_begins_anew_counts_anew() -> None:
    said = looks(at(0), at(50), at(51, 0), at(61, 10 * SPEED), live=False)
    assert said[1].startswith("50 %, ")
    assert said[2:] == ["10 %, 0.3 of 3.1 GB, 31.0 MB/s, 1 min 30 s left"]


def test_a_size_that_nobody_knows() -> None:
    said = looks(*(at(second, size=0) for second in range(0, 130, 3)), live=False)
    assert said[1:] == ["1.9 GB, 31.0 MB/s", "3.7 GB, 31.0 MB/s"]


def test_the_next_image_has_a_beginning_of_its_own() -> None:
    other = Told("jammy", "https://mirror.example/j.iso", SIZE, 0, 0, 0.0)
    assert looks(at(0), at(90), other, live=False)[-1] == "3.1 GB from https://mirror.example/j.iso"


def test_what_no_download_wrote_is_refused() -> None:
    with pytest.raises(TypeError):
        Lines(True).of({"image": "noble"})


@pytest.mark.parametrize(
    ("image", "brought"),
    [
        ({}, True),
        ({"url": "https://mirror.example/n.iso", "checksum": f"sha256:{64 * '0'}"}, True),
        ({"path": "/srv/n.iso"}, False),
        ({"src": "n.iso"}, False),
    ],
    ids=["by name", "by address", "on the server", "on the controller"],
)
def test_what_may_be_downloaded_is_watched(image: dict[str, str], brought: bool) -> None:
    assert is_brought(images({"noble": image})["noble"]) is brought
