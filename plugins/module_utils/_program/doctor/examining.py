# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""`netboot doctor`: one check after the other, and what they found, in words."""

from __future__ import annotations

import json
import time
from typing import Iterator, Sequence

from ..contract import BOOT_SERVER
from ..settings import Settings
from ..why.facts import kinds
from . import disks, looking, network, services, targets
from .finding import SITE, WRONG, Finding, Result, clean


def tell(settings: Settings, *, as_json: bool) -> tuple[str, bool]:
    """What was found, and whether something is wrong."""
    results = list(examine(settings))
    is_wrong = any(one.level == WRONG for result in results for one in result.findings)
    return (plain(results) if as_json else text(results)), is_wrong


def examine(settings: Settings) -> Iterator[Result]:
    """Run all checks; it takes about five seconds, while answers are waited for."""
    units = looking.units()
    silent = [*services.stopped(units), *services.failed(units)]
    yield services.judge(units, looking.journal(silent))
    at = looking.place()
    if at is None:
        what = "the configuration of dnsmasq and nginx is not there, or not of this collection"
        yield Result(services.CHECK, [Finding(services.CHECK, looking.DNSMASQ, what, SITE)], "")
    else:
        yield from _asked(settings, at, silent)
    yield disks.judge_images(*looking.versions(settings))
    yield disks.judge_space(looking.space(settings))
    yield disks.judge_folders(looking.folders(settings))
    newest, path = looking.newest(settings)
    yield disks.judge_clock(time.time(), newest, path)


def _asked(settings: Settings, at: looking.Place, silent: Sequence[str]) -> Iterator[Result]:
    """What needs the network: entries and PXE.

    Nothing is asked as a kind that the configuration has no loader for: it would look like a machine that gets none.
    """
    promised = [arch for arch in kinds(at.dnsmasq) if arch in network.ARCHS]
    try:
        heard = looking.heard(at, promised)
    except OSError as error:
        what = f"nobody can be asked on this interface ({error.strerror or error})"
        remedy = (
            "switch the interface on, or correct netboot_interface and run the playbook homelab.netboot.site"
        )
        yield Result(network.PXE, [Finding(network.PXE, at.interface, what, remedy)], "")
        heard = {}
    wanted: dict[targets.Target, list[str]] = {}
    for name, words in looking.entries(settings):
        for target in targets.named(words, at.address):
            wanted.setdefault(target, []).append(name)
    for arch, one in heard.items():
        for target in targets.loaders(one.file, at.address) if one.file else ():
            wanted.setdefault(target, []).append(f"the answer to {network.ARCHS[arch]}")
    yield targets.judge(wanted, looking.fetch(at, wanted, silent), at.hosts, silent)
    if heard and BOOT_SERVER not in silent:
        yield network.judge_ours(heard, at.address, at.interface)
    if heard:
        yield network.judge_others(heard, at.address, at.interface)


def text(results: Sequence[Result]) -> str:
    """For a terminal: a line for each fault, with its remedy; and one for each check that found none."""
    lines = []
    for result in results:
        for one in result.findings:
            lines.append(clean(f"{one.level:7}{one.check}: {one.where}: {one.what}. Remedy: {one.remedy}."))
            lines += [f"{'':9}{clean(line)}" for line in one.shown_by]
        if not result.findings and result.good:
            lines.append(clean(f"{'ok':7}{result.check}: {result.good}"))
    found = [one.level for result in results for one in result.findings]
    lines.append(f"{found.count(WRONG) or 'Nothing'} {'are' if found.count(WRONG) > 1 else 'is'} wrong.")
    return "\n".join(lines)


def plain(results: Sequence[Result]) -> str:
    """For programs, as JSON."""
    told = [
        {
            "check": result.check,
            "good": clean(result.good),
            "findings": [
                {
                    "where": clean(one.where),
                    "level": one.level,
                    "what": clean(one.what),
                    "remedy": one.remedy,
                    "shown_by": [clean(line) for line in one.shown_by],
                }
                for one in result.findings
            ],
        }
        for result in results
    ]
    return json.dumps(told, indent=1)
