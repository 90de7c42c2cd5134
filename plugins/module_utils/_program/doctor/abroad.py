# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What another host of the network is to ask this server, and what its answers mean. Pure.

What the server asks itself passes no switch, and few rules of its own firewall; what another host asks passes all.
"""

from __future__ import annotations

import json
from typing import Any, Iterator, Mapping, Sequence

from ..contract import BOOT_SERVER
from . import network, targets
from .finding import Result
from .pxe import Answer
from .questions import Place


def questions(
    at: Place, heard: Mapping[int, network.Heard], wanted: Mapping[targets.Target, Sequence[str]]
) -> dict[str, Any]:
    """Return what to ask in one network: options of module boot_answers. heard, wanted: as the server finds them.

    Files by other names of this server are left out: the server itself has said what is wrong with them.
    """
    files = [
        [*target, sorted(set(who))] for target, who in wanted.items() if target.host == at.hosts[target.way]
    ]
    return {"address": at.address, "port": at.port, "archs": sorted(heard), "files": files}


def hosts(ats: Sequence[Place]) -> Mapping[str, Sequence[str]]:
    """By way, how entries name this server in its networks."""
    return {way: [at.hosts[way] for at in ats] for way in targets.SERVICES}


def answers(
    host: str, at: Place, heard: Mapping[int, network.Heard], files: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """Return what a host brings back, as plain data.

    :param host: its name, for people. at: its interface, and the server's address. heard: as there.
    :param files: way, host, path, by whom it is named, and what came: empty when it is handed out, else what is wrong.
    """
    told = {
        str(arch): {
            "file": one.file,
            "offers": [{**offer._asdict(), "item": ""} for offer in one.offers],
        }
        for arch, one in heard.items()
    }
    return {
        "host": host,
        "address": at.address,
        "interface": at.interface,
        "heard": told,
        "files": [list(one) for one in files],
    }


def judge(text: str, ats: Sequence[Place], silent: Sequence[str]) -> Iterator[Result]:
    """Say what is wrong with what the other host heard, in one network or in several.

    ValueError when the text is no list of L(answers).

    silent: services that do not run; what follows from that is not said again.
    """
    listed = json.loads(text)
    if not isinstance(listed, list) or not listed:
        raise ValueError("these are no answers of module boot_answers")
    for told in listed:
        yield from _judge(told, ats, silent)


def _judge(told: Any, ats: Sequence[Place], silent: Sequence[str]) -> Iterator[Result]:
    try:
        host, interface, address = str(told["host"]), str(told["interface"]), str(told["address"])
        heard = {int(arch): _heard(one) for arch, one in told["heard"].items()}
        files = [
            (targets.Target(way, to, path), list(who), said) for way, to, path, who, said in told["files"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"these are no answers of module boot_answers ({error!r})") from error
    wanted = {target: who for target, who, _said in files}
    came = {target: str(said) for target, _who, said in files}
    found = [targets.judge(wanted, came, hosts(ats), silent)]
    if heard and BOOT_SERVER not in silent:
        found.append(network.judge_ours(heard, address, interface))
    for result in found:
        yield _between(result, host, address)
    if heard:
        gives = any(at.gives for at in ats if at.address == address)
        others = network.judge_others(heard, address, interface, gives=gives)
        yield said_of(others, f"asked from {host}: ")


def _heard(told: Mapping[str, Any]) -> network.Heard:
    offers = [Answer(**{**one, "item": b""}) for one in told["offers"]]
    return network.Heard(offers, str(told["file"]))


def _between(result: Result, host: str, address: str) -> Result:
    """Of what the server finds in order when it asks itself, something between them is in the way."""
    remedy = (
        f"when the server itself finds nothing wrong with it, something between {host} and {address} is in the way: "
        "a firewall of the server (netboot_firewall: true opens it), another network or VLAN, or a switch that drops "
        "broadcasts or DHCP"
    )
    return said_of(
        result._replace(findings=[one._replace(remedy=remedy) for one in result.findings]),
        f"asked from {host}: ",
    )


def said_of(result: Result, where: str) -> Result:
    """The same, each of its sentences behind a few words that say where it is so."""
    return Result(
        result.check,
        [one._replace(what=where + one.what) for one in result.findings],
        where + result.good if result.good else "",
    )
