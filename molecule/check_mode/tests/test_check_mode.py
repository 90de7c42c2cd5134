# SPDX-License-Identifier: GPL-3.0-or-later
"""`site.yml --check --diff` on a bare server, and on one that is set up: it shows every file, and touches none."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.check_mode import PASSWORD, results, shown

pytestmark = pytest.mark.on("trixie")  # the second server is its other half


STATE, SERVED = "/var/lib/netboot", "/srv/netboot"
#: Each file that no diff names, and why.
UNSHOWN = {
    # whether UEFI machines get it is judged when packages and images are there; the run says so
    f"{SERVED}/http/efi/ipxe.efi": "bare",
    # what systemd makes to start a unit that is shown: its line WantedBy=
    "/etc/systemd/system/multi-user.target.wants/netboot-dnsmasq.service": "bare",
    "/etc/systemd/system/multi-user.target.wants/netboot-nginx.service": "bare",
    "/etc/systemd/system/multi-user.target.wants/netboot.target": "bare",
    # the program's notes: what it handed out, and the moment's state of each machine that may be installed
    f"{STATE}/lock": "bare",
    f"{STATE}/served.json": "bare",
    f"{STATE}/known.json": "bare",
    f"{STATE}/changes.log": "bare",
    # what modules were asked, and answered, so that they need not be asked again
    f"{STATE}/answers/images.json": "bare",
    f"{STATE}/answers/loaders-x64-any.json": "bare",
    f"{STATE}/machines/f4-4d-30-60-64-69.json": "bare",
    f"{STATE}/machines/f4-4d-30-60-64-6a.json": "bare",
    f"{STATE}/machines/f4-4d-30-60-64-6b.json": "bare",
}
SEED = re.compile(rf"{SERVED}/http/machines/(\w+)/([0-9a-f]{{32}})/(.+)")


def plan_of(path: str, names: set[str]) -> str:
    """The file of the plan that a file is handed out from, as the README says; empty when it is not in the plan."""
    if seed := SEED.fullmatch(path):
        return f"{STATE}/plan/seed/{seed[1]}/{seed[3]}"
    if resting := re.fullmatch(rf"{SERVED}/(.+)/\.resting-[^/]+", path):
        return f"{STATE}/plan/local/{resting[1]}"
    below = path.removeprefix(SERVED)
    found = [one for one in names if re.fullmatch(rf"{STATE}/plan/(static|boot/\w+){re.escape(below)}", one)]
    return found[0] if path.startswith(SERVED) and found else ""


def test_check_mode_touches_nothing(seen: Any) -> None:
    assert seen.touched == []


@pytest.mark.parametrize(("check", "run"), [("bare", "first"), ("changed", "later")])
def test_every_file_is_shown_before_it_is_written(seen: Any, check: str, run: str) -> None:
    names = shown(seen.said[check])
    missing = seen.written[run] - set(names)
    missing = {path for path in missing if plan_of(path, set(names)) not in names}
    assert sorted(missing) == sorted(path for path, when in UNSHOWN.items() if check in when.split())


@pytest.mark.parametrize(("check", "run"), [("bare", "first"), ("changed", "later")])
def test_what_is_shown_is_what_is_written(seen: Any, check: str, run: str) -> None:
    content = seen.content[run]
    compared = 0
    for path, lines in shown(seen.said[check]).items():
        if path in content and not any(line.startswith("(") for line in lines):
            assert set(lines) <= set(content[path].splitlines()), path
            compared += 1
    assert compared > 10


def test_the_programs_are_named_and_not_shown(seen: Any) -> None:
    """They would be nine of ten lines, and a reader of the others would give up."""
    found = shown(seen.said["bare"])
    programs = (
        "/usr/local/lib/netboot/cli.py",
        "/usr/local/lib/netboot/web/start.py",
        f"{STATE}/plan/program/guard.py",
    )
    for path in programs:
        assert found[path] == ["(created)"]
    assert len(seen.said["bare"].splitlines()) < 2000


@pytest.mark.parametrize("machine", ["nuc1", "nuc2"])
@pytest.mark.parametrize("when", ["bare", "changed"])
def test_each_kernel_line_is_shown_whole(seen: Any, when: str, machine: str) -> None:
    (line,) = re.findall(rf"^\+.*APPEND (.*/machines/{machine}/.*)$", seen.said[when], re.MULTILINE)
    words = line.split()
    assert {"autoinstall", "ip=dhcp", "cloud-config-url=/dev/null"} <= set(words)
    assert ("console=ttyS1" in words) == (when == "changed")
    assert all(":8080/" in word for word in words if "http://" in word) == (when == "changed")
    run = "first" if when == "bare" else "later"
    assert any(line in text for path, text in seen.content[run].items() if f"/plan/boot/{machine}/" in path)


def test_packages_are_shown(seen: Any) -> None:
    for name in ("nginx", "dnsmasq-base", "pxelinux"):
        assert re.search(rf"^ +.*\b{name}\b", seen.said["bare"], re.MULTILINE)


def test_what_cannot_be_known_yet_is_said(seen: Any) -> None:
    unknown = (
        "Check mode: whether UEFI machines get shim and GRUB or iPXE is judged when packages and images are"
    )
    assert [unknown in " ".join(seen.said[run].split()) for run in ("bare", "image", "changed", "later")] == [
        True,
        True,
        False,
        False,
    ]


def test_who_would_be_armed_is_said(seen: Any) -> None:
    """On a bare server all that may be, and the run arms them; later nobody more, as the run says, too."""

    def armed(run: str) -> set[str]:
        return set(re.findall(r"(?:Would be armed|Armed), ((?:for|and THEIR) .*?[.])", seen.said[run]))

    assert armed("bare") == armed("first")
    assert "nuc1 (focal)" in " ".join(armed("bare"))
    assert armed("changed") == armed("later")
    assert "Would be armed, " in seen.said["bare"]
    assert "Would be armed, " not in seen.said["first"]


def test_what_leaves_is_shown_and_what_cannot_be_judged_stays(seen: Any) -> None:
    loader, lines = f"{SERVED}/http/efi/ipxe.efi", "/etc/netboot/dnsmasq.conf"
    assert {loader, lines} <= set(shown(seen.said["changed"]))
    assert not {loader, lines} & set(shown(seen.said["image"]))
    for file in ("other.iso", "vmlinuz", "initrd", "manifest.json"):
        assert any(
            re.fullmatch(rf"{SERVED}/http/images/other/[0-9a-f]+/{re.escape(file)}", path)
            for path in shown(seen.said["image"])
        )


def test_a_run_with_nothing_to_do_asks_only_what_may_have_changed(seen: Any) -> None:
    """What the first run found is noted, and the look has asked the services. `make bench` says what that spares."""
    noted = ["See which images the server has", "Install shim and GRUB for UEFI machines"]
    services = ["Ask for something that is not there", "Ask as the firmware of a machine does"]

    def asked(run: str) -> list[str]:
        done = results(seen.said[run].replace("skipping: ", ""))
        return [task for task in noted + services if any(name.endswith(f" : {task}") for name in done)]

    assert asked("first") == noted + services
    assert asked("again") == []
    assert "changed: " not in seen.said["again"]


@pytest.mark.parametrize("unit", ["netboot-nginx", "netboot-dnsmasq"])
def test_a_run_with_nothing_to_do_fails_when_a_service_is_silent(seen: Any, unit: str) -> None:
    """It runs, and is active for systemd; the look has asked it."""
    said = " ".join(seen.said[unit].split())
    assert f"{unit}.service does not answer" in said
    assert "ActiveState=active" in said
    assert not re.search("^changed: ", seen.said[unit], re.MULTILINE)


@pytest.mark.parametrize("when", ["first", "later"])
def test_no_task_has_more_results_for_more_machines(seen: Any, when: str) -> None:
    few, many = results(seen.said[when]), results(seen.said[f"{when}, 23 machines"])
    assert sum(few.values()) > 50
    assert many == few
    assert "changed: " in seen.said[f"{when}, 23 machines"]


def test_images_are_proved(seen: Any) -> None:
    """By the manifest, which the web server hands out; and what a disk changed is found, and mended by the remedy."""
    told = json.loads(seen.said["manifest"])
    assert (told["image"], told["source"], told["release"]) == ("focal", "/var/tmp/test.iso", "20.04.3")
    good = f"focal {told['version']}, in use: Ubuntu 20.04.3 for amd64"
    for run in ("proved", "mended"):
        assert good in " ".join(seen.said[run].split())
        assert ": as verified." in seen.said[run]
        assert "WRONG" not in seen.said[run]
    rotten = " ".join(seen.said["rotten"].split())
    folder = f"{SERVED}/http/images/focal/{told['version']}"
    assert f"WRONG: {folder}/initrd has the SHA-256 " in rotten
    assert f"Remove {folder}, and run homelab.netboot.site." in rotten
    assert "something is not what was verified; what, and what to do, is said above." in rotten


def test_no_password_is_shown(seen: Any) -> None:
    assert any(PASSWORD in text for text in seen.content["first"].values())  # it is in the seeds
    assert [run for run, said in seen.said.items() if PASSWORD in said or "x" * 40 in said] == []
