# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""What community.general's modules are asked, to start a machine by its BMC, and what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The oldest release of community.general whose Redfish modules know C(validate_certs).
INSTALL = "ansible-galaxy collection install --upgrade 'community.general:>=10.6.0'"
#: Redfish's words for a machine that does not run (DSP0268, ComputerSystem, PowerState).
_OFF = ("Off", "PoweringOff")
#: Part of what a module says, and the remedy; the first that is found counts.
_REMEDIES = (
    (r"HTTP Error 40[13]|[Pp]assword|Unauthorized name", "see user and password, and what that user may do"),
    (
        r"(?i)certificate",
        "its certificate is not trusted: name the file of who signed it in ca_path, or say validate_certs: false",
    ),
    (
        r"library \(pyghmi\) on .*?Python (\S+?)\. Please",
        r"install it: \1 -m pip install pyghmi (Debian's Python: apt install python3-pyghmi)",
    ),
    (r"Unsupported parameters", f"community.general is too old: {INSTALL}"),
    (r"HTTP Error 404", "what answers there is no Redfish of a machine: see address and port"),
    (
        r"(?i)URL Error|timed? ?out|Failed GET|^no answer$",
        "nothing answers there: see address and port, and that the BMC lets itself be asked over the network",
    ),
)


class BmcError(ValueError):
    """The machine cannot be started so; the message says why, and the remedy."""


@dataclass(frozen=True)
class Call:
    """A module and what it is asked."""

    module: str
    options: Mapping[str, Any] = field(repr=False)  # with the password
    is_question: bool = False


def _place(power: Mapping[str, Any]) -> dict[str, Any]:
    """Where and as whom a module of this type logs in."""
    if power["type"] == "ipmi":
        place = {"name": power["address"], "user": power["user"]}
        more = {key: power[key] for key in ("port", "key") if power.get(key)}
    else:
        host = power["address"]
        host = f"[{host}]" if ":" in host else host  # IPv6
        place = {
            "baseuri": host + (f":{power['port']}" if power.get("port") else ""),
            "username": power["user"],
        }
        more = {key: power[key] for key in ("ca_path", "timeout") if power.get(key)}
        # the modules' own default is to trust whoever answers
        more["validate_certs"] = power.get("validate_certs", True)
    return {**place, **more, "password": power["password"]}


def question(power: Mapping[str, Any]) -> Call:
    """Return what changes nothing, and finds out whether the machine runs and could be started."""
    if power["type"] == "ipmi":
        return Call("community.general.ipmi_power", {**_place(power), "state": "on"}, is_question=True)
    asked = {"category": ["Systems"], "command": ["GetSystemInventory", "GetBootOverride"]}
    return Call("community.general.redfish_info", {**_place(power), **asked}, is_question=True)


def is_on(power: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Return whether the machine runs.

    :param answer: what the module of L(question) returned.
    :raises BmcError: when it could not be started so.
    """
    if answer.get("failed"):
        raise BmcError(told(answer))
    if power["type"] == "ipmi":
        return not answer.get("changed")  # in check mode: would it have to be switched on?
    facts = answer["redfish_facts"]
    systems = _by_uri(facts["system"])
    wanted = power.get("resource_id")
    chosen = [uri for uri, system in systems.items() if wanted in (None, system.get("Id"))]
    if len(chosen) != 1:
        there = ", ".join(str(system.get("Id")) for system in systems.values())
        raise BmcError(f"it has the machines {there or '(none)'}; name one of them in resource_id")
    (uri,) = chosen
    offered = _by_uri(facts["boot_override"]).get(uri, {})
    targets = offered.get("BootSourceOverrideTarget@Redfish.AllowableValues")
    if isinstance(targets, list) and bootdevice(power) not in targets:
        raise BmcError(
            f"it cannot be told to boot from {bootdevice(power)}, only from {', '.join(targets)}; see bootdevice"
        )
    return systems[uri].get("PowerState") not in _OFF


def _by_uri(told_of_systems: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {place["system_uri"]: told_of_it for place, told_of_it in told_of_systems.get("entries", [])}


def bootdevice(power: Mapping[str, Any]) -> str:
    """Return Redfish's word for the network."""
    return str(power.get("bootdevice") or "Pxe")


def calls(power: Mapping[str, Any], *, runs: bool) -> list[Call]:
    """Return what is done, in this order: the next boot is set to the network, then the machine is (re)started."""
    place = _place(power)
    if power["type"] == "ipmi":
        boot = {"bootdev": "network", "uefiboot": power.get("uefiboot", False)}
        return [
            Call("community.general.ipmi_boot", {**place, **boot}),
            Call("community.general.ipmi_power", {**place, "state": "reset" if runs else "on"}),
        ]
    place |= {"category": "Systems"} | _given(power, "resource_id")
    boot = {"bootdevice": bootdevice(power), **_given(power, "boot_override_mode")}
    switch = "PowerForceRestart" if runs else "PowerOn"
    return [
        Call("community.general.redfish_command", {**place, "command": ["SetOneTimeBoot"], **boot}),
        Call("community.general.redfish_command", {**place, "command": [switch]}),
    ]


def _given(power: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: power[key] for key in keys if power.get(key)}


def told(answer: Mapping[str, Any]) -> str:
    """Return what a module says that failed, with a remedy."""
    said = " ".join(str(answer.get("msg")).split())
    said = "no answer" if said == "None" else said  # so pyghmi says it
    said = re.sub(r", extended message: '(None|\[.*)'$", "", said)  # what is for programs
    short = said.split(". ")[0]
    for pattern, remedy in _REMEDIES:
        if found := re.search(pattern, said):
            return f"{short}; {found.expand(remedy)}"
    return f"{short}; its own pages and its log may say more"
