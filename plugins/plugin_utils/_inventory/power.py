# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""How a machine is switched on, C(netboot_power), checked: the management controller (BMC) that it has."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.contract import ANY
from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import suggest

_TEXT, _NUMBER, _SWITCH = "text", "a number", "true or false"
_COMMON = {"type": _TEXT, "address": _TEXT, "port": _NUMBER, "user": _TEXT, "password": _TEXT}
#: Kinds of BMC, with the keys that each knows. All but the common ones are named as in community.general's modules.
TYPES: Mapping[str, Mapping[str, str]] = {
    "redfish": {
        **_COMMON,
        "resource_id": _TEXT,
        "bootdevice": _TEXT,
        "boot_override_mode": _TEXT,
        "validate_certs": _SWITCH,
        "ca_path": _TEXT,
        "timeout": _NUMBER,
    },
    "ipmi": {**_COMMON, "key": _TEXT, "uefiboot": _SWITCH},
}
PORTS = {"redfish": 443, "ipmi": 623}
_NEEDED = ("address", "user", "password")
_WORDS: Mapping[str, Collection[str]] = {
    "bootdevice": ("Pxe", "UefiHttp"),
    "boot_override_mode": ("Legacy", "UEFI"),
}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_KEY = re.compile(r"([0-9A-Fa-f]{2})+")
EXAMPLE = "{type: redfish, address: 192.168.1.60, user: admin, password: …}"


def faults(power: Any, mac: Any = None) -> list[str]:
    """Return what is wrong with C(netboot_power), each with the key and the remedy; never with a value that is secret.

    :param mac: the machine's, where it is known.
    """
    if not isinstance(power, Mapping):
        return [f"must be a mapping such as {EXAMPLE}"]
    if not power:
        return []
    if mac == ANY:
        return ["one BMC for whatever boots; name each machine with its netboot_mac, or leave this out"]
    if str(power.get("type")) not in TYPES:
        return [f"type: must be one of {', '.join(TYPES)}"]
    known = TYPES[power["type"]]
    found = [f"{key}: no such key; {suggest(str(key), known)}" for key in power if key not in known]
    found += [f"{key}: is missing; write the BMC's own" for key in _NEEDED if power.get(key) in (None, "")]
    found += [
        f"{key}: must be {kind}" + (", so put it in quotes" if kind is _TEXT else "")
        for key, kind in known.items()
        if power.get(key) not in (None, "") and not _is(power[key], kind)
    ]
    return found or [*_value_faults(power)]


def _is(value: Any, kind: str) -> bool:
    if kind is _SWITCH:
        return isinstance(value, bool)
    if kind is _NUMBER:
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**16
    return isinstance(value, str)


def _value_faults(power: Mapping[str, Any]) -> Iterable[str]:
    if not is_address(power["address"]):
        yield "address: must be the BMC's address or host name alone, like 192.168.1.60, without https:// and port"
    for key, words in _WORDS.items():
        if power.get(key) and power[key] not in words:
            yield f"{key}: must be one of {', '.join(words)}"
    if power.get("key") and not _KEY.fullmatch(power["key"]):
        yield "key: must be hexadecimal digits, two for each byte"


def is_address(text: str) -> bool:
    """Whether it is an IP address or a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_NAME.fullmatch(text)) and not text.replace(".", "").isdigit()
    return True


def doubled(machines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a fault for every BMC that would switch two machines.

    One BMC may have several machines (a chassis); then each must say which one it is.

    :param machines: with C(name) and C(power), in which nothing else is wrong.
    """
    found = []
    seen: dict[tuple[str, Any], list[tuple[str, Any]]] = {}
    for machine in machines:
        power = machine["power"]
        if not isinstance(power, Mapping) or faults(power) or not power:
            continue
        port = power.get("port")
        place = (power["address"].lower(), None if port == PORTS[power["type"]] else port)
        mine = power.get("resource_id")
        for name, theirs in seen.get(place, []):
            if mine is None or theirs is None or mine == theirs:
                found.append(
                    f"machines {name} and {machine['name']}: netboot_power: both have the BMC {power['address']}; "
                    "each needs its own, or a resource_id of its own where one BMC has several machines (Redfish)"
                )
        seen.setdefault(place, []).append((machine["name"], mine))
    return found
