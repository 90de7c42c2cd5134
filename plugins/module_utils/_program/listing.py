# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""The states as a table for people and as JSON for programs. Changes nothing."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Sequence

from . import fetches, store
from . import plan as plans
from .settings import Settings
from .states import Machine, State, printable

HEAD = ("machine", "mac", "image", "state", "since", "fetched", "reason")


def tell(settings: Settings, names: Sequence[str], *, as_json: bool) -> str:
    """The states of these machines, of all when none is named."""
    machines = chosen(settings, names)
    macs = {machine.mac: machine.name for machine in chosen(settings, [])}
    fetched = fetches.last(fetches.recent(), macs, settings.root)
    rows = [{**row(settings, machine), "fetched": shown(fetched.get(machine.name))} for machine in machines]
    return json.dumps(rows, indent=1) if as_json else table(rows)


def chosen(settings: Settings, names: Sequence[str]) -> list[Machine]:
    """These machines of the plan, all when none is named."""
    plan = plans.load(os.path.join(settings.state, "plan"))
    return plan.chosen(names or sorted(plan.machines))


def row(settings: Settings, machine: Machine) -> dict[str, Any]:
    """One machine. Its token is nobody's business."""
    try:
        state = store.look(settings.state, machine.name) or State()
    except (OSError, ValueError) as error:
        state = State("failed", "", f"its state file is damaged ({error})")
    return {
        "machine": machine.name,
        "mac": machine.mac,
        "image": machine.image,
        "install": machine.install,
        "state": state.state,
        "since": state.since,
        "reason": printable(state.reason),
    }


def shown(fetch: fetches.Fetch | None) -> str:
    """When and what."""
    if fetch is None:
        return ""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(fetch[0]))
    return f"{when} {printable(fetch[1])}"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Aligned columns."""
    cells: list[Sequence[str]] = [HEAD, *([str(one[column] or "-") for column in HEAD] for one in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells
    )
