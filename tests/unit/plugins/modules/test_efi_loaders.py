# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it, with real keys, signatures, packages and images; only the programs are small."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.homelab.netboot.plugins.module_utils._errors import UserError
from ansible_collections.homelab.netboot.plugins.module_utils._image import smaller
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor import loaders, looking
from ansible_collections.homelab.netboot.plugins.module_utils._uefi import names, pairs, pe
from ansible_collections.homelab.netboot.plugins.modules import efi_loaders
from ansible_collections.homelab.netboot.tests.unit import efi
from ansible_collections.homelab.netboot.tests.unit.costs import cost
from ansible_collections.homelab.netboot.tests.unit.isos import make_iso

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("sbsign", "sbverify", "openssl"))),
    reason="sbsign, sbverify or openssl is not installed (packages sbsigntool, openssl)",
)
OLD = efi.sbat("grub,5,FSF,grub,2.06,URL")
SHIM = "usr/lib/shim/shimx64.efi.signed"
GRUB = "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"


@dataclass
class Keys:
    """Microsoft's part signs shims; the vendor's authority is in them, and its signer signs the rest."""

    microsoft: efi.Key
    vendor: efi.Key
    signer: efi.Key
    other: efi.Key


@dataclass
class World:
    """A folder with the files of a vendor whose everything fits, and a runner of the module."""

    folder: Path
    keys: Keys
    capsys: pytest.CaptureFixture[str]

    @property
    def dest(self) -> Path:
        return self.folder / "dest"

    def file(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def pair(
        self, name: str = "files", shim: bytes | None = None, grub: bytes | None = None
    ) -> dict[str, str]:
        """A candidate of two files; what is not given is as it should be."""
        shim = self.keys.microsoft.sign(efi.shim(self.keys.vendor.der)) if shim is None else shim
        grub = self.keys.signer.sign(efi.grub()) if grub is None else grub
        return {
            "name": name,
            "shim": self.file(f"{name}.shim", shim),
            "grub": self.file(f"{name}.grub", grub),
        }

    def iso(
        self, name: str = "image", files: dict[str, bytes] | None = None, **options: Any
    ) -> dict[str, str]:
        """A candidate that is an image with the two packages of `pair`, or with other files."""
        if files is None:
            pair = self.pair()
            shim = efi.package({SHIM: Path(pair["shim"]).read_bytes()}, "xz")
            grub = efi.package({GRUB: Path(pair["grub"]).read_bytes(), "usr/share/doc/x": b"x"}, "gz")
            files = {
                "pool/main/s/shim-signed/shim-signed_1.10+15_amd64.deb": b"older and odd",
                "pool/main/s/shim-signed/shim-signed_1.9+15_amd64.deb": b"older and odd",
                "pool/main/s/shim-signed/shim-signed_1.58+15.8_amd64.deb": shim,
                "pool/main/g/grub2-signed/grub-efi-amd64-signed_1.202+2.12_amd64.deb": grub,
                "pool/main/g/grub2-signed/grub-efi-arm64-signed_9+2.12_arm64.deb": b"other",
            }
        return {"name": name, "iso": str(make_iso(self.folder / f"{name}.iso", files, **options))}

    @property
    def kernel(self) -> str:
        return self.file("vmlinuz", self.keys.signer.sign(efi.program({".linux": b"Linux"})))

    def run(self, *candidates: Mapping[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {
            "dest": str(self.dest),
            "candidates": list(candidates),
            "kernels": [self.kernel],
            **options,
        }
        arguments.update(_ansible_check_mode=check, _ansible_diff=True)
        with patch_module_args(arguments), pytest.raises(SystemExit):
            efi_loaders.main()
        result: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return result

    def reason(self, candidate: dict[str, str], **options: Any) -> str:
        """Why a candidate is rejected: the same in check mode and really, and nothing is changed."""
        before = tree(self.folder)
        results = [self.run(candidate, check=check, **options) for check in (True, False)]
        assert results[0] == results[1]
        assert results[0]["failed"]
        assert "exception" not in results[0]
        after = tree(self.folder)
        assert after.pop("vmlinuz", None)
        before.pop("vmlinuz", None)
        assert after == before
        [rejected] = results[0]["rejected"]
        assert rejected["name"] == candidate["name"]
        assert f"- {rejected['name']}: {rejected['reason']}." in results[0]["msg"]
        return str(rejected["reason"])


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Everything below a folder, with mode and time, to compare with afterwards."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else b"",
            path.lstat().st_mode,
            path.lstat().st_ctime_ns,
        )
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    vendor = efi.Key.make(folder, "Vendor Authority")
    return Keys(
        efi.Key.make(folder, "microsoft"),
        vendor,
        efi.Key.make(folder, "signer", vendor, authority=False),
        efi.Key.make(folder, "other"),
    )


@pytest.fixture
def world(tmp_path: Path, keys: Keys, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, keys, capsys)


def changes(result: dict[str, Any]) -> list[bool]:
    assert "failed" not in result, result["msg"]
    assert result["changed"] == any(file["changed"] for file in result["files"]) == bool(result["diff"])
    return [file["changed"] for file in result["files"]]


# ---- what fits


@pytest.mark.parametrize("kind", ["pair", "iso"])
def test_check_run_check_run(world: World, kind: str) -> None:
    candidate = getattr(world, kind)("mine")
    foreseen = world.run(candidate, check=True, mode="0640")
    assert not world.dest.exists()
    done = world.run(candidate, mode="0640")
    assert changes(done) == [True, True]
    assert foreseen == done
    good = world.pair()
    assert (world.dest / "shimx64.efi").read_bytes() == Path(good["shim"]).read_bytes()
    assert pe.read((world.dest / "grubx64.efi").read_bytes()).sections[".sbat"] == efi.GRUB_SBAT
    assert stat.S_IMODE((world.dest / "grubx64.efi").stat().st_mode) == 0o640
    said = {key: done[key] for key in ("source", "vendor", "grub_version", "shim_version", "rejected")}
    assert said == {
        "source": "mine",
        "vendor": "Vendor Authority",
        "grub_version": "2.12",
        "shim_version": "16.1",
        "rejected": [],
    }
    assert done["files"][0]["path"] == str(world.dest / "shimx64.efi")

    before = tree(world.dest)
    for check in (True, False):
        again = world.run(candidate, check=check)
        assert changes(again) == [False, False]
        assert {key: again[key] for key in said} == said
        assert [file["checksum"] for file in again["files"]] == [file["checksum"] for file in done["files"]]
    assert tree(world.dest) == before


@pytest.mark.parametrize("kind", ["pair", "iso"])
def test_its_answer_is_noted_with_all_that_it_depends_on(world: World, kind: str) -> None:
    gone = {"name": "gone", "shim": "/nonexistent/shim", "grub": "/nonexistent/grub"}
    candidate, place = getattr(world, kind)("mine"), world.folder / "answers/loaders.json"
    note = {"path": str(place), "key": "k"}
    world.run(gone, candidate, check=True, note=note)
    assert not place.exists()
    told = world.run(gone, candidate, note=note)
    noted = json.loads(place.read_text())
    same = {key: value for key, value in told.items() if key in noted["answer"]}
    assert {**same, "changed": False, "files": []} == noted["answer"]
    own = [str(world.dest / name) for name in ("shimx64.efi", "grubx64.efi", ".efi_loaders.json")]
    read = [value for key, value in candidate.items() if key != "name"]
    there = {path for path, was in noted["files"].items() if was}
    assert {*own, *read, str(world.folder / "vmlinuz")} < there
    assert {path for path in there if path.endswith("/sbverify")}
    assert {*noted["files"]} - there == {"/nonexistent/shim", "/nonexistent/grub"}


def test_no_answer_is_noted_when_none_is_found(world: World) -> None:
    old = world.pair("old", grub=world.keys.signer.sign(efi.grub(OLD)))
    place = world.folder / "answers/loaders.json"
    note = {"path": str(place), "key": "k"}
    assert world.run(old, note=note)["failed"]
    assert not place.exists()
    assert world.run(old, required=False, note=note)["source"] is None
    assert json.loads(place.read_text())["answer"]["rejected"]


def test_first_that_fits(world: World) -> None:
    old = world.pair("old", grub=world.keys.signer.sign(efi.grub(OLD)))
    gone = {"name": "gone", "shim": "/nonexistent/shim", "grub": "/nonexistent/grub"}
    result = world.run(old, gone, world.pair("good"), world.pair("never"))
    assert result["source"] == "good"
    assert [one["name"] for one in result["rejected"]] == ["old", "gone"]
    assert result["rejected"][0]["reason"].startswith("its GRUB is 2.06, and 2.12 is needed")
    assert result["rejected"][1]["reason"] == "cannot read /nonexistent/shim: No such file or directory"
    assert world.run(old, minimum_grub="2.06")["source"] == "old"


def test_none_fits_and_none_is_needed(world: World) -> None:
    world.run(world.pair())
    before = tree(world.dest)
    result = world.run(world.pair("old", grub=world.keys.signer.sign(efi.grub(OLD))), required=False)
    assert changes(result) == []
    assert (result["source"], result["vendor"], result["grub_version"]) == (None, None, None)
    assert tree(world.dest) == before
    message = world.run()["msg"]
    assert "No candidate is given." in message
    assert "Secure Boot off" in message


def test_only_what_differs_is_written(world: World) -> None:
    world.run(world.pair())
    before = (world.dest / "shimx64.efi").stat()
    newer = world.pair(
        "newer", grub=world.keys.signer.sign(efi.grub(efi.GRUB_SBAT.replace(b"2.12", b"2.14")))
    )
    foreseen = world.run(newer, check=True)
    done = world.run(newer)
    assert foreseen == done
    assert changes(done) == [False, True]
    assert (world.dest / "shimx64.efi").stat().st_ctime_ns == before.st_ctime_ns
    [diff] = done["diff"]
    assert diff["before_header"] == str(world.dest / "grubx64.efi")
    assert diff["before"].startswith("size: ")
    assert diff["before"].endswith("version: 2.12\n")
    assert diff["after"].endswith("version: 2.14\n")
    assert world.run(newer, mode="0600")["diff"][1]["after"] == "mode: 0600\n"


def test_other_processor(world: World) -> None:
    keys = world.keys
    shim = keys.microsoft.sign(efi.shim(keys.vendor.der, machine=0xAA64))
    pair = world.pair("arm", shim, keys.signer.sign(efi.grub(machine=0xAA64)))
    kernel = world.file("arm", keys.signer.sign(efi.program(machine=0xAA64)))
    changes(world.run(pair, arch="aa64", kernels=[kernel]))
    assert sorted(os.listdir(world.dest)) == [names.MANIFEST, "grubaa64.efi", "shimaa64.efi"]
    assert "its shim is for another processor than x64 (machine 0xaa64)" in world.reason(pair)


def test_kernels_for_another_processor_need_no_pair(world: World) -> None:
    done = world.run({**world.pair(), "grub": "/nonexistent"}, arch="aa64", kernels=[world.kernel])
    assert (done["needed"], done["source"], done["rejected"], done["changed"]) == (False, None, [], False)


def test_pairs_for_two_processors_from_images_lie_side_by_side(world: World) -> None:
    keys = world.keys
    shim = keys.microsoft.sign(efi.shim(keys.vendor.der, machine=0xAA64))
    grub = keys.signer.sign(efi.grub(machine=0xAA64))
    files = {
        "pool/main/s/shim-signed/shim-signed_1.58+15.8_arm64.deb": efi.package(
            {"usr/lib/shim/shimaa64.efi.signed.latest": shim}, "xz"
        ),
        "pool/main/g/grub2-signed/grub-efi-arm64-signed_9+2.12_arm64.deb": efi.package(
            {"usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed": grub}, "gz"
        ),
    }
    kernel = world.file("arm", keys.signer.sign(efi.program(machine=0xAA64)))
    both = [world.kernel, kernel]
    candidates = [world.iso(), world.iso("arm-image", files)]
    for run in range(2):
        for arch, source in (("x64", "image"), ("aa64", "arm-image")):
            done = world.run(*candidates, arch=arch, kernels=both)
            assert (done["needed"], done["source"], done["changed"]) == (True, source, run == 0)
    manifest = json.loads((world.dest / names.MANIFEST).read_text())
    assert set(manifest["files"]) == {"grubaa64.efi", "grubx64.efi", "shimaa64.efi", "shimx64.efi"}


def test_list_of_certificates(world: World) -> None:
    keys = world.keys
    allowed = efi.signature_list(efi.X509, [keys.other.der]) + efi.signature_list(efi.X509, [keys.vendor.der])
    result = world.run(world.pair("two", keys.microsoft.sign(efi.shim(allowed))))
    assert result["vendor"] == "other, Vendor Authority"


def test_signature_with_its_authority(world: World) -> None:
    assert (
        world.run(world.pair(grub=world.keys.signer.sign(efi.grub(), world.keys.vendor)))["source"] == "files"
    )


# ---- the best of several


@pytest.fixture(scope="session")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[efi.Key, efi.Key]]:
    """Who signs shims for Microsoft: the signer and its authority, by the authority's year."""
    folder = tmp_path_factory.mktemp("publishers")
    found = {}
    for name, year in pairs.AUTHORITIES.items():
        authority = efi.Key.make(folder, name)
        found[year] = efi.Key.make(folder, f"Publisher {year}", authority, authority=False), authority
    return found


def doctors_view(world: World) -> loaders.Noted:
    """What `netboot doctor` finds of the shim."""
    files = looking.pair(str(world.dest)).files
    assert files is not None
    return files["shimx64.efi"]


def signed_by(
    world: World, publishers: dict[str, tuple[efi.Key, efi.Key]], years: str, machine: int = 0x8664
) -> bytes:
    shim = efi.shim(world.keys.vendor.der, machine=machine)
    for year in years.split():
        signer, authority = publishers[year]
        shim = signer.sign(shim, authority)
    return shim if years else world.keys.microsoft.sign(shim)


@pytest.mark.parametrize("best", ["2011 2023", "2011", "2023"])
def test_what_most_firmware_accepts(
    world: World, publishers: dict[str, tuple[efi.Key, efi.Key]], best: str
) -> None:
    years = ["", "2023", "2011", "2011 2023"]
    given = {
        year: world.pair(year or "none", signed_by(world, publishers, year))
        for year in years[: years.index(best) + 1]
    }
    done = world.run(*given.values())
    assert done["source"] == best
    assert done["authorities"] == best.split()
    assert [pairs.AUTHORITIES[name] for name in done["signers"]] == best.split()
    assert done["rejected"] == []
    notes = json.loads((world.dest / names.MANIFEST).read_text())["files"]["shimx64.efi"]
    assert (notes["signers"], notes["source"]) == (done["signers"], best)
    assert notes["authorities"] == done["authorities"]
    noted = doctors_view(world)
    assert (noted.years, noted.now == noted.verified) == (best.split(), True)
    with (world.dest / "shimx64.efi").open("ab") as file:
        file.write(b"x")
    assert doctors_view(world).now not in (None, noted.verified)
    assert changes(world.run(*given.values())) == [True, False]
    assert changes(world.run(*given.values())) == [False, False]
    # but what the user named is taken, and of equal ones the first
    assert world.run({**given[""], "named": True}, *given.values())["source"] == "none"
    assert (
        world.run(world.pair("same", signed_by(world, publishers, best)), *given.values())["source"] == "same"
    )


def test_the_authority_that_is_asked_for(
    world: World, publishers: dict[str, tuple[efi.Key, efi.Key]]
) -> None:
    given = {year: world.pair(year, signed_by(world, publishers, year)) for year in ("2011", "2023")}
    for year in given:
        done = world.run(*given.values(), authority=year)
        assert (done["source"], done["authorities"]) == (year, [year])
        assert [one["name"] for one in done["rejected"]] == [*{*given} - {year}]
    none = world.run(given["2011"], authority="2023", required=False)
    assert (none["source"], none["needed"]) == (None, True)
    assert none["rejected"][0]["reason"] == (
        "its shim is signed by Microsoft Corporation UEFI CA 2011, not by Microsoft's authority of 2023"
    )
    both = world.pair("both", signed_by(world, publishers, "2011 2023"))
    assert world.run(given["2023"], both, authority="2023")["source"] == "both"


def test_best_shim_of_a_package(world: World, publishers: dict[str, tuple[efi.Key, efi.Key]]) -> None:
    """Ubuntu's has several, and their names do not say whether 2011 or 2023 signed them."""
    shims = {"signed.latest": "2023", "dualsigned": "2011", "signed.previous": "2011 2023"}
    debs = {
        "pool/shim-signed_1_amd64.deb": efi.package(
            {
                SHIM.replace("signed", ending): signed_by(world, publishers, years)
                for ending, years in shims.items()
            }
        ),
        "pool/grub-efi-amd64-signed_1_amd64.deb": efi.package({GRUB: world.keys.signer.sign(efi.grub())}),
    }
    candidate = world.iso(files=debs)
    assert world.run(candidate)["authorities"] == ["2011"]
    assert changes(world.run(candidate)) == [False, False]


def test_kernels_are_judged_each(world: World) -> None:
    """One image with a revoked kernel takes Secure Boot from no other."""
    keys = world.keys
    old = world.file("old", keys.signer.sign(efi.program({".linux": b"old"})))
    digest = pe.read(Path(old).read_bytes()).digest
    shim = keys.microsoft.sign(efi.shim(keys.vendor.der, efi.signature_list(efi.SHA256, [digest])))
    candidate, both = world.pair("newer", shim), [world.kernel, old]
    refused = [{"kernel": old, "reason": f"{old} is revoked: its shim refuses it by name. Use a newer one"}]
    for check in (True, False):
        done = world.run(candidate, kernels=both, required=False, check=check)
        assert (done["source"], done["refused"]) == ("newer", refused)
    assert (world.dest / "shimx64.efi").read_bytes() == shim
    failed = world.run(candidate, kernels=both)
    assert failed["failed"]
    assert f"\n- newer: {old} is revoked" in failed["msg"]
    # one that starts both is taken before all others
    done = world.run(candidate, world.pair("older"), kernels=both)
    assert (done["source"], done["refused"]) == ("older", [])
    # and one that starts none is as good as none
    assert "is revoked" in world.reason(candidate, kernels=[old])


# ---- what does not


def test_wrong_vendor(world: World) -> None:
    keys = world.keys
    told = "is not signed by Vendor Authority, the only one whom its shim trusts"
    assert world.reason(world.pair(grub=keys.other.sign(efi.grub()))) == f"its GRUB {told}"
    kernel = world.file("kernel", keys.other.sign(efi.program()))
    assert world.reason(world.pair(), kernels=[kernel]) == f"{kernel} {told}"
    both = world.run(world.pair(), kernels=[world.kernel, kernel])
    assert f"\n- files: {kernel} {told}.\n" in both["msg"]
    assert not world.dest.exists()


def test_signature_that_sbverify_takes_for_good(world: World, tmp_path: Path) -> None:
    """One with an intermediate certificate: sbverify 0.9.4 says OK whatever certificate it is given."""
    between = efi.Key.make(tmp_path, "between", world.keys.other)
    signer = efi.Key.make(tmp_path, "foreign", between, authority=False)
    reason = world.reason(world.pair(grub=signer.sign(efi.grub(), between)))
    assert "sbverify cannot tell whose it is" in reason or "is not signed by" in reason


def test_kernels_that_nobody_can_start(world: World) -> None:
    kernel = world.file("kernel", efi.program())
    assert world.reason(world.pair(), kernels=[kernel]) == f"{kernel} is not signed"
    kernel = world.file("kernel", gzip.compress(world.keys.signer.sign(efi.program())))
    assert world.reason(world.pair(), kernels=[kernel]).startswith(f"{kernel} is compressed (gzip)")
    assert "No such file" in world.reason(world.pair(), kernels=["/nonexistent"])
    assert "Is a directory" in world.reason(world.pair(), kernels=[str(world.folder)])


def test_a_kernel_that_is_made_to_cost_much(world: World) -> None:
    bomb = world.file("bomb", b"")
    os.truncate(bomb, 1500 << 20)
    with pytest.raises(UserError, match="bytes: it is no loader and no kernel"):
        pairs._read(bomb, pairs.MAX_KERNEL)
    spent = cost(lambda: pairs.kernels_for("x64", [bomb]))
    assert spent.fair, spent


@pytest.mark.parametrize("which", ["shim", "grub", "kernel"])
def test_damaged(world: World, which: str) -> None:
    candidate = world.pair()
    path = Path(world.kernel if which == "kernel" else candidate[which])
    data = path.read_bytes()
    kernels = [str(path)] if which == "kernel" else None
    flipped = world.file("flipped", data[:1030] + b"x" + data[1031:])
    cut = world.file("cut", data[:-100])
    for bad, why in ((flipped, "is damaged: it is not what"), (cut, "is cut off: its signature")):
        candidate = {**world.pair(), which: bad} if which != "kernel" else world.pair()
        kernels = [bad] if which == "kernel" else [world.kernel]
        assert why in world.reason(candidate, kernels=kernels)


def test_unsigned(world: World) -> None:
    assert world.reason(world.pair(grub=efi.grub())) == "its GRUB is not signed"
    assert world.reason(world.pair(shim=efi.shim(world.keys.vendor.der))) == "its shim is not signed"
    assert "its shim is no shim" in world.reason(world.pair(shim=world.keys.microsoft.sign(efi.grub())))
    assert "does not say its version" in world.reason(world.pair(grub=world.keys.signer.sign(efi.program())))


def test_revoked(world: World) -> None:
    keys = world.keys
    digest = pe.read(efi.grub()).digest
    for bad in (
        efi.signature_list(efi.SHA256, [b"x" * 32, digest]),
        efi.signature_list(efi.X509, [keys.signer.der]),
    ):
        shim = keys.microsoft.sign(efi.shim(keys.vendor.der, bad))
        assert "its GRUB is revoked" in world.reason(world.pair(shim=shim))
    harmless = efi.signature_list(efi.SHA256, [b"x" * 32]) + efi.signature_list(efi.X509, [keys.other.der])
    assert world.run(world.pair(shim=keys.microsoft.sign(efi.shim(keys.vendor.der, harmless))))["source"]


def test_shim_that_refuses_older_generations(world: World) -> None:
    def shim(level: str) -> bytes:
        return world.keys.microsoft.sign(efi.shim(world.keys.vendor.der, level=level))

    assert "refuses its GRUB as too old (grub below SBAT generation 6)" in world.reason(
        world.pair(shim=shim("grub,6"))
    )
    assert world.run(world.pair(shim=shim("shim,9\ngrub,5\ngrub.else,7")))["source"] == "files"


def test_no_sbverify(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.get_bin_path", lambda *args: None)
    assert "apt install sbsigntool" in world.run(world.pair())["msg"]


def test_wrong_options(world: World) -> None:
    assert "minimum_grub: 'new' is no version" in world.run(world.pair(), minimum_grub="new")["msg"]
    assert "one of the following is required: shim, iso" in world.run({"name": "x"})["msg"]
    assert "required together" in world.run({"name": "x", "shim": "/x"})["msg"]
    assert "mutually exclusive" in world.run({**world.pair(), "iso": "/x"})["msg"]


def test_destination(world: World) -> None:
    pair = world.pair()
    assert "is no folder" in world.run(pair, dest=pair["shim"])["msg"]
    (world.dest / "grubx64.efi").mkdir(parents=True)
    assert "grubx64.efi is a folder" in world.run(pair)["msg"]
    assert os.listdir(world.dest) == ["grubx64.efi"]


def test_failure_while_writing(world: World) -> None:
    assert "no-such-user" in world.run(world.pair(), owner="no-such-user")["msg"]
    assert not (world.dest / "shimx64.efi").exists()


# ---- images


def test_image_is_not_opened_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = world.iso()
    first = world.run(candidate)
    monkeypatch.setattr(pairs, "Image", None)
    again = world.run(candidate)
    assert changes(again) == [False, False]
    assert again["vendor"] == first["vendor"]
    monkeypatch.undo()
    (world.dest / "grubx64.efi").write_bytes(b"other")
    assert changes(world.run(candidate)) == [False, True]
    os.utime(candidate["iso"])
    assert changes(world.run(candidate)) == [False, False]


def test_image_that_was_replaced(world: World) -> None:
    world.run(world.iso())
    debs = {
        "pool/shim-signed_2_amd64.deb": efi.package({SHIM: (world.dest / "shimx64.efi").read_bytes()}),
        "pool/grub-efi-amd64-signed_2_amd64.deb": efi.package(
            {GRUB: world.keys.signer.sign(efi.grub(efi.GRUB_SBAT.replace(b"2.12", b"2.14")))}
        ),
    }
    candidate = world.iso(files=debs)
    foreseen = world.run(candidate, check=True)
    assert foreseen == (done := world.run(candidate))
    assert changes(done) == [False, True]
    assert done["grub_version"] == "2.14"


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"version": 1, "files": {"shimx64.efi": 3}}'])
def test_damaged_manifest(world: World, manifest: bytes) -> None:
    candidate = world.iso()
    world.run(candidate)
    place = world.dest / ".efi_loaders.json"
    good = place.read_bytes()
    place.write_bytes(manifest)
    assert changes(world.run(candidate)) == [False, False]
    assert place.read_bytes() == good


def ubuntu(world: World, arch: str, grub: str, shims: Mapping[str, bytes]) -> dict[str, str]:
    """An image with packages of the names, files and compression of Ubuntu's; `shims` by what their names end with."""
    efi_arch, debian = arch.upper(), names.DEBIAN_ARCHS[arch]
    sbat = efi.sbat(f"grub,5,FSF,grub,{grub},URL", f"grub.ubuntu,2,Ubuntu,grub2,{grub}-1ubuntu7.3,URL")
    signed = world.keys.signer.sign(efi.grub(sbat, pe.MACHINES[arch]))
    folder = names.GRUB_FILES[arch].rpartition("/")[0]
    shim_files = {f"usr/lib/shim/shim{arch}.efi.{ending}": shim for ending, shim in shims.items()}
    others = {f"usr/lib/shim/BOOT{efi_arch}.CSV": b"x", f"usr/lib/shim/mm{arch}.efi": b"x", **shim_files}
    for_disks = {f"{folder}/{kind}{arch}.efi.signed": b"for disks" for kind in ("gcd", "grub")}
    network = {f"{folder}/grubnet{arch}.efi.signed": signed}
    pool = {
        f"pool/main/s/shim-signed/shim-signed_1.59+15.8-0ubuntu2_{debian}.deb": efi.package(others, "zst"),
        f"pool/main/g/grub2-signed/grub-efi-{debian}-signed_1.202.5+{grub}-1ubuntu7.3_{debian}.deb": efi.package(
            {**for_disks, **network}, "zst"
        ),
        f"pool/main/g/grub2-unsigned/grub-efi-{debian}_{grub}-1ubuntu7.3_{debian}.deb": b"not signed",
    }
    return world.iso(f"ubuntu-{grub}-{arch}", pool, rock_ridge=False, joliet=True)


@pytest.mark.skipif(not shutil.which("xorriso"), reason="xorriso is not installed")
@pytest.mark.parametrize("arch", names.PAIRS)
def test_a_smaller_iso_has_the_same_pair(
    world: World, publishers: dict[str, tuple[efi.Key, efi.Key]], arch: str
) -> None:
    """Also one of a whole one that has Joliet, and no Rock Ridge."""
    machine = pe.MACHINES[arch]
    shims = {"dualsigned": signed_by(world, publishers, "2011 2023", machine)}
    whole = ubuntu(world, arch, "2.12", shims)
    small = {"name": "small", "iso": whole["iso"] + ".small"}
    smaller.make(whole["iso"], small["iso"], "x")
    kernel = world.file("k", world.keys.signer.sign(efi.program({".linux": b"k"}, machine)))
    told = [world.run(one, arch=arch, kernels=[kernel]) for one in (whole, small)]
    assert [one["source"] for one in told] == [whole["name"], "small"]
    assert [changes(one) for one in told] == [[True, True], [False, False]]


@pytest.mark.parametrize("arch", names.PAIRS)
def test_images_with_packages_as_ubuntu_has_them(
    world: World, publishers: dict[str, tuple[efi.Key, efi.Key]], arch: str
) -> None:
    """That of 26.04 with GRUB 2.14 and a shim that both of Microsoft's authorities have signed is taken for both."""
    machine = pe.MACHINES[arch]
    old, both = (signed_by(world, publishers, years, machine) for years in ("2011", "2011 2023"))
    noble = ubuntu(world, arch, "2.12", {"signed.previous": b"older", "signed.latest": old})
    resolute = ubuntu(world, arch, "2.14", {"signed.latest": old, "dualsigned": both})
    kernels = [
        world.file(name, world.keys.signer.sign(efi.program({".linux": name.encode()}, machine)))
        for name in ("noble", "resolute")
    ]
    for candidates, shim, version in (([noble], old, "2.12"), ([noble, resolute], both, "2.14")):
        done = world.run(*candidates, arch=arch, kernels=kernels)
        assert (done["source"], done["grub_version"], done["refused"]) == (
            candidates[-1]["name"],
            version,
            [],
        )
        assert (world.dest / names.SHIMS[arch]).read_bytes() == shim
        assert pe.sbat(pe.read((world.dest / f"grub{arch}.efi").read_bytes()))["grub"] == (5, version)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"casper/vmlinuz": b""}, "there is no pool/**/shim-signed_*_amd64.deb in {}"),
        (
            {"pool/shim-signed_1_amd64.deb": efi.package({SHIM: b"x"})},
            "there is no pool/**/grub-efi-amd64-signed_*_amd64.deb in {}",
        ),
        (
            {"pool/shim-signed_1_amd64.deb": b"x"},
            "pool/shim-signed_1_amd64.deb in {} cannot be used: it cannot be unpacked (dpkg-deb: ",
        ),
        (
            {"pool/shim-signed_1_amd64.deb": efi.package({"x": b""})},
            "pool/shim-signed_1_amd64.deb in {} has no usr/lib",
        ),
        (
            {
                "pool/shim-signed_1_amd64.deb": efi.package({SHIM: b"x"}),
                "pool/grub-efi-amd64-signed_1_amd64.deb": efi.package({GRUB: b"x"}),
            },
            "its shim is no UEFI program",
        ),
    ],
)
def test_image_that_does_not_fit(world: World, files: dict[str, bytes], why: str) -> None:
    candidate = world.iso(files=files)
    assert world.reason(candidate).startswith(why.format(candidate["iso"]))


def test_no_image(world: World) -> None:
    assert "No such file" in world.reason({"name": "x", "iso": "/nonexistent"})
    assert "is no ISO image" in world.reason({"name": "x", "iso": world.file("x", bytes(100_000))})
    assert "Is a directory" in world.reason({"name": "x", "iso": str(world.folder)})
    whole = Path(world.iso()["iso"])
    os.truncate(whole, whole.stat().st_size - 10_000)
    assert "is truncated" in world.reason({"name": "x", "iso": str(whole)})


def test_no_pycdlib(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efi_loaders, "PYCDLIB_ERROR", "ImportError: ...")
    assert "apt install python3-pycdlib" in world.run(world.iso())["msg"]
    assert world.run(world.pair())["source"] == "files"
