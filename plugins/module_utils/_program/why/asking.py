# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""`netboot why`: reads what is new in the logs, and says of each machine how far it came."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Mapping, Sequence

from .. import listing, store
from ..contract import ANY, MAC
from ..events.event import Event
from ..settings import Settings
from ..states import Machine, State, unknown
from . import facts, telling
from .case import Case, Facts
from .verdict import FINE, Verdict, judge

MANY = "It stands for every machine that is not named otherwise: ask for one of them by its MAC address."


def tell(settings: Settings, asked: Sequence[str], *, as_json: bool) -> str:
    """The verdicts on these machines, named by name or MAC address. RefusedError when a name is not in the plan."""
    with listing.kept(settings) as stories:
        stories.refresh()
        machines = [_machine(settings, stories.names, one) for one in asked]
        known = facts.look(settings, stories)
        texts, raw = [], []
        for machine in machines:
            state, verdict = of_machine(settings, known, machine, stories.story(machine.mac))
            head = f"{machine.name or 'not in the inventory'} ({machine.mac}): {state.state if state else 'no state'}"
            reason = state.reason if state and state.state == "failed" else ""
            texts.append(telling.tell(head, verdict, reason))
            known_of = (
                {"state": state.state, "address": state.address} if state else {"state": "", "address": ""}
            )
            raw.append({**telling.plain(machine.name, machine.mac, verdict, reason), **known_of})
    return json.dumps(raw, indent=1) if as_json else "\n\n".join(texts)


def of_machine(
    settings: Settings, known: Facts, machine: Machine, story: Sequence[Event]
) -> tuple[State | None, Verdict]:
    """A machine's state and the verdict on it. known: what is so on the server. story: the machine's."""
    state = _state(settings, machine)
    if machine.mac == ANY:
        return state, Verdict(FINE, {}, MANY)
    case = Case(story, state, facts.of_machine(known, settings, machine.name, story))
    return state, judge(case, machine.name)


def _machine(settings: Settings, names: Mapping[str, str], asked: str) -> Machine:
    mac = asked.lower().replace("-", ":")
    if MAC.fullmatch(mac):
        return Machine(names.get(mac, ""), mac)
    return listing.chosen(settings, [asked])[0]


def _state(settings: Settings, machine: Machine) -> State | None:
    try:
        return store.look(settings.state, machine.mac)
    except (OSError, ValueError) as error:
        return replace(unknown(machine), state="failed", reason=f"its state file was damaged ({error})")
