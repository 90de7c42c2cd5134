# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Packages once: how the installer's apt goes through the server's cache, and which mirrors the machines name.

Facts (canonical/subiquity: server/apt.py, server/controllers/install.py; canonical/curtin: commands/apt_config.py):

- C(apt: conf) is written by curtin to L(CONF) before the mirrors are tried, below the system that is to be installed.
  apt reads it for that trial, for the packages, and for the updates at the end.
- It stays there. Late-commands run when all of that is over, so they can take it away again.
- C(proxy) and C(apt: http_proxy) would do, too; the first also goes to snaps and to cloud-init of the installed system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

#: Where curtin puts C(apt: conf), in the system that is installed.
CONF = "/target/etc/apt/apt.conf.d/94curtin-config"
#: Stands in each line that is ours, as a comment of apt's.
MARK = "netboot_apt_cache"
#: The user's own words about a proxy; then the cache is not used.
_PROXIES = ("proxy", "http_proxy", "https_proxy", "ftp_proxy")
#: What says no mirror.
_NO_MIRRORS = (*_PROXIES, "conf", "debconf_selections", "preferences")
#: Mirrors of Ubuntu itself, with those of countries that Subiquity takes by itself (models/mirror.py: countrify_uri).
UBUNTU = re.compile(r"(?:(?:[a-z]{2}\.)?(?:archive|ports)|security)\.ubuntu\.com")
#: They end up in nginx's configuration. A port only where it is written.
HOST = re.compile(r"(?=.{1,100}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{0,4})?")
_URI = re.compile(r"(?P<scheme>https?)://(?:[^/\s@\]]*@)?(?P<host>[^/\s\]]+)", re.IGNORECASE)
#: Where curtin of 20.04 looks for a personal archive; later ones do so by TLS.
_PPA, _PPA_HOST = re.compile(r"^ppa:"), "ppa.launchpad.net"


def conf(base_url: str, roots: Iterable[str], own: str = "") -> str:
    """Return C(apt: conf) with the cache behind the user's own lines.

    What goes by TLS cannot be kept by anybody in between, and apt would send it the way of C(http), too. Nor is what
    the server itself serves.

    :param base_url: where the machine reaches the cache.
    :param roots: all that this may be when the machine asks.
    """
    direct = [f'Acquire::http::Proxy::{urlsplit(root).hostname} "DIRECT";' for root in roots]
    lines = (f'Acquire::http::Proxy "{base_url}/";', *direct, 'Acquire::https::Proxy "DIRECT";')
    before = own if not own or own.endswith("\n") else own + "\n"
    return before + "".join(f"{line} // {MARK}\n" for line in lines)


def take_away() -> str:
    """Return the command that leaves the installed system with its ordinary sources, and the user's own lines."""
    return f"if [ -e {CONF} ]; then sed -i /{MARK}/d {CONF} && {{ [ -s {CONF} ] || rm {CONF}; }}; fi"


def own_proxy(given: Mapping[str, Any]) -> str:
    """Return the user's setting that names another proxy, as a path; or nothing."""
    if given.get("proxy"):
        return "proxy"
    apt = given.get("apt")
    if not isinstance(apt, Mapping):
        return ""
    if re.search(r"https?::Proxy", str(apt.get("conf") or ""), re.IGNORECASE):
        return "apt.conf"
    return next((f"apt.{key}" for key in _PROXIES if apt.get(key)), "")


def by_tls(given: Mapping[str, Any]) -> list[str]:
    """Return the mirrors that are asked by TLS, and so past the cache."""
    return sorted({host for scheme, host in _mirrors(given.get("apt")) if scheme == "https"})


def hosts(given: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the mirrors besides Ubuntu's own that installations name, each as C(host) or C(host:port).

    :param given: settings of the installer. What is no name of a host is left out, and so refused by the server.
    """
    named = {host for one in given for scheme, host in _mirrors(one.get("apt")) if scheme == "http"}
    return sorted(host for host in named if is_mirror(host) and not is_ubuntu(host))


def is_mirror(host: str) -> bool:
    """Return whether it is written as a mirror's host must be."""
    return bool(HOST.fullmatch(host))


def is_ubuntu(host: str) -> bool:
    """Return whether it is one of Ubuntu's own mirrors."""
    return bool(UBUNTU.fullmatch(host))


def _mirrors(apt: Any) -> Iterator[tuple[str, str]]:
    """Yield scheme and host of every address below C(apt)."""
    for text in _texts(
        {key: apt[key] for key in apt if key not in _NO_MIRRORS} if isinstance(apt, Mapping) else {}
    ):
        for found in _URI.finditer(text):
            yield found["scheme"].lower(), found["host"].lower()
        if _PPA.match(text):
            yield "http", _PPA_HOST


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one) if key != "key" else ()  # a key's text may name its maker
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
