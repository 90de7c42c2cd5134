# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows, and what the collection says of each before the machine is switched on; its own functions say it."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._program.why.verdict import judge
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import pairs
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import uefi
from ansible_collections.homelab.netboot.tests.unit.why import faults

#: What firmware knows, and who signed the shim: Debian's has both signatures, of which one can be cut away.
KNOWS = (("2011",), ("2023",), ("2011", "2023"))
SIGNED: Mapping[tuple[str, ...], tuple[int, ...]] = {("2011", "2023"): (), ("2011",): (2,), ("2023",): (1,)}
#: What those of `make test` hold: the firmware of today, a new one, and a shim that is too old for the new one.
FEW = (
    (("2011",), ("2011", "2023")),
    (("2023",), ("2023",)),
    (("2023",), ("2011",)),
)
_REFUSES = re.compile(r"knows nothing but Microsoft's authority of (\d+) says 'Security Violation'")


@dataclass(frozen=True)
class Row:
    """A firmware that knows some authorities, and a shim that some have signed."""

    knows: tuple[str, ...]
    signed: tuple[str, ...]

    @property
    def name(self) -> str:
        """The row's name in the table and in folders."""
        return f"knows-{'-'.join(self.knows)}-shim-{'-'.join(self.signed)}"

    @property
    def fit(self) -> bool:
        """Whether firmware starts the shim: the right answer, from neither the collection nor the firmware."""
        return bool({*self.knows} & {*self.signed})


ROWS = tuple(Row(*one) for one in itertools.product(KNOWS, SIGNED))


@dataclass(frozen=True)
class Said:
    """What the collection says before: the run's sentence, and the fault for a machine that asks for an authority."""

    signers: tuple[str, ...]
    sentence: str
    faults: Mapping[str, str]  # by authority that a machine asks for; empty when it is served

    def predicts(self, knows: Sequence[str]) -> str:
        """What a machine comes to whose firmware knows these authorities: started or refused."""
        refusing = set(_REFUSES.findall(self.sentence))
        return "refused" if {*knows} <= refusing else "started"


def _known(**more: Any) -> uefi.Known:
    """A server with one image, for the pure function that decides about loaders."""
    image = {"noble": {"arch": "amd64"}}
    seen = {"noble": {"present": True, "changed": False}}
    usual = {
        "uefi": "auto",
        "pair": {},
        "root": "/srv",
        "images": image,
        "seen": seen,
        "packages": uefi.TOOLS,
    }
    return uefi.Known(**{**usual, "before": (), "asking": (), "check": False, **more})


def _answer(question: Mapping[str, Any], shim: Path, grub: Path, sbverify: str) -> dict[str, Any]:
    """What module efi_loaders answers when these two are the candidate; kernels are not what is asked here."""
    authority = None if question["authority"] == uefi.ANYBODY else question["authority"]
    with tempfile.TemporaryDirectory() as folder:
        judging = pairs.Judge("x64", "2.12", [], sbverify, folder, authority)
        plan = pairs.decide(f"{folder}/efi", [pairs.Candidate("Debian's", str(shim), str(grub))], judging)
    fit = plan.fit
    return {
        "item": question,
        "needed": True,
        "source": fit.source if fit else None,
        "vendor": fit.vendor if fit else None,
        "signers": list(fit.signers) if fit else [],
        "authorities": pairs.authorities(fit.signers) if fit else [],
        "grub_version": plan.loaders[1].version if fit else None,
        "refused": [],
        "rejected": plan.rejected,
    }


def said(shim: Path, grub: Path, sbverify: str) -> Said:
    """Ask the collection about a shim and a GRUB."""
    (question,) = uefi.decide(_known())["install"]
    answer = _answer(question, shim, grub, sbverify)
    (sentence,) = uefi.decide(_known(judged=[answer]))["say"]
    found = {}
    for year in pairs.AUTHORITIES.values():
        asking = [{"machine": "nuc1", "image": "noble", "wants": year}]
        (look,) = uefi.decide(_known(asking=asking))["look"]
        judged = _answer(look, shim, grub, sbverify)
        found[year] = " ".join(uefi.decide(_known(asking=asking, judged=[judged]))["faults"])
    return Said(tuple(answer["signers"]), sentence, found)


def why() -> str:
    """The cause that `netboot why` finds when shim was fetched, and nothing after it."""
    stopped = faults.Fault("", "", faults.UEFI, edit=faults.until("tftp efi/shimx64.efi"))
    return judge(stopped.case(), "x").key


def wrong(row: Row, before: Said, became: str) -> list[str]:
    """What is not as it must be."""
    found = []
    right = "started" if row.fit else "refused"
    if became != right:
        found.append(f"the firmware {became} it, and must have {right} it")
    if before.predicts(row.knows) != became:
        found.append(f"the run predicted {before.predicts(row.knows)}: {before.sentence}")
    if [pairs.AUTHORITIES.get(name) for name in before.signers] != list(row.signed):
        found.append(f"signers were read as {before.signers}")
    # Who writes what the firmware knows is served just then when it starts.
    if len(row.knows) == 1 and (before.faults[row.knows[0]] == "") is not row.fit:
        found.append(f"netboot_secure_boot_ca: {row.knows[0]}: {before.faults[row.knows[0]] or 'served'}")
    return found
