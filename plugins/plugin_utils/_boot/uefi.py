# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface, may change in any release.
"""Which loaders the server offers: all that is decided about them, from what is known so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import (
    BY_IPXE,
    DEBIAN_ARCHS,
    GRUB_FILES,
    IPXES,
    MANIFEST,
    PAIRS,
    SHIM_ENDINGS,
    SHIM_FILES,
    YEARS,
)
from ansible_collections.homelab.netboot.plugins.plugin_utils import _noted
from ansible_collections.homelab.netboot.plugins.plugin_utils._inventory import quirks

#: What is needed to read images and to judge pairs; the first two bring the loaders for BIOS.
TOOLS = ("pxelinux", "syslinux-common", "python3-pycdlib", "sbsigntool")
IPXE_PACKAGE = "ipxe"
VERIFIER = "gpgv"
REDUCER = "xorriso"
#: Where Debian's and Ubuntu's packages pxelinux and syslinux-common put the loaders for BIOS.
BIOS_LOADERS = (
    "/usr/lib/PXELINUX/lpxelinux.0",
    "/usr/lib/PXELINUX/pxelinux.0",
    "/usr/lib/syslinux/modules/bios/ldlinux.c32",
    "/usr/lib/syslinux/modules/bios/libcom32.c32",
    "/usr/lib/syslinux/modules/bios/libutil.c32",
    "/usr/lib/syslinux/modules/bios/menu.c32",
)
#: What HTTP serves, and TFTP for those that do not know HTTP yet; below ROOT/http.
BOTH_WAYS = ("images", "efi", "grub")
#: iPXE, where package ipxe puts it, by what it is offered as. Of its programs the one that uses the firmware's own
#: network driver: it works with every card that the firmware boots from.
UNSIGNED = {IPXES["x64"]: "/usr/lib/ipxe/snponly.efi"}
#: What there may be of each pair, and the folders of pairs: for most machines, and for those that ask for an authority.
OF_PAIRS = (*(name for pair in PAIRS.values() for name in pair), MANIFEST)
FOLDERS = ("", *(f"{year}/" for year in YEARS))
#: All that this role puts into efi/ or, by module efi_loaders, lets be put there.
OURS = (*(folder + name for folder in FOLDERS for name in OF_PAIRS), *UNSIGNED)

#: Whoever signed the shim, for machines that ask for no authority.
ANYBODY = "any"
#: Values of netboot_uefi with which pairs are looked for.
WITH_PAIRS = ("auto", "required")
#: Why module efi_loaders is asked. LOOK_PAIR: does what the user names fit at all; LOOK_IMAGES: could one be found,
#: when that is required; both before anything changes. INSTALL: put one there.
LOOK_PAIR, LOOK_IMAGES, INSTALL = "look at the pair", "look at the images", "install"


@dataclass(frozen=True)
class Known:
    """What is known so far, as plain data.

    uefi, pair: as C(netboot_uefi) and C(netboot_efi_pair). root: the folder with http/ and tftp/ on the server.
    images: as the filter P(homelab.netboot.images#filter) returns them. seen: what module
    P(homelab.netboot.boot_images#module) says of them. packages: names of those that are installed. before: names of
    the files that lie in efi/, with their folder. asking: C(loader) of the machines that do not take what most get, as
    the filter P(homelab.netboot.machines#filter) returns it. check: whether this is a check run.
    noted: answers of earlier runs that hold, by name. answers: the folder where they are noted.
    looked: results of ansible.builtin.stat, for the items in C(find). judged: results of module
    P(homelab.netboot.efi_loaders#module), for the items in C(look) and C(install). Both are empty as long as nobody
    asked.
    """

    uefi: str
    pair: Mapping[str, str]
    root: str
    images: Mapping[str, Mapping[str, Any]]
    seen: Mapping[str, Mapping[str, Any]]
    packages: Sequence[str]
    before: Sequence[str]
    asking: Sequence[Mapping[str, str]]
    check: bool
    noted: Mapping[str, Any] = field(default_factory=dict)
    answers: str = ""
    looked: Sequence[Mapping[str, Any]] = field(default=())
    judged: Sequence[Mapping[str, Any]] = field(default=())


def decide(known: Known) -> dict[str, Any]:
    """Return all that tasks need to know about loaders; the more is known, the more of it is final.

    :returns:
      - C(faults): messages; when there are any, nothing may be changed.
      - C(find): files on the server of which must be known whether they are there.
      - C(look), C(install): what to ask module efi_loaders, before anything changes and when all is there: items with
        its options C(dest), C(efi_arch) (its C(arch)), C(authority), C(kernels), C(candidates), C(required), C(note);
        C(files) are the names of the pair in efi/, C(images) those of the kernels' images, C(machines) those that
        ask for the authority, and C(purpose) says why it is asked.
      - C(packages): missing ones, C(tools) to begin with, and C(ipxe) when it is to be offered.
      - C(set): folders, files, links, copies and owned patterns below the root, options of module file_set.
      - C(offers): names of the loaders in efi/ at the end; C(goes): names that do not stay there. Of what is not judged
        yet, what lies there stays.
      - C(say): lines for people.
    """
    pending = _pending(known)
    wanted = _wanted(known)
    answers = [*_remembered(wanted), *_answers(known, INSTALL)]
    notes = _by_ipxe(answers)
    comes, goes = _changes(known, wanted, answers, notes)
    copies = {name: file for name, file in UNSIGNED.items() if name in comes}
    return {
        "faults": list(_faults(known, wanted)),
        "find": [path for path in known.pair.values() if path],
        "look": _look(known, wanted),
        "install": [] if pending else [one for one in wanted if one["answer"] is None],
        "packages": {
            "tools": _missing(known, [*TOOLS, *_for_images(known)]),
            "ipxe": _missing(known, [IPXE_PACKAGE]) if copies else [],
        },
        "set": _set(notes, copies, goes),
        "offers": sorted({*known.before, *comes} - {*goes}),
        "goes": goes,
        "say": list(_say(known, answers, pending)),
    }


def _set(notes: Mapping[str, str], copies: Mapping[str, str], goes: Iterable[str]) -> dict[str, Any]:
    """Return the loaders for BIOS, the folders of all that serves, and what lies in efi/ besides pairs."""
    bios = {f"tftp/{path.rpartition('/')[2]}": path for path in BIOS_LOADERS}
    links = {f"tftp/{name}": f"../http/{name}" for name in BOTH_WAYS}
    efi = "http/efi"
    return {
        "folders": {**{f"http/{name}": {} for name in BOTH_WAYS}, "tftp": {}},
        "links": links,
        "files": {f"{efi}/{name}": text for name, text in notes.items()},
        "copies": {**bios, **{f"{efi}/{name}": file for name, file in copies.items()}},
        "owned": [*bios, *links, *(f"{efi}/{name}" for name in [*notes, *copies, *goes])],
    }


def _for_images(known: Known) -> Iterator[str]:
    """Yield what verifies who signed lists of checksums, and what makes ISOs smaller, where an image asks for it."""
    if any(image.get("source") == "name" for image in known.images.values()):
        yield VERIFIER
    if any(image.get("small") for image in known.images.values()):
        yield REDUCER


def _missing(known: Known, packages: Iterable[str]) -> list[str]:
    return [name for name in packages if name not in known.packages]


def _pending(known: Known) -> bool:
    """Return whether a check run lacks what is needed to judge pairs."""
    return known.check and known.uefi in WITH_PAIRS and _changes_what_is_judged(known)


def _wanted(known: Known) -> list[dict[str, Any]]:
    """Return the pairs that there should be, each as a question. A further pair has other files in another dest."""
    if known.uefi not in WITH_PAIRS:
        return []
    # a server without images has machines of its own making, of the usual kind
    archs = {image["arch"] for image in known.images.values()} or {"amd64"}
    usual = [
        _question(known, INSTALL, efi_arch, list(known.images))
        for efi_arch, arch in DEBIAN_ARCHS.items()
        if arch in archs
    ]
    return [*usual, *_wanted_of_authorities(known)]


def _wanted_of_authorities(known: Known) -> Iterator[dict[str, Any]]:
    """Return the pairs for machines that ask for an authority; they must start these machines' images only."""
    for year in YEARS:
        asking = [one for one in known.asking if one["wants"] == year]
        for efi_arch, arch in DEBIAN_ARCHS.items():
            machines = [one for one in asking if known.images.get(one["image"], {}).get("arch") == arch]
            images = list(dict.fromkeys(one["image"] for one in machines))
            if images:
                names = [one["machine"] for one in machines]
                yield _question(known, INSTALL, efi_arch, images, authority=year, machines=names)


def _question(
    known: Known,
    purpose: str,
    efi_arch: str,
    images: list[str],
    *,
    authority: str = ANYBODY,
    machines: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a question; when it is about an authority, it is `_refused_authorities` that says what is missing."""
    folder = "" if authority == ANYBODY else f"{authority}/"
    looking = purpose == LOOK_PAIR
    options = {
        "dest": f"{known.root}/http/efi/{folder}".rstrip("/"),
        "efi_arch": efi_arch,
        "authority": authority,
        "kernels": [f"{_current(known, name)}/vmlinuz" for name in images],
        "candidates": _named(known) if looking else _candidates(known, efi_arch),
        "required": looking or (known.uefi == "required" and not machines),
    }
    noted = _noted.find(_steady(known), known.answers, f"loaders-{efi_arch}-{authority}", options)
    files = [folder + name for name in PAIRS[efi_arch]]
    return {
        **options,
        **noted,
        "purpose": purpose,
        "images": images,
        "machines": list(machines),
        "files": files,
    }


def _steady(known: Known) -> Mapping[str, Any]:
    """Return the answers that are noted; none where this very run changes what they are about."""
    return {} if _changes_what_is_judged(known) else known.noted


def _changes_what_is_judged(known: Known) -> bool:
    return bool(_missing(known, TOOLS)) or any(image["changed"] for image in known.seen.values())


def _current(known: Known, image: str) -> str:
    return f"{known.root}/http/images/{image}/current"


def _candidates(known: Known, efi_arch: str) -> list[dict[str, Any]]:
    pools = [
        {"name": f"the ISO of {name}", "iso": f"{_current(known, name)}/{name}.iso"} for name in known.images
    ]
    return [*_named(known), *pools, _installed(efi_arch)]


def _named(known: Known) -> list[dict[str, Any]]:
    return [{"name": "netboot_efi_pair", "named": True, **known.pair}] if known.pair else []


def _installed(efi_arch: str) -> dict[str, str]:
    return {
        "name": "the server's packages",
        "shim": f"/{SHIM_FILES[efi_arch]}{SHIM_ENDINGS[0]}",
        "grub": f"/{GRUB_FILES[efi_arch]}",
    }


def _look(known: Known, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    questions = []
    if known.pair and not _absent(known):
        # Without its kernels, and without signatures as long as the server has no sbverify: the rest is judged when
        # all is there. For which processor it is, nobody has said.
        questions = [_question(known, LOOK_PAIR, efi_arch, []) for efi_arch in PAIRS]
    if all(image["present"] for image in known.seen.values()):
        asked = (one for one in wanted if one["answer"] is None and (one["required"] or one["machines"]))
        questions += [{**question, "purpose": LOOK_IMAGES} for question in asked]
    return questions


def _absent(known: Known) -> bool:
    """Return whether a file of the pair is not named or, as far as anybody looked, not there."""
    complete = all(known.pair.get(which) for which in ("shim", "grub"))
    return not complete or not all(one["stat"]["exists"] for one in known.looked)


def _answers(known: Known, purpose: str) -> list[Mapping[str, Any]]:
    """Return what module efi_loaders answered to questions of that purpose: the last answer to each."""
    asked = [one for one in known.judged if not one.get("skipped") and one["item"]["purpose"] == purpose]
    return list({tuple(one["item"]["files"]): one for one in asked}.values())


def _remembered(wanted: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the answers to those questions that need not be asked."""
    return [{"item": one, **one["answer"]} for one in wanted if one["answer"] is not None]


def _refused(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the images whose kernel the pair does not start, each with the reason."""
    question = answer["item"]
    names = dict(zip(question["kernels"], question["images"], strict=True))
    return {names[one["kernel"]]: one["reason"] for one in answer["refused"]}


def _usual(answers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the answers about the pairs for machines that ask for no authority."""
    return [one for one in answers if one["item"]["authority"] == ANYBODY]


def _by_ipxe(answers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return a note for each image whose machines are to get iPXE instead of shim: its name in efi/, and its text."""
    return {
        f"{image}{BY_IPXE}": f"{reason}\n"
        for one in _usual(answers)
        if one["item"]["efi_arch"] == "x64"
        for image, reason in _refused(one).items()
    }


def _changes(
    known: Known,
    wanted: Sequence[Mapping[str, Any]],
    answers: Sequence[Mapping[str, Any]],
    notes: Iterable[str],
) -> tuple[list[str], list[str]]:
    """Return which files of ours are to be in efi/, and which do not stay there; of the others nothing is known yet."""
    comes = [*_files(one["item"] for one in answers if one["source"]), *notes]
    older = [name for name in known.before if name.endswith(BY_IPXE)]
    judged = [one["item"]["files"] for one in answers]
    stay = _files(one for one in wanted if one["files"] not in judged)
    pairs = {*comes, *stay}
    stay += [folder + MANIFEST for folder in FOLDERS if pairs & {folder + name for name in OF_PAIRS}]
    if _ipxe(known, answers):
        comes += UNSIGNED
    elif len(judged) < len(wanted):  # it may be that there will be no pair
        stay += [*UNSIGNED, *older]
    return comes, sorted({*OURS, *older} - {*comes, *stay})


def _files(questions: Iterable[Mapping[str, Any]]) -> list[str]:
    return [name for one in questions for name in one["files"]]


def _ipxe(known: Known, answers: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether iPXE is offered: to all x64 machines when they lack a pair, else to those of single images, and
    to single ones by their quirk.
    """
    answers = _usual(answers)
    lacking = (one for one in answers if one["needed"] and not one["source"])
    without = any(one["item"]["efi_arch"] == "x64" for one in lacking)
    single = bool(_asking(known, quirks.IPXE) or _by_ipxe(answers))
    return known.uefi != "never" and (known.uefi == "ipxe" or without or single)


def _asking(known: Known, *words: str) -> list[str]:
    return [one["machine"] for one in known.asking if one["wants"] in words]


def _faults(known: Known, wanted: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    by_ipxe, by_authority = _asking(known, quirks.IPXE), _asking(known, *YEARS)
    if known.uefi == "never" and by_ipxe:
        yield (
            f"the machines {', '.join(by_ipxe)} have ipxe in netboot_quirks, but netboot_uefi is never, so "
            "no UEFI machine is served. Take ipxe out of netboot_quirks, or choose another netboot_uefi."
        )
    if known.uefi not in WITH_PAIRS and by_authority:
        yield (
            f"the machines {', '.join(by_authority)} choose a shim with netboot_secure_boot_ca, but netboot_uefi is "
            f"{known.uefi}, so there is none. Take netboot_secure_boot_ca away, or choose another netboot_uefi."
        )
    if known.pair and _absent(known):
        there = ", ".join(one["item"] for one in known.looked if one["stat"]["exists"])
        yield (
            "netboot_efi_pair: needs two files on the server, shim and grub; of "
            f"{json.dumps(dict(known.pair))} there are {there or 'none'}. "
            "Correct the paths, or leave netboot_efi_pair out."
        )
    yield from _unfit(known)
    yield from _none_found(known)
    # What is there at the end is looked at again: before, an image may have been still to come.
    judged = _answers(known, INSTALL) or _answers(known, LOOK_IMAGES)
    yield from _refused_authorities([*_remembered(wanted), *judged])


def _unfit(known: Known) -> Iterator[str]:
    """Say why the pair that is named fits no processor."""
    # An answer may be that the question cannot be answered, as without sbverify: then there are no reasons.
    answers = [one.get("rejected", []) for one in _answers(known, LOOK_PAIR)]
    if not answers or not all(answers):
        return
    reasons = dict.fromkeys(one["reason"] for rejected in answers for one in rejected)
    told = [reason for reason in reasons if "for another processor" not in reason]
    yield (
        f"netboot_efi_pair: {'; '.join(told or reasons)}. Name another pair, for Ubuntu's kernels Ubuntu's own "
        "of 24.04 or newer, or leave netboot_efi_pair out."
    )


def _none_found(known: Known) -> Iterator[str]:
    """Say why there is no pair that is required."""
    for one in _answers(known, LOOK_IMAGES):
        if "rejected" in one and "source" not in one:  # how the module fails when no candidate fits
            yield f"netboot_uefi is required, but: {one['msg'].removesuffix(' Nothing was changed.')}"


def _refused_authorities(answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say which machines would be refused, since there is no shim of the authority that they ask for."""
    for one in answers:
        question = one["item"]
        if not question["machines"] or not one.get("needed"):  # not asked, or it could not be answered
            continue
        reasons = [f"{each['name']}: {each['reason']}" for each in one["rejected"]]
        reasons += [f"{one['source']}: {reason}" for reason in _refused(one).values()]
        if one["source"] and not one["refused"]:
            continue
        year, plural = question["authority"], len(question["machines"]) > 1
        yield (
            f"{'machines' if plural else 'machine'} {', '.join(question['machines'])}: netboot_secure_boot_ca: {year} "
            f"is asked for, but there is no shim and GRUB ({question['efi_arch']}) that Microsoft's authority of "
            f"{year} has signed and that start {', '.join(question['images'])}: {'; '.join(reasons)}. Their firmware "
            "would say 'Security Violation'. Add an Ubuntu to netboot_images that brings one, name one in "
            "netboot_efi_pair, or take netboot_secure_boot_ca away and switch Secure Boot off in these machines."
        )


def _say(known: Known, answers: Iterable[Mapping[str, Any]], pending: bool) -> Iterator[str]:
    if pending:
        yield (
            "Check mode: whether UEFI machines get shim and GRUB or iPXE is judged when packages and images are "
            f"on the server. Until then what changes in {known.root}/http/efi is not shown, nor are the "
            "lines for UEFI machines in dnsmasq's configuration."
        )
    for one in answers:
        who = ", ".join(one["item"]["machines"])
        if who and one["source"]:
            yield (
                f"{who} ({one['item']['efi_arch']}, netboot_secure_boot_ca: {one['item']['authority']}): shim and "
                f"GRUB {one['grub_version']} from {one['source']}. Its shim is signed by "
                f"{' and '.join(one['signers'])}."
            )
        elif one["source"]:
            yield (
                f"UEFI machines ({one['item']['efi_arch']}) start with shim and GRUB {one['grub_version']}, "
                f"signed by {one['vendor']}, from {one['source']}. {_accepted(one)}"
            )
            yield from _apart(one)
        elif one["needed"] and not who:  # else it is a fault
            yield _without(one["item"]["efi_arch"], one["rejected"])


def _accepted(answer: Mapping[str, Any]) -> str:
    """Say whose signatures the shim has, and which firmware refuses it for that."""
    signers = " and ".join(answer["signers"])
    missing = [year for year in YEARS if year not in answer["authorities"]]
    if not missing:
        return f"Its shim is signed by {signers}: firmware that knows either starts it."
    if len(missing) == len(YEARS):
        return f"Its shim is signed by {signers}, not by Microsoft: only firmware that was given that key starts it."
    return (
        f"Its shim is signed by {signers} only: with Secure Boot on, firmware that knows nothing but Microsoft's "
        f"authority of {missing[0]} says 'Security Violation'. A newer Ubuntu among netboot_images may bring a shim "
        f"that both have signed; with netboot_secure_boot_ca: {missing[0]} such a machine is given one of that "
        "year, if there is any."
    )


def _apart(answer: Mapping[str, Any]) -> Iterator[str]:
    """Say which images' machines do not get the pair."""
    efi_arch = answer["item"]["efi_arch"]
    instead = (
        "UEFI machines that get this image are offered iPXE instead, for which Secure Boot must be off"
        if efi_arch == "x64"
        else "Such machines that get this image do not start it with Secure Boot on"
    )
    for image, reason in _refused(answer).items():
        yield (
            f"Shim does not start the kernel of image {image} ({efi_arch}): {reason}. {instead}; those of the other "
            f"images keep shim and GRUB. Give netboot_images.{image} a newer point release, or write netboot_uefi: "
            "required to make this an error."
        )


def _without(efi_arch: str, rejected: Iterable[Mapping[str, str]]) -> str:
    """Say why there is no pair, what machines get instead, and how to have one."""
    reasons = "; ".join(f"{one['name']}: {one['reason']}" for one in rejected)
    instead = (
        "UEFI machines get iPXE instead, which is not signed: Secure Boot must be off in their firmware, else "
        "they go on to their next boot entry."
        if efi_arch == "x64"
        else "Such machines get no answer from this server."
    )
    return (
        f"No shim and GRUB ({efi_arch}) fit the images: {reasons}. {instead} A newer Ubuntu among netboot_images "
        "brings a pair, or name one in netboot_efi_pair. netboot_uefi: required makes this an error, ipxe makes "
        "it silent, and never leaves UEFI machines alone."
    )
