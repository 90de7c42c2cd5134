# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""What is known of this server as metrics: Prometheus' text format (version 0.0.4), and the same as JSON. Pure."""

from __future__ import annotations

import json
import re
from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from .page.known import Known
from .states import STATES, printable
from .why.milestones import MILESTONES
from .why.verdict import WRONG

PREFIX = "homelab_netboot_"


class Metric(NamedTuple):
    """One metric. name: without the prefix. samples: labels → value."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def text(known: Known) -> str:
    """For node_exporter's textfile collector. A metric without samples is left out."""
    lines = []
    for metric in metrics(known):
        name = PREFIX + metric.name
        if metric.samples:
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
            lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def plain(known: Known) -> str:
    """As JSON: metric → samples, each its labels and its value."""
    told = {
        PREFIX + metric.name: [{"labels": dict(labels), "value": value} for labels, value in metric.samples]
        for metric in metrics(known)
    }
    return json.dumps(told) + "\n"


def metrics(known: Known) -> list[Metric]:
    """All metrics."""
    return [*_of_machines(known), *_of_server(known)]


def _of_machines(known: Known) -> Iterator[Metric]:
    rows = known.rows
    one = [{"machine": row.machine} for row in rows]
    info = [{**of, "mac": row.mac, "image": row.image, "install": row.install} for of, row in zip(one, rows)]
    yield Metric("machine_info", "gauge", "A machine of the inventory; always 1.", [(of, 1) for of in info])
    states = [({**of, "state": word}, row.state == word) for of, row in zip(one, rows) for word in STATES]
    yield Metric("machine_state", "gauge", "Whether a machine is in this state.", states)
    since = [(of, row.since) for of, row in zip(one, rows) if row.since]
    yield Metric("machine_state_timestamp_seconds", "gauge", "When its state began, since 1970.", since)
    seen = [(of, row.seen) for of, row in zip(one, rows) if row.seen]
    yield Metric("machine_seen_timestamp_seconds", "gauge", "When it was last heard of, since 1970.", seen)
    steps = f"How many of the {len(MILESTONES)} steps to an installed machine its last boot has made."
    yield Metric("machine_steps", "gauge", steps, [(of, row.step) for of, row in zip(one, rows)])
    stuck = [(of, row.verdict == WRONG) for of, row in zip(one, rows)]
    yield Metric(
        "machine_stuck", "gauge", "Whether something keeps it from going on; netboot why says what.", stuck
    )


def _of_server(known: Known) -> Iterator[Metric]:
    counts = [({"state": word}, sum(row.state == word for row in known.rows)) for word in STATES]
    yield Metric("machines", "gauge", "Machines of the inventory, by state.", counts)
    strangers = "Machines that asked and that the inventory does not name, of those that are remembered."
    yield Metric("unknown_machines", "gauge", strangers, [({}, known.many)])
    ended = _counted("outcome", known.ended, ("installed", "failed"))
    yield Metric("installations_total", "counter", "Installations that ended, by how.", ended)
    sent = _counted("protocol", known.sent, ("http", "tftp"))
    yield Metric("sent_bytes_total", "counter", "Bytes that were sent to machines.", sent)
    yield Metric("reports_refused_total", "counter", "Reports that were thrown away.", [({}, known.refused)])
    yield Metric(
        "notes_waiting", "gauge", "Reports and notes that are not handled yet.", [({}, known.waiting)]
    )
    images = [
        ({"image": one.name, "version": one.version, "release": one.release}, one.bytes)
        for one in known.images
    ]
    yield Metric("image_size_bytes", "gauge", "Size of the ISO of an image that is in use.", images)
    checks = dict.fromkeys(one.check for one in known.findings)
    levels = [
        (
            {"check": check, "level": level},
            sum((one.check, one.level) == (check, level) for one in known.findings),
        )
        for check in checks
        for level in ("wrong", "note")
    ]
    yield Metric("doctor_findings", "gauge", "What netboot doctor found when it was asked last.", levels)
    asked = "When netboot doctor was asked last, since 1970; 0 for never."
    yield Metric("doctor_timestamp_seconds", "gauge", asked, [({}, known.asked)])


def _counted(
    label: str, counts: Mapping[str, int], always: Iterable[str]
) -> list[tuple[Mapping[str, str], float]]:
    """A counter that is there from the beginning, so that its first step can be seen."""
    names = sorted({*always, *counts})
    return [({label: name}, counts.get(name, 0)) for name in names]


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_value(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _value(value: str) -> str:
    """Escaped as the format wants it."""
    return re.sub(r'(["\\])', r"\\\1", printable(value))


def _number(value: float) -> str:
    return repr(round(float(value), 3)) if value != int(value) else str(int(value))
