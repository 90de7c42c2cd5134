# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The states as a table for people and as JSON for programs. Changes no state."""

from __future__ import annotations

import json
import os
import textwrap
import time
from dataclasses import replace
from typing import Any, Sequence

from . import plan as plans
from . import store
from .contract import TFTP
from .events import event as kinds
from .events import progress
from .events.kept import Kept
from .settings import Settings
from .states import THERE, Machine, printable, unknown

HEAD = ("machine", "mac", "image", "state", "since (UTC)", "address", "last fetched (UTC)")
KEYS = ("machine", "mac", "image", "state", "since", "address", "fetched")
#: Characters of a line.
WIDTH = 100


def tell(settings: Settings, names: Sequence[str], *, as_json: bool) -> str:
    """The states of these machines, of all when none is named."""
    machines = chosen(settings, names)
    with kept(settings) as stories:
        stories.refresh()
        told = {machine.name: stories.story(machine.mac) for machine in machines}
    rows = [row(settings, machine, told[machine.name]) for machine in machines]
    return json.dumps(rows, indent=1) if as_json else table(rows)


def kept(settings: Settings) -> Kept:
    """The machines' stories."""
    names = {machine.mac: machine.name for machine in chosen(settings, [])}
    return Kept(settings.state, names, os.path.join(settings.root, TFTP))


def last(story: Sequence[kinds.Event]) -> str:
    """When it fetched or reported something last, and what."""
    for event in reversed(story):
        if event.is_fetched or (event.kind == kinds.HTTP and event.status in (201, 204)):
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event.time))
            return f"{when} {printable(event.name)}"
    return ""


def chosen(settings: Settings, names: Sequence[str]) -> list[Machine]:
    """These machines of the plan, all when none is named."""
    plan = plans.load(os.path.join(settings.state, "plan"))
    return plan.chosen(names or sorted(plan.machines))


def step_of(state: str, story: Sequence[kinds.Event]) -> str:
    """At which step of its installer a machine is, or which one failed; empty when neither is so."""
    steps = progress.of_last(story)
    going, failed = progress.present(steps), progress.failure(steps)
    if state == "installing" and going and not failed:
        return going.name + (f" ({going.text})" if going.text else "")
    return f"failed at {failed.name.partition(progress.MARK)[2]}" if state not in THERE and failed else ""


def row(settings: Settings, machine: Machine, story: Sequence[kinds.Event] = ()) -> dict[str, Any]:
    """One machine. Its token is nobody's business."""
    try:
        state = store.look(settings.state, machine.mac) or unknown(machine)
    except (OSError, ValueError) as error:
        state = replace(unknown(machine), state="failed", reason=f"its state file is damaged ({error})")
    return {
        "machine": machine.name,
        "mac": machine.mac,
        "image": machine.image,
        "install": machine.install,
        "state": state.state,
        "since": state.since,
        "reason": printable(state.reason),
        "address": state.address,
        "host_keys": list(state.host_keys),
        "step": printable(step_of(state.state, story)),
        "fetched": last(story),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Aligned columns; below a machine's line the reason of its state, where there is one."""
    lines = [HEAD, *(tuple(_short(key, str(one[key] or "-")) for key in KEYS) for one in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    told = []
    for line, one in zip(lines, [{}, *rows]):
        told.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        for text in (one.get("reason", ""), one.get("step", "")):
            told += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(told)


def _short(key: str, text: str) -> str:
    """Times without year and seconds, files without their folders."""
    when, _space, path = text.partition(" ")
    if key not in ("since", "fetched") or len(when) != len("2026-11-25T16:58:35Z"):
        return text
    return f"{when[5:10]} {when[11:16]} {path.rpartition('/')[2]}".rstrip()
