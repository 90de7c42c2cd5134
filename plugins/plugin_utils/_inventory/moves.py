# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Machines that get another server: what the servers know of them, and whether they may move in this run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.homelab.netboot.plugins.plugin_utils._faults import gather

Answer = Mapping[str, Any]
"""What Ansible registers of M(homelab.netboot.machine_moves) for one server, with its name as C(item)."""


def known(answers: Iterable[Answer]) -> dict[str, list[Mapping[str, Any]]]:
    """Return MAC → what each of the servers told of the machine."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for answer in answers:
        for mac, told in (answer.get("known") or {}).items():
            found.setdefault(mac, []).append(told)
    return found


def faults(
    answers: Iterable[Answer], names: Mapping[str, str], in_run: Collection[str], *, begun: bool = False
) -> list[str]:
    """Return why machines cannot come to a server in this run.

    :param answers: of all other servers.
    :param names: of the machines that are new to it, by MAC.
    :param in_run: servers that are configured side by side with it.
    :param begun: whether the others have been asked to give them.
    """
    found = []
    for answer in answers:
        other = str(answer.get("item"))
        if "known" not in answer:
            what = str(answer.get("msg") or "no answer").strip().rstrip(".")
            for name in names.values():
                found.append((name, _unknown(other, what)))
            continue
        for mac, told in answer["known"].items():
            why = "" if told["given"] else _held(other, told, in_run, begun)
            if why:
                found.append((names.get(mac, mac), why))
    return gather(found)


def _unknown(other: str, what: str) -> str:
    return (
        f"netboot_server: new to this server, and {other} cannot be asked whether it has it already ({what}). "
        f"Make {other} reachable; if it is gone for good, take it out of netboot_servers"
    )


def _held(other: str, told: Mapping[str, Any], in_run: Collection[str], begun: bool) -> str:
    """Why a server does not give a machine that it has; empty when it will."""
    if told["state"] == "installing":
        return (
            f"netboot_server: {other} is installing it just now; wait until that is over, or run there: netboot disarm "
            f"{told['name']}"
        )
    if other not in in_run:
        return (
            f"netboot_server: {other} has it, and would go on answering it, since it is not in this run; let the run "
            f"have both: leave out -l, or add {other} to it"
        )
    return f"netboot_server: {other} has not given it; run homelab.netboot.site again" if begun else ""
