# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""`netboot doctor`: one check after the other, and what they found, in words."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Iterator, Mapping, Sequence

from ..contract import BOOT_SERVER
from ..files import FileSet
from ..plan import RefusedError
from ..settings import Settings
from ..why.facts import kinds
from . import abroad, disks, loaders, looking, network, questions, services, targets
from .finding import SITE, WRONG, Finding, Result, clean

#: In the state folder: what was found last, and when.
KEPT = "doctor.json"


def tell(settings: Settings, *, as_json: bool) -> tuple[str, bool]:
    """What was found, and whether something is wrong; it is kept for the status page, where that is possible."""
    results = list(examine(settings))
    kept = json.dumps({"asked": round(time.time()), "results": json.loads(plain(results))})
    with contextlib.suppress(OSError):
        FileSet(settings.state, 0o600, 0o700).write({KEPT: kept.encode()})
    return _told(results, as_json=as_json)


def tell_abroad(settings: Settings, answers: str, *, as_json: bool) -> tuple[str, bool]:
    """What another host found, from the answers that it brings; ValueError when they are none."""
    at, _dnsmasq = looking.place() or (None, "")
    silent = _silent(looking.units())
    return _told(list(abroad.judge(answers, at, silent) if at else [_unset()]), as_json=as_json)


def _told(results: Sequence[Result], *, as_json: bool) -> tuple[str, bool]:
    is_wrong = any(one.level == WRONG for result in results for one in result.findings)
    return (plain(results) if as_json else text(results)), is_wrong


def examine(settings: Settings) -> Iterator[Result]:
    """Run all checks; it takes about five seconds, while answers are waited for."""
    units = looking.units()
    silent = _silent(units)
    yield services.judge(units, looking.journal(silent))
    found = looking.place()
    if found is None:
        yield _unset()
    else:
        yield from _asked(settings, *found, silent)
    yield loaders.judge(looking.loaders_of(settings))
    yield disks.judge_images(*looking.versions(settings))
    yield disks.judge_space(looking.space(settings))
    yield disks.judge_folders(looking.folders(settings))
    newest, path = looking.newest(settings)
    yield disks.judge_clock(time.time(), newest, path)


def ask_abroad(settings: Settings) -> str:
    """What another host is to ask this server, as JSON for module boot_answers. RefusedError where nothing is there."""
    found = looking.place()
    if found is None:
        raise RefusedError(f"nothing is set up here that could be asked; {SITE}")
    at, dnsmasq = found
    heard = _heard(at, dnsmasq)
    return abroad.questions(at, heard, _wanted(settings, at, heard))


def _silent(units: services.Units) -> list[str]:
    return [*services.stopped(units), *services.failed(units)]


def _unset() -> Result:
    what = "the configuration of dnsmasq and nginx is not there, or not of this collection"
    return Result(services.CHECK, [Finding(services.CHECK, looking.DNSMASQ, what, SITE)], "")


def _heard(at: questions.Place, dnsmasq: str) -> dict[int, network.Heard]:
    """Who answers which kind of firmware.

    Nothing is asked as a kind that the configuration has no loader for: it would look like a machine that gets none.
    """
    return questions.heard(at, [arch for arch in kinds(dnsmasq) if arch in network.ARCHS])


def _wanted(
    settings: Settings, at: questions.Place, heard: Mapping[int, network.Heard]
) -> dict[targets.Target, list[str]]:
    """What machines will ask for, and who says so."""
    wanted: dict[targets.Target, list[str]] = {}
    for name, words in looking.entries(settings):
        for target in targets.named(words, at.address):
            wanted.setdefault(target, []).append(name)
    for arch, one in heard.items():
        for target in targets.loaders(one.file, at.address) if one.file else ():
            wanted.setdefault(target, []).append(f"the answer to {network.ARCHS[arch]}")
    return wanted


def _asked(settings: Settings, at: questions.Place, dnsmasq: str, silent: Sequence[str]) -> Iterator[Result]:
    """What needs the network: entries and PXE."""
    try:
        heard = _heard(at, dnsmasq)
    except OSError as error:
        what = f"nobody can be asked on this interface ({error.strerror or error})"
        remedy = (
            "switch the interface on, or correct netboot_interface and run the playbook homelab.netboot.site"
        )
        yield Result(network.PXE, [Finding(network.PXE, at.interface, what, remedy)], "")
        heard = {}
    wanted = _wanted(settings, at, heard)
    yield targets.judge(wanted, questions.fetch(at, wanted, silent), at.hosts, silent)
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
