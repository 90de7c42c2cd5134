# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.homelab.netboot.plugins.plugin_utils._ubuntu import names


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Asia/Tokyo", "Etc/UTC", "America/Argentina/Ushuaia", "geoip", ""]
)
def test_time_zones_that_are_there(name: str) -> None:
    assert names.time_zone(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Europe/Berln", "is not a time zone; did you mean Europe/Berlin?"),
        ("europe/berlin", "is not a time zone; did you mean Europe/Berlin?"),
        ("zzz", "is not a time zone; write one like Europe/Berlin, Asia/Tokyo"),
    ],
)
def test_time_zones_that_are_not(name: str, told: str) -> None:
    assert names.time_zone(name) == told


def test_a_controller_without_time_zones_refuses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_zones", frozenset)
    assert names.time_zone("Europe/Berln") is None


@pytest.mark.parametrize(
    "name",
    ["en_US.UTF-8", "en_US.utf8", "el_GR", "ja_JP.EUC-JP", "C", "C.UTF-8", "POSIX", "de_DE@euro", "eo"],
)
def test_locales_that_are_there(name: str) -> None:
    assert names.locale(name) is None
    assert names.strange_locale(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("en-US", "is not a locale; did you mean en_US.UTF-8?"),
        ("de_DEU.UTF-8", "is not a locale; did you mean de_DE.UTF-8?"),
        ("english", "is not a locale; write one like en_US.UTF-8, ja_JP.UTF-8"),
    ],
)
def test_what_has_not_the_form_of_a_locale_is_refused(name: str, told: str) -> None:
    assert names.locale(name) == told


@pytest.mark.parametrize(
    ("name", "near"),
    [("de_DX.UTF-8", "de_DE"), ("en_US.UTF-9", "en_US")],
)
def test_a_locale_that_nobody_knows_is_doubted_and_not_refused(name: str, near: str) -> None:
    assert names.locale(name) is None
    assert names.strange_locale(name) == f"is a locale that nobody here knows; did you mean {near}.UTF-8?"


@pytest.mark.parametrize("name", ["us", "us,gr", "jp", "de"])
def test_keyboards_that_are_there(name: str) -> None:
    assert names.keyboard(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("uk", "did you mean gb for British, ua for Ukrainian?"),
        ("us,ja", "did you mean jp?"),
        ("us, gr", "did you mean gr?"),
        ("german", "write one like us, jp"),
    ],
)
def test_keyboards_that_are_not(name: str, told: str) -> None:
    assert names.keyboard(name) == f"is not a keyboard layout; {told}"


def test_users_that_the_system_has() -> None:
    assert names.user("ubuntu") is None
    assert names.user("admin") == "is a name of the system and stops the installer; take another"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What this host's own lists say; nothing, unless a test adds to it."""
    lines: list[str] = []
    monkeypatch.setattr(names, "_read", lambda dummy: lines)
    for cached in (names._locales, names._keyboards):
        cached.cache_clear()
    yield lines
    for cached in (names._locales, names._keyboards):
        cached.cache_clear()


@pytest.mark.usefixtures("host")
def test_the_names_do_not_come_from_this_host() -> None:
    assert names.strange_locale("ja_JP.UTF-8") is None
    assert names.keyboard("jp") is None


def test_what_the_host_knows_besides_is_taken_too(host: list[str]) -> None:
    host += ["! model", "  pc105 x", "! layout", "  new  New", "! variant", "  old  x", "xx_YY.UTF-8 UTF-8"]
    assert names.strange_locale("xx_YY.UTF-8") is None
    assert names.keyboard("new") is None
    assert names.keyboard("old") is not None
