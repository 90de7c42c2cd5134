# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Names that Subiquity takes without a look, and that an installation fails with or silently ignores:
time zones, locales, keyboards, users.

Each check returns how the name is wrong and how to go on, or None. None of them needs anything on the controller:
what it has of its own only adds to what is known.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Callable
from locale import locale_alias
from pathlib import Path

import zoneinfo
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest

# Debian's package xkb-data 2.35, /usr/share/X11/xkb/rules/base.lst.
_KEYBOARDS = """
af al am ara at au az ba bd be bg br brai bt bw by ca cd ch cm cn cz de dk dz ee epo es et fi fo fr gb
ge gh gn gr hr hu id ie il in iq ir is it jp jv ke kg kh kr kz la latam lk lt lv ma mao md me mk ml mm
mn mt mv my ng nl no np ph pk pl pt ro rs ru se si sk sn sy tg th tj tm tr tw tz ua us uz vn za
"""
# Users and groups of Debian's base-passwd, and admin: Subiquity keeps them for the system (its reserved-usernames).
_SYSTEM_USERS = """
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody adm tty disk
kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users
nogroup admin
"""
#: What people write, and what X calls it.
_NOT_KEYBOARDS = {
    "cs": "cz",
    "da": "dk",
    "en": "us",
    "ja": "jp",
    "ko": "kr",
    "sv": "se",
    "uk": "gb for British, ua for Ukrainian",
}

# "geoip" and nothing are Subiquity's own (its controller for time zones).
_SPECIAL_ZONES = ("", "geoip")
_LOCALE = re.compile(
    r"(?P<name>C|POSIX|[a-z]{2,3}(_[A-Z]{2})?)(\.(?P<charset>[A-Za-z0-9-]+))?(?P<modifier>@[a-z]+)?"
)


def time_zone(name: str) -> str | None:
    """Return what is wrong with the name of a time zone, as the controller's own database knows them.

    A controller without one (neither C(/usr/share/zoneinfo) nor Python's package tzdata) can tell nothing.
    """
    known = _zones()
    if not known or name in known or name in _SPECIAL_ZONES:
        return None
    return f"is not a time zone; {_near(name, known)}"


def locale(name: str) -> str | None:
    """Return what is wrong with the form of a locale's name: C(language_TERRITORY.charset@modifier), see locale(7)."""
    return None if _LOCALE.fullmatch(name) else f"is not a locale; {_near_locale(name)}"


def strange_locale(name: str) -> str | None:
    """Return a doubt about a locale of the right form, since no list of all is at hand everywhere.

    Known is what glibc has on the controller, and X.org's aliases, which Python brings with it (its module locale).
    """
    match = _LOCALE.fullmatch(name)
    if not match or (
        match["name"] + (match["modifier"] or "") in _locales() and _is_charset(match["charset"])
    ):
        return None
    return f"is a locale that nobody here knows; {_near_locale(name)}"


def user(name: str) -> str | None:
    """Return what is wrong with the name of a user that Subiquity is to make."""
    return (
        "is a name of the system and stops the installer; take another"
        if name in _SYSTEM_USERS.split()
        else None
    )


def keyboard(name: str) -> str | None:
    """Return what is wrong with a keyboard layout, or several with commas between, as keyboard(5) has them."""
    for word in name.split(","):
        if word not in _keyboards():
            there = _NOT_KEYBOARDS.get(word)
            return f"is not a keyboard layout; {f'did you mean {there}?' if there else _near(word, _keyboards())}"
    return None


def _in_utf8(name: str) -> str:
    language, at, modifier = name.partition("@")
    return f"{language}.UTF-8{at}{modifier}"


def _is_charset(name: str | None) -> bool:
    try:
        return name is None or bool(codecs.lookup(name))
    except LookupError:
        return False


def _near_locale(name: str) -> str:
    return _near(_without_charset(name), _locales(), _in_utf8)


def _without_charset(name: str) -> str:
    return re.sub(r"\.[^@]*", "", name)


def _near(name: str, known: frozenset[str], form: Callable[[str], str] = str) -> str:
    """Return a suggestion, but never a list of hundreds."""
    told = suggest(name, known)
    if not told.startswith("did you mean "):
        return "write one like " + ", ".join(form(word) for word in _LIKE if word in known)
    return f"did you mean {form(told[len('did you mean ') : -1])}?"


_LIKE = ("Europe/Berlin", "Asia/Tokyo", "en_US", "ja_JP", "us", "jp")


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@functools.cache
def _locales() -> frozenset[str]:
    lines = _read("/usr/share/i18n/SUPPORTED")
    own = [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
    return frozenset({"C", "POSIX", *map(_without_charset, [*own, *locale_alias.values()])})


@functools.cache
def _keyboards() -> frozenset[str]:
    own = set()
    section = ""
    for line in _read("/usr/share/X11/xkb/rules/base.lst"):
        words = line.split()
        if line.startswith("!"):
            section = words[1]
        elif section == "layout" and words:
            own.add(words[0])
    return frozenset({*_KEYBOARDS.split(), *own} - {"custom"})


def _read(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
