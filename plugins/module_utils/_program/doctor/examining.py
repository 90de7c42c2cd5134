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
    ats, _dnsmasq = looking.places()
    silent = _silent(looking.units())
    return _told(list(abroad.judge(answers, ats, silent) if ats else [_unset()]), as_json=as_json)


def _told(results: Sequence[Result], *, as_json: bool) -> tuple[str, bool]:
    is_wrong = any(one.level == WRONG for result in results for one in result.findings)
    return (plain(results) if as_json else text(results)), is_wrong


def examine(settings: Settings) -> Iterator[Result]:
    """Run all checks; it takes about five seconds, while answers are waited for."""
    units = looking.units()
    silent = _silent(units)
    yield services.judge(units, looking.journal(silent))
    ats, dnsmasq = looking.places()
    yield from _asked(settings, ats, dnsmasq, silent) if ats else [_unset()]
    yield network.judge_relays(looking.unanswered())
    yield loaders.judge(looking.loaders_of(settings))
    yield disks.judge_images(*looking.versions(settings))
    yield disks.judge_space(looking.space(settings))
    yield disks.judge_folders(looking.folders(settings))
    newest, path = looking.newest(settings)
    yield disks.judge_clock(time.time(), newest, path)


def ask_abroad(settings: Settings) -> str:
    """What another host is to ask this server, as JSON for module boot_answers: a list, with an item for each network.
    RefusedError where nothing is there."""
    ats, dnsmasq = looking.places()
    if not ats:
        raise RefusedError(f"nothing is set up here that could be asked; {SITE}")
    heard = {at: _heard(at, dnsmasq) for at in ats}
    wanted = _wanted(settings, heard)
    return json.dumps([abroad.questions(at, heard[at], wanted) for at in ats])


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
    settings: Settings, heard: Mapping[questions.Place, Mapping[int, network.Heard]]
) -> dict[targets.Target, list[str]]:
    """What machines will ask for, and who says so. heard: in each network."""
    wanted: dict[targets.Target, list[str]] = {}
    at = next(iter(heard))
    first = at.address  # a file that is named without a server is the same in all networks
    for name, words in looking.entries(settings):
        for named in targets.named(words, first):
            # what a cache hands on it has from here; itself it does not answer this host
            target = named._replace(host=at.hosts["http"]) if named.host in settings.caches else named
            wanted.setdefault(target, []).append(name)
    for at, answers in heard.items():
        for arch, one in answers.items():
            for target in targets.loaders(one.file, at.address) if one.file else ():
                wanted.setdefault(target, []).append(f"the answer to {network.ARCHS[arch]}")
    return wanted


def _asked(
    settings: Settings, ats: Sequence[questions.Place], dnsmasq: str, silent: Sequence[str]
) -> Iterator[Result]:
    """What needs the networks: entries and PXE."""
    heard: dict[questions.Place, Mapping[int, network.Heard]] = {}
    for at in ats:
        try:
            heard[at] = _heard(at, dnsmasq)
        except OSError as error:
            heard[at] = {}
            what = f"nobody can be asked on this interface ({error.strerror or error})"
            remedy = (
                "switch the interface on, or correct netboot_interface (netboot_networks) and run the playbook "
                "homelab.netboot.site"
            )
            yield Result(network.PXE, [Finding(network.PXE, at.interface, what, remedy)], "")
    wanted = _wanted(settings, heard)
    answers: dict[targets.Target, str] = {}
    for at in ats:
        answers.update(questions.fetch(at, wanted, silent))
    yield targets.judge(wanted, answers, abroad.hosts(ats), silent)
    for at in ats:
        results = []
        if heard[at] and BOOT_SERVER not in silent:
            results.append(network.judge_ours(heard[at], at.address, at.interface))
        if heard[at]:
            results.append(network.judge_others(heard[at], at.address, at.interface, gives=at.gives))
        yield from (
            results if len(ats) == 1 else (abroad.said_of(one, f"on {at.interface}: ") for one in results)
        )


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
