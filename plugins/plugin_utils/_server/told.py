# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What servers tell of their machines (/status/machines.json), checked: whoever answers could have made it up."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import (
    ANY,
    MAC,
    STATUS,
    TOLD,
    TOLD_VERSION,
    is_host_name,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import gather

#: Of one machine.
KEYS = ("state", "phase", "since", "address", "mac", "image")
#: A server's address, as messages show it.
EXAMPLE = "http://192.168.1.50"
#: Names that Ansible takes for the controller.
_CONTROLLER = ("localhost", "127.0.0.1")
_WORD, _IMAGE = re.compile(r"[a-z][a-z0-9_]{0,30}"), re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
Machines = dict[str, dict[str, Any]]


class Told(NamedTuple):
    """All servers together. machines: name → KEYS and C(server). notes: what is to be said of it."""

    machines: Machines
    notes: list[str]


def address_of(server: Any) -> str:
    """Return where a server tells of its machines.

    :raises ValueError: when that is not the address of a server.
    """
    try:
        parts = urlsplit(server if isinstance(server, str) else "")
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"servers: '{server}' is not the address of a server; write it like {EXAMPLE} or {EXAMPLE}:8080"
        )
    return f"{parts.scheme}://{parts.netloc}/{STATUS}/{TOLD}"


def read(text: bytes | str, where: str) -> Machines:
    """Return what a server tells, in Python's own types.

    :param text: what it answered.
    :param where: the address that was asked, for messages.
    :raises ValueError: when that is not what this version of the program writes.
    """
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"{where}: {_NOT_OURS}") from None
    if not isinstance(answer, Mapping) or not isinstance(answer.get("version"), int):
        raise ValueError(f"{where}: {_NOT_OURS}")
    if answer["version"] != TOLD_VERSION:
        raise ValueError(
            f"{where}: tells version {answer['version']}, and this collection reads version {TOLD_VERSION}; run "
            "homelab.netboot.site for this server with the collection that is used here"
        )
    machines = answer.get("machines")
    if not isinstance(machines, Mapping):
        raise ValueError(f"{where}: {_NOT_OURS}")
    return {str(name): _machine(str(name), entry, where) for name, entry in machines.items()}


_NOT_OURS = (
    "this is not what the server's program writes; another web server may answer there (look at netboot_http_port), or "
    "run homelab.netboot.site again"
)


def _machine(name: str, entry: Any, where: str) -> dict[str, Any]:
    """One machine; what is not known of it is None."""
    if not is_host_name(name) or name.lower() in _CONTROLLER:
        raise ValueError(f"{where}: {name[:80]!r} is not a machine's name; {_NOT_OURS}")
    for key in KEYS:
        value = entry.get(key) if isinstance(entry, Mapping) else None
        if not (
            _FORMS[key](value) if isinstance(value, str) else value is None and key not in ("state", "mac")
        ):
            raise ValueError(
                f"{where}: machine {name}: {key}: {str(value)[:80]!r} cannot be used; {_NOT_OURS}"
            )
    return {key: entry.get(key) for key in KEYS}


def _is_address(text: str) -> bool:
    """Whether a machine in the boot network can have it; this host's own, say, it cannot."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_multicast or address.is_reserved or address.is_unspecified)


_FORMS: Mapping[str, Callable[[str], Any]] = {
    "state": _WORD.fullmatch,
    "phase": _WORD.fullmatch,
    "since": _MOMENT.fullmatch,
    "address": _is_address,
    "mac": lambda text: text == ANY or MAC.fullmatch(text),
    "image": _IMAGE.fullmatch,
}


def together(answers: Mapping[str, Machines]) -> Told:
    """Return the machines of all servers.

    :param answers: server → what L(read) returned; of a machine that two know, the first one's word counts.
    """
    told = Told({}, [])
    twice: list[tuple[str, str]] = []
    for server, machines in answers.items():
        for name, entry in machines.items():
            other = told.machines.setdefault(name, {**entry, "server": server})["server"]
            if other != server:
                fault = (
                    f"both {other} and {server} tell of it; what {other} says is taken, which stands first in servers. "
                    "Take it out of the inventory of one of them, and run homelab.netboot.site there"
                )
                twice.append((name, fault))
    told.notes.extend(gather(twice))
    _part(told)
    return told


def _part(told: Told) -> None:
    """Leave an address that two machines told, as a router gives it on, to the one that told it last."""
    last: dict[str, str] = {}
    for name, entry in told.machines.items():
        other = last.setdefault(entry["address"], name) if entry["address"] else name
        if other == name:
            continue
        old, new = sorted((other, name), key=lambda one: told.machines[one]["since"] or "")
        last[entry["address"]] = new
        told.notes.append(
            f"machines {old} and {new}: both told the address {entry['address']}; {new} did so last and keeps it. "
            f"Write ansible_host for {old}, or give it an address of its own in the router"
        )
        told.machines[old]["address"] = None
