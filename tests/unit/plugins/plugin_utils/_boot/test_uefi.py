# SPDX-License-Identifier: GPL-3.0-or-later
"""Which loaders are offered, by a table of situations; and what holds in all that there can be."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.filter import loaders
from ansible_collections.homelab.netboot.plugins.module_utils._uefi.names import MANIFEST, PAIRS
from ansible_collections.homelab.netboot.plugins.plugin_utils._boot import uefi

X64, AA64 = list(PAIRS["x64"]), list(PAIRS["aa64"])
IPXE = "ipxe.efi"
CANNOT_KNOW = (
    "Check mode: whether UEFI machines get shim and GRUB or iPXE is judged when packages and images are"
)
MICROSOFT = "Microsoft Corporation UEFI CA 2011"
OLD = "image-amd64.by-ipxe"
BY_IPXE = [{"machine": "nuc1", "image": "image-amd64", "wants": "ipxe"}]
CA = [{"machine": "nuc1", "image": "image-amd64", "wants": "2023"}]
OF_2023 = [f"2023/{name}" for name in X64]
PAIR = {"shim": "/own/shim", "grub": "/own/grub"}


def known(archs: str = "amd64", **more: Any) -> dict[str, Any]:
    """A server that has all that is needed to judge pairs, and an image for each of the archs."""
    names = archs.split()
    return {
        "uefi": "auto",
        "pair": {},
        "root": "/srv/netboot",
        "images": {f"image-{arch}": {"arch": arch.partition("-")[0]} for arch in names},
        "seen": {f"image-{arch}": {"present": True, "changed": False} for arch in names},
        "packages": list(uefi.TOOLS),
        "before": [],
        "asking": [],
        "check": False,
        **more,
    }


def decide(**more: Any) -> dict[str, Any]:
    return uefi.decide(uefi.Known(**known(**more)))


def answer(question: Mapping[str, Any], which: str) -> dict[str, Any]:
    """What module efi_loaders returns in a loop over questions: a pair was found, one that does not start the first
    kernel, none, or none is needed.
    """
    found = which in ("found", "found-but")
    kernels = question["kernels"] if which == "found-but" else []
    return {
        "item": dict(question),
        "signers": [MICROSOFT] if found else [],
        "authorities": ["2011"] if found else [],
        "refused": [{"kernel": one, "reason": "it is revoked"} for one in kernels[:1]],
        "needed": which != "needless",
        "source": "the ISO of noble" if found else None,
        "vendor": "Canonical" if found else None,
        "grub_version": "2.12" if found else None,
        "rejected": [{"name": "the ISO of focal", "reason": "its GRUB is 2.04"}] if which == "none" else [],
    }


def judged(given: str, **more: Any) -> dict[str, Any]:
    """Decide, ask as that says, and decide again with the answers, one word each."""
    questions = decide(**more)["install"]
    words = given.split()
    assert len(words) == len(questions)
    return decide(**more, judged=[answer(one, word) for one, word in zip(questions, words, strict=True)])


# Each with what lies in efi/ at the end when all of ours lay there before, and how what is said begins.
SITUATIONS: dict[str, tuple[str, dict[str, Any], list[str], list[str]]] = {
    "a pair": ("found", {}, X64, ["UEFI machines (x64) start with shim and GRUB 2.12, signed by Canonical"]),
    "no pair": ("none", {}, [IPXE], ["No shim and GRUB (x64) fit the images: the ISO of focal: its GRUB is"]),
    "none needed": ("needless", {}, [], []),
    "a pair, required": ("found", {"uefi": "required"}, X64, ["UEFI machines (x64) start with"]),
    "iPXE": ("", {"uefi": "ipxe"}, [IPXE], []),
    "nothing": ("", {"uefi": "never"}, [], []),
    "a pair, and one machine wants iPXE": (
        "found",
        {"asking": BY_IPXE},
        [*X64, IPXE],
        ["UEFI machines (x64) start with"],
    ),
    "none needed, and one machine wants iPXE": ("needless", {"asking": BY_IPXE}, [IPXE], []),
    "arm64, a pair": ("found", {"archs": "arm64"}, AA64, ["UEFI machines (aa64) start with"]),
    "arm64, no pair": ("none", {"archs": "arm64"}, [], ["No shim and GRUB (aa64) fit the images"]),
    "both archs, pairs": (
        "found found",
        {"archs": "amd64 arm64"},
        [*X64, *AA64],
        ["UEFI machines (x64) start", "UEFI machines (aa64) start"],
    ),
    "both archs, a pair for one": (
        "found none",
        {"archs": "amd64 arm64"},
        X64,
        ["UEFI machines (x64) start with", "No shim and GRUB (aa64) fit"],
    ),
    "both archs, a pair for the other": (
        "none found",
        {"archs": "amd64 arm64"},
        [*AA64, IPXE],
        ["No shim and GRUB (x64) fit", "UEFI machines (aa64) start with"],
    ),
    "a pair that does not start one of the images": (
        "found-but",
        {"archs": "amd64 amd64-2"},
        [*X64, IPXE, OLD],
        [
            "UEFI machines (x64) start with",
            "Shim does not start the kernel of image image-amd64 (x64): it is rev",
        ],
    ),
    "arm64, a pair that does not start one of the images": (
        "found-but",
        {"archs": "arm64 arm64-2"},
        AA64,
        [
            "UEFI machines (aa64) start with",
            "Shim does not start the kernel of image image-arm64 (aa64): it is",
        ],
    ),
    "no images": ("found", {"archs": ""}, X64, ["UEFI machines (x64) start with"]),
    "a check run that knows all": (
        "none",
        {"check": True},
        [IPXE],
        ["No shim and GRUB (x64) fit the images"],
    ),
    "a check run without the tools": (
        "",
        {"check": True, "packages": []},
        [*X64, IPXE, OLD],
        [CANNOT_KNOW],
    ),
    "a check run before an image comes": (
        "",
        {"check": True, "archs": "arm64", "seen": {"image-arm64": {"present": False, "changed": True}}},
        [*AA64, IPXE, OLD],
        [CANNOT_KNOW],
    ),
    "a check run without the tools, nothing to judge": (
        "",
        {"check": True, "packages": [], "uefi": "never"},
        [],
        [],
    ),
}


@pytest.mark.parametrize("case", SITUATIONS)
def test_what_is_offered_goes_is_owned_and_said(case: str) -> None:
    given, more, offered, said = SITUATIONS[case]
    everything = [*(name for name in uefi.OURS if not name.endswith(MANIFEST)), OLD]
    found = judged(given, **more, before=everything)
    assert found["offers"] == sorted(offered)
    assert {name for name in found["goes"] if not name.endswith(MANIFEST)} == {*everything} - {*offered}
    assert (MANIFEST in found["goes"]) == (not {*offered} & {*X64, *AA64})
    # a check run that cannot know leaves it as it is
    copied = [f"http/efi/{name}" for name in offered if name == IPXE and said[:1] != [CANNOT_KNOW]]
    notes = [f"http/efi/{name}" for name in offered if name == OLD and said[:1] != [CANNOT_KNOW]]
    assert found["set"]["files"] == dict.fromkeys(notes, "it is revoked\n")
    goes = {f"http/efi/{name}" for name in found["goes"]}
    assert {name for name in found["set"]["owned"] if "efi/" in name} == {*notes, *copied, *goes}
    copies = {name: file for name, file in found["set"]["copies"].items() if "efi/" in name}
    assert copies == dict.fromkeys(copied, "/usr/lib/ipxe/snponly.efi")
    assert len(found["say"]) == len(said)
    for line, begin in zip(found["say"], said, strict=True):
        assert line.startswith(begin)


def remembered(given: str, **more: Any) -> dict[str, Any]:
    """What later runs know when each question was asked and noted, with these answers."""
    noted = {}
    for question, word in zip(decide(**more)["install"], given.split(), strict=True):
        said = {key: value for key, value in answer(question, word).items() if key != "item"}
        name = question["note"]["path"].rpartition("/")[2].removesuffix(".json")
        noted[name] = {"key": question["note"]["key"], "answer": said}
    return noted


@pytest.mark.parametrize("case", SITUATIONS)
def test_what_is_noted_is_as_good_as_what_is_asked(case: str) -> None:
    given, more, *_rest = SITUATIONS[case]
    asked, found = judged(given, **more), decide(**more, noted=remembered(given, **more))
    assert found["install"] == []
    assert {**found, "install": asked["install"], "look": asked["look"]} == {
        **asked,
        "install": asked["install"],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"seen": {"image-amd64": {"present": True, "changed": True}}},
        {"packages": []},
        {"uefi": "required"},
        {"pair": PAIR},
        {"archs": "amd64 amd64-2"},
        {"root": "/srv/other"},
    ],
)
def test_what_is_noted_of_something_else_is_asked_anew(changes: dict[str, Any]) -> None:
    noted = remembered("found")
    assert decide(noted=noted)["install"] == []
    assert [one["answer"] for one in decide(noted=noted, **changes)["install"]] == [None]


def test_machines_that_would_be_refused_are_named_again_from_what_is_noted() -> None:
    noted = remembered("found none", asking=CA)
    for check in (False, True):
        found = decide(noted=noted, asking=CA, check=check)
        assert found["look"] == found["install"] == []
        (fault,) = found["faults"]
        assert fault.startswith("machine nuc1: netboot_secure_boot_ca: 2023 is asked for, but")


def everything_that_can_be() -> list[dict[str, Any]]:
    choices: dict[str, list[Any]] = {
        "uefi": ["auto", "required", "never", "ipxe"],
        "archs": ["", "amd64", "arm64", "amd64 arm64"],
        "asking": [[], BY_IPXE, CA],
        "check": [False, True],
        "packages": [[], [*uefi.TOOLS, "ipxe"]],
        "before": [[], X64, [IPXE, "gone.by-ipxe"], [*X64, *AA64, IPXE, "ipxeaa64.efi", OLD]],
    }
    return [dict(zip(choices, one, strict=True)) for one in itertools.product(*choices.values())]


def left(before: list[str], decided: Mapping[str, Any]) -> set[str]:
    """What the role's tasks leave in efi/: module efi_loaders puts pairs there, then file_set makes its set."""
    answers = decided["answers"]
    there = {*before, *(name for one in answers if one["source"] for name in one["item"]["files"])}
    made = decided["set"]
    copies, owned = (
        {name.removeprefix("http/efi/") for name in names if name.startswith("http/efi/")}
        for names in ([*made["copies"], *made["files"]], made["owned"])
    )
    return there - owned | copies


@pytest.mark.parametrize("which", ["found", "found-but", "none", "needless", ""])
def test_what_is_offered_is_what_is_left_and_nothing_of_it_goes(which: str) -> None:
    for one in everything_that_can_be():
        questions = decide(**one)["install"]
        answers = [answer(question, which) for question in questions] if which else []
        found = decide(**one, judged=answers)
        assert {*found["offers"]} == left(one["before"], {**found, "answers": answers}), one
        assert not {*found["offers"]} & {*found["goes"]}, one
        assert "ipxeaa64.efi" in found["offers"] or "ipxeaa64.efi" not in one["before"]


@pytest.mark.parametrize(
    ("authorities", "told"),
    [
        (["2011", "2023"], "Its shim is signed by A and B: firmware that knows either starts it."),
        (["2011"], "firmware that knows nothing but Microsoft's authority of 2023 says 'Security Violation'"),
        (["2023"], "firmware that knows nothing but Microsoft's authority of 2011 says 'Security Violation'"),
        ([], "not by Microsoft: only firmware that was given that key starts it"),
    ],
)
def test_who_signed_is_said_and_which_firmware_refuses_it(authorities: list[str], told: str) -> None:
    (question,) = decide()["install"]
    given = {**answer(question, "found"), "signers": ["A", "B"], "authorities": authorities}
    (said,) = decide(judged=[given])["say"]
    assert told in said


def test_a_note_about_an_image_stays_only_as_long_as_it_is_true() -> None:
    both = {"archs": "amd64 amd64-2", "before": [*X64, IPXE, OLD]}
    assert OLD in decide(**both)["offers"]  # nobody has judged yet
    assert OLD in judged("found-but", **both)["offers"]
    assert {OLD, IPXE} <= {*judged("found", **both)["goes"]}


def test_before_it_is_judged_nothing_is_decided_of_what_lies_there() -> None:
    before = {*X64, *AA64, IPXE, *OF_2023}
    assert {*decide(before=[*before])["goes"]} & before == {*AA64, *OF_2023}
    assert {*decide(before=[*before], asking=CA)["goes"]} & before == {*AA64}
    assert decide(before=[*X64, *AA64, IPXE])["offers"] == sorted([*X64, IPXE])


def test_only_a_check_run_leaves_open_what_tools_and_images_will_show() -> None:
    seen = {"image-amd64": {"present": False, "changed": True}}
    for check in (False, True):
        found = decide(check=check, packages=[], seen=seen)
        assert (found["install"] == [], found["say"] != []) == (check, check)


def test_what_the_user_names_is_tried_first_and_the_servers_packages_last() -> None:
    (question,) = decide(archs="amd64", pair=PAIR, answers="/answers")["install"]
    assert question.pop("note")["path"] == "/answers/loaders-x64-any.json"
    folder = "/srv/netboot/http/images/image-amd64/current"
    assert question == {
        "purpose": "install",
        "dest": "/srv/netboot/http/efi",
        "files": X64,
        "images": ["image-amd64"],
        "machines": [],
        "authority": "any",
        "efi_arch": "x64",
        "kernels": [f"{folder}/vmlinuz"],
        "candidates": [
            {"name": "netboot_efi_pair", "named": True, **PAIR},
            {"name": "the ISO of image-amd64", "iso": f"{folder}/image-amd64.iso"},
            {
                "name": "the server's packages",
                "shim": "/usr/lib/shim/shimx64.efi.signed",
                "grub": "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
            },
        ],
        "required": False,
        "answer": None,
    }


def test_a_pair_for_arm64_may_come_from_all_images_too() -> None:
    first, second = decide(archs="amd64 arm64", uefi="required")["install"]
    assert [one["name"] for one in second["candidates"]] == [one["name"] for one in first["candidates"]]
    assert second["candidates"][-1]["shim"] == "/usr/lib/shim/shimaa64.efi.signed"
    assert second["required"]


def test_only_packages_that_are_missing_are_installed() -> None:
    assert decide(packages=[])["packages"] == {"tools": list(uefi.TOOLS), "ipxe": []}
    assert decide(packages=["sbsigntool"], uefi="ipxe")["packages"]["ipxe"] == ["ipxe"]
    assert decide(packages=[*uefi.TOOLS, "ipxe"], uefi="ipxe")["packages"] == {"tools": [], "ipxe": []}


def test_what_verifies_signatures_is_installed_for_an_image_by_name_only() -> None:
    by_name = {"noble": {"arch": "amd64", "source": "name"}}
    assert decide(images=by_name)["packages"]["tools"] == ["gpgv"]
    assert decide(images=by_name, packages=[*uefi.TOOLS, "gpgv"])["packages"]["tools"] == []
    assert decide(images={"noble": {"arch": "amd64", "source": "url"}})["packages"]["tools"] == []


def test_what_makes_isos_smaller_is_installed_where_an_image_asks_for_that() -> None:
    asks = {"noble": {"arch": "amd64", "source": "url", "small": True}}
    assert decide(images=asks)["packages"]["tools"] == ["xorriso"]
    assert decide(images={"noble": {**asks["noble"], "small": False}})["packages"]["tools"] == []


def test_loaders_for_bios_lie_where_tftp_finds_them_and_sees_what_http_serves() -> None:
    base = decide()["set"]
    assert {*base["copies"], *base["links"]} <= {*base["owned"]}, "what is declared must be owned"
    assert base["copies"]["tftp/lpxelinux.0"] == "/usr/lib/PXELINUX/lpxelinux.0"
    assert base["links"] == {f"tftp/{name}": f"../http/{name}" for name in ("images", "efi", "grub")}
    assert {*base["folders"]} == {"tftp", "http/images", "http/efi", "http/grub"}


def test_a_quirk_that_cannot_be_served_is_refused() -> None:
    (fault,) = decide(uefi="never", asking=[*BY_IPXE, {**BY_IPXE[0], "machine": "nuc2"}])["faults"]
    assert fault.startswith("the machines nuc1, nuc2 have ipxe in netboot_quirks, but netboot_uefi is never")
    assert decide(uefi="ipxe", asking=BY_IPXE)["faults"] == []


def looked(*there: bool) -> list[dict[str, Any]]:
    return [{"item": path, "stat": {"exists": yes}} for path, yes in zip(PAIR.values(), there, strict=True)]


def test_the_pair_that_is_named_is_looked_for_and_then_at() -> None:
    assert decide(pair=PAIR)["find"] == list(PAIR.values())
    assert [one["efi_arch"] for one in decide(pair=PAIR, looked=looked(True, True))["look"]] == [
        "x64",
        "aa64",
    ]
    assert decide()["find"] == decide()["look"] == []


@pytest.mark.parametrize(
    ("pair", "there", "told"),
    [
        (PAIR, (True, False), "there are /own/shim. Correct"),
        (PAIR, (False, False), "there are none. Correct"),
        ({"shim": "/own/shim"}, (), "there are none. Correct"),
    ],
)
def test_a_pair_that_is_not_there_is_refused_and_not_looked_at(
    pair: dict[str, str], there: tuple[bool, ...], told: str
) -> None:
    found = decide(pair=pair, looked=looked(*there) if there else [])
    (fault,) = found["faults"]
    assert fault.startswith("netboot_efi_pair: needs two files on the server, shim and grub; of {")
    assert told in fault
    assert found["look"] == []


OTHER = "its shim is for another processor than aa64 (machine 0x8664)"


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ((["its GRUB is 2.06"], [OTHER]), "netboot_efi_pair: its GRUB is 2.06. Name another pair"),
        (([], [OTHER]), ""),
        (([OTHER], [OTHER]), f"netboot_efi_pair: {OTHER}. Name another pair"),
        ((None, [OTHER]), ""),  # the server has no sbverify
    ],
)
def test_a_pair_that_fits_no_processor_is_refused(reasons: tuple[list[str] | None, ...], told: str) -> None:
    questions = decide(pair=PAIR, looked=looked(True, True))["look"]
    answers: list[dict[str, Any]] = [{"item": one, "msg": "it failed"} for one in questions]
    for one, given in zip(answers, reasons, strict=True):
        if given is not None:
            one["rejected"] = [{"name": "netboot_efi_pair", "reason": reason} for reason in given]
    faults = decide(pair=PAIR, looked=looked(True, True), judged=answers)["faults"]
    assert len(faults) == (told != "")
    assert "".join(faults).startswith(told)


def test_a_pair_that_is_required_is_looked_for_before_anything_changes() -> None:
    (question,) = decide(uefi="required")["look"]
    assert question["required"]
    rejected = [{"name": "the ISO of focal", "reason": "no pool"}]
    msg = "No shim and GRUB can start x. Boot them otherwise. Nothing was changed."
    faults = decide(uefi="required", judged=[{"item": question, "msg": msg, "rejected": rejected}])["faults"]
    assert faults == [
        "netboot_uefi is required, but: No shim and GRUB can start x. Boot them otherwise.",
    ]
    fits = {**answer(question, "found"), "rejected": rejected}
    assert decide(uefi="required", judged=[fits])["faults"] == []
    without_sbverify = {"item": question, "msg": "sbverify is needed"}
    assert decide(uefi="required", judged=[without_sbverify])["faults"] == []


def test_images_that_are_not_there_yet_are_not_looked_at() -> None:
    seen = {"image-amd64": {"present": False, "changed": True}}
    assert decide(uefi="required", seen=seen)["look"] == []
    assert decide(uefi="auto")["look"] == []


def test_answers_to_other_questions_and_skipped_ones_do_not_count() -> None:
    (question,) = decide(uefi="required")["look"]
    others = [answer(question, "found"), {"skipped": True, "item": question}]
    assert decide(uefi="required", judged=others)["say"] == []


def test_the_filter_takes_the_same() -> None:
    given = known()
    choice = given.pop("uefi")
    assert loaders.loaders(choice, **given) == decide()


def test_for_an_authority_that_is_asked_for_there_is_a_further_pair_in_a_folder_of_its_own() -> None:
    more = {"archs": "amd64 amd64-2", "asking": [*CA, *BY_IPXE], "uefi": "required"}
    usual, own = decide(**more)["install"]
    assert (usual["authority"], usual["dest"], usual["machines"]) == ("any", "/srv/netboot/http/efi", [])
    assert (own["authority"], own["dest"], own["machines"]) == (
        "2023",
        "/srv/netboot/http/efi/2023",
        ["nuc1"],
    )
    # only the kernels of those that ask, from whatever candidate; no pair is a fault that names the machines
    assert own["kernels"] == ["/srv/netboot/http/images/image-amd64/current/vmlinuz"]
    assert (own["candidates"], own["required"]) == (usual["candidates"], False)
    found = judged("found found", archs="amd64", asking=CA, before=[*OF_2023, "2011/shimx64.efi"])
    assert found["offers"] == sorted([*X64, *OF_2023])
    assert {MANIFEST, f"2023/{MANIFEST}"} & {*found["goes"]} == set()
    assert {f"2011/{MANIFEST}", "2011/shimx64.efi"} <= {*found["goes"]}
    assert found["say"][1].startswith(
        "nuc1 (x64, netboot_secure_boot_ca: 2023): shim and GRUB 2.12 from the ISO of"
    )
    assert found["faults"] == []


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("none", "start image-amd64: the ISO of focal: its GRUB is 2.04."),
        ("found-but", "ISO of noble: it is revoked."),
    ],
)
def test_a_machine_whose_authority_no_shim_has_is_refused_before_anything_changes(
    which: str, told: str
) -> None:
    (question,) = decide(asking=CA)["look"]
    assert (question["purpose"], question["authority"]) == ("look at the images", "2023")
    (fault,) = decide(asking=CA, judged=[answer(question, which)])["faults"]
    assert fault.startswith(
        "machine nuc1: netboot_secure_boot_ca: 2023 is asked for, but there is no shim and GRUB (x64)"
    )
    assert told in fault
    # without sbverify nobody knows yet; nor before the image is there
    assert (
        decide(asking=CA, judged=[{"item": question, "failed": True, "msg": "sbverify is needed"}])["faults"]
        == []
    )
    assert decide(asking=CA, seen={"image-amd64": {"present": False, "changed": True}})["look"] == []
    found = judged(f"found {which}", asking=[*CA, {**CA[0], "machine": "nuc2"}])
    assert found["faults"][0].startswith("machines nuc1, nuc2: netboot_secure_boot_ca: 2023")
    assert not {*found["offers"]} & {IPXE, OLD}


@pytest.mark.parametrize("choice", ["never", "ipxe"])
def test_an_authority_without_shims_is_refused(choice: str) -> None:
    (fault,) = decide(uefi=choice, asking=CA)["faults"]
    assert fault.startswith(
        "the machines nuc1 choose a shim with netboot_secure_boot_ca, but netboot_uefi is"
    )
