# SPDX-License-Identifier: GPL-3.0-or-later
"""The program's one acting part, in a folder of its own with the real file system."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlencode

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import contract, files, listing, wake
from ansible_collections.homelab.netboot.plugins.module_utils._program.cli import main
from ansible_collections.homelab.netboot.plugins.module_utils._program.plan import RefusedError
from ansible_collections.homelab.netboot.plugins.module_utils._program.store import Store, counts
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import (
    DEFAULT,
    ENTRY,
    LOCAL,
    SEEDS,
    Box,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZmxrFyf7PTkSFHHyVdmvXVDVHiAGZLqA6hZAZ0Zc5D"
CALL = urlencode({"pub_key_ed25519": f"{KEY} root@nuc1", "pub_key_rsa": "N/A", "hostname": "nuc1"})
AT = "up.192.168.1.77"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.plan(nuc1="once", nuc2="once", spared="never")
    assert box.do("publish") > 0
    return box


def test_new_machines_are_armed_with_entries_and_seeds_of_their_own_token(box: Box) -> None:
    for name in ("nuc1", "nuc2"):
        token = box.of(name).token
        assert box.entry(f"01-{name}") == f"seed=http://x/machines/{name}/{token}/\n"
        assert box.seeds(name) == {seed: f"{name} {seed} {token}\n" for seed in contract.SEED_FILES}
    assert box.of("nuc1").token != box.of("nuc2").token
    assert box.boots_disk("spared")
    assert box.entry("default") == DEFAULT


def test_a_second_publish_changes_nothing(box: Box) -> None:
    before = box.served()
    assert box.do("publish") == 0
    assert box.served() == before


def test_seeds_are_for_the_web_server_and_states_for_root(box: Box) -> None:
    folder = box.root / SEEDS / "nuc1" / box.of("nuc1").token
    modes = {oct(path.stat().st_mode & 0o777) for path in (folder, folder.parent, box.root / SEEDS)}
    assert modes == {"0o750"}
    assert {oct((box.root / path).stat().st_mode & 0o777) for path in ("", "http", ENTRY)} == {"0o755"}
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o640"}
    assert box.file("nuc1").stat().st_mode & 0o777 == 0o600
    assert (box.state / "machines").stat().st_mode & 0o777 == 0o700
    assert (box.root / ENTRY / "01-nuc1").stat().st_mode & 0o777 == 0o644


def test_the_whole_life_of_a_machine(box: Box) -> None:
    first = box.of("nuc1").token
    box.fetch("nuc1")
    assert box.of("nuc1").state == "installing"
    assert box.entry("01-nuc1") == LOCAL
    assert len(box.seeds("nuc1")) == 4
    box.report("nuc1")
    assert box.of("nuc1").state == "installed"
    assert box.boots_disk("nuc1")
    assert box.do("publish") == 0  # a run of the playbook does not arm it again
    assert box.boots_disk("nuc1")
    box.do("arm", "nuc1")
    assert box.of("nuc1").token not in ("", first)
    box.report("nuc1", token=first)  # the old one counts for nothing
    assert box.of("nuc1").state == "armed"
    assert "nuc1: a report 'installed' with a wrong or old token was thrown away" in box.said
    assert not any(first in said or box.of("nuc1").token in said for said in box.said)


def test_an_installed_machine_tells_its_first_start_once(box: Box) -> None:
    token = box.of("nuc1").token
    box.fetch("nuc1")
    box.report("nuc1")
    assert box.boots_disk("nuc1")
    assert box.do("publish") == 0
    box.report("nuc1", AT, body=CALL)
    state = box.of("nuc1")
    assert (state.state, state.address, state.host_keys) == ("up", "192.168.1.77", (KEY,))
    assert "nuc1: up at 192.168.1.77" in box.said
    assert box.do("publish") == 0
    assert box.boots_disk("nuc1")
    (change,) = (line for line in (box.state / "changes.log").read_text().splitlines() if '"up"' in line)
    assert json.loads(change)["address"] == "192.168.1.77"
    box.report("nuc1", "up.192.168.1.66", token, CALL)  # who has seen the token, later
    assert box.of("nuc1") == state
    assert "nuc1: a report 'up' with a wrong or old token was thrown away" in box.said
    box.do("arm", "nuc1")
    assert (box.of("nuc1").address, box.of("nuc1").host_keys) == ("", ())
    assert not any(token in said for said in box.said)


def test_of_a_key_that_the_inventory_gave_nobody_else_has_anything_to_say(box: Box) -> None:
    other = KEY.replace("IIZmxr", "IIZmxs")
    box.host_keys["nuc1"] = other
    box.plan(nuc1="once")
    for _turn in ("once", "again"):
        box.do("arm", "nuc1")
        box.fetch("nuc1")
        box.report("nuc1")
        box.report("nuc1", AT, body=CALL)
        assert box.of("nuc1").host_keys == (other,)
    box.host_keys["nuc1"] = "ssh-ed25519 AAAA"
    box.plan(nuc1="once")
    with pytest.raises(RefusedError, match="no host key"):
        box.do("publish")


def test_who_is_installed_is_waited_for_and_tells_nothing_else(box: Box) -> None:
    box.fetch("nuc1")
    box.report("nuc1")
    before = box.of("nuc1")
    for word in ("begun", "installed", "failed"):
        box.report("nuc1", word)
        assert box.of("nuc1") == before
        assert f"nuc1: a report {word!r} was thrown away, since it is installed" in box.said
    assert counts(str(box.state)) == {"installed": 1, "refused": 3}


def test_who_is_up_was_installed_though_that_report_was_lost(box: Box) -> None:
    box.fetch("nuc1")
    box.report("nuc1", AT, body=CALL)
    assert (box.of("nuc1").state, box.boots_disk("nuc1")) == ("up", True)
    box.fetch("nuc2")
    token = box.of("nuc2").token
    box.since_boot += 5 * 3600
    box.do("expire")
    assert box.of("nuc2").state == "failed"
    box.report("nuc2", AT, token, CALL)
    assert box.of("nuc2").state == "up"
    assert counts(str(box.state)) == {"installed": 2, "failed": 1}


def test_who_has_not_begun_or_has_failed_is_not_up(box: Box) -> None:
    before = box.of("nuc1")
    box.report("nuc1", AT, body=CALL)
    assert box.of("nuc1") == before
    assert before.state == "armed"
    assert "nuc1: a report 'up' was thrown away, since it is armed" in box.said
    token = before.token
    box.fetch("nuc1")
    box.report("nuc1", "failed", body="no disk")
    box.report("nuc1", AT, token, CALL)
    assert box.of("nuc1").state == "failed"
    box.do("arm", "nuc1")
    box.fetch("nuc1")
    token = box.of("nuc1").token
    box.do("disarm", "nuc1")
    box.report("nuc1", AT, token, CALL)
    assert box.of("nuc1").state == "local"


def test_one_address_that_stands_for_many_machines_is_never_up(box: Box) -> None:
    box.plan(rest="any")
    box.do("publish")
    box.report("rest", AT, body=CALL)
    assert (box.of("rest").state, box.of("rest").address) == ("armed", "")


@pytest.mark.parametrize("body", ["", "x", "\0", "&" * 9000, "pub_key_rsa=" + "x" * 9000, "\ud83d\ude00=%ff"])
def test_a_first_start_without_keys_counts_and_nothing_of_it_is_kept(box: Box, body: str) -> None:
    box.fetch("nuc1")
    box.report("nuc1")
    (box.spool / "reports" / f"nuc1.{box.of('nuc1').token}.{AT}").write_bytes(
        body.encode("utf-8", "surrogatepass")
    )
    box.do("drain")
    state = box.of("nuc1")
    assert (state.state, state.address, state.host_keys) == ("up", "192.168.1.77", ())


def test_the_addresses_of_machines_are_told(box: Box) -> None:
    box.fetch("nuc1")
    box.report("nuc1")
    box.report("nuc1", AT, body=CALL)
    (one,) = json.loads(listing.tell(box.settings, ["nuc1"], as_json=True))
    assert (one["state"], one["address"], one["host_keys"]) == ("up", "192.168.1.77", [KEY])
    head, line = listing.tell(box.settings, ["nuc1"], as_json=False).splitlines()
    assert line.split()[3:6:2] == ["up", "192.168.1.77"]
    assert head.index("address") == line.index("192.168.1.77")


def test_a_failure_keeps_reason_and_log(box: Box) -> None:
    box.fetch("nuc1")
    box.report("nuc1", "failed", body="disk \x1b[31mtoo small\n" + "x" * 100_000)
    state = box.of("nuc1")
    assert (state.state, state.reason) == ("failed", "disk  [31mtoo small")
    log = box.state / "logs/nuc1.log"
    assert log.stat().st_size <= 65536
    assert log.stat().st_mode & 0o777 == 0o600
    assert box.boots_disk("nuc1")


def test_a_report_before_the_fetch_was_seen_counts_too(box: Box) -> None:
    box.report("nuc1")
    assert box.of("nuc1").state == "installed"


@pytest.mark.parametrize(
    "name",
    ["x", "nuc1.installed", "..%2f.failed", f"nuc1.{'g' * 32}.installed", f"..{'0' * 32}.failed", ".hidden"]
    + [
        f"{name}.{'0' * 32}.{word}"
        for name in ("nuc1", "spared", "stranger", "..", "-")
        for word in ("failed", "no", "up", AT, "up.x", "up.192.168.1.77.8", "installed.192.168.1.77")
    ],
)
def test_whatever_else_is_reported_changes_nothing_and_goes(box: Box, name: str) -> None:
    before = box.served(), [box.of(one) for one in ("nuc1", "nuc2", "spared")]
    (box.spool / "reports" / name).write_text("x")
    box.do("drain")
    assert not list((box.spool / "reports").iterdir())
    assert before == (box.served(), [box.of(one) for one in ("nuc1", "nuc2", "spared")])


def test_a_report_touches_its_machine_only(box: Box) -> None:
    box.fetch("nuc1")
    for path in files.walk(str(box.root)):
        os.utime(box.root / path, (1, 1))
    box.report("nuc1")
    touched = {path for path in box.served() if (box.root / path).stat().st_mtime > 1}
    assert touched == set()  # its entry was local already, and its seeds are gone


def test_a_plan_that_changes_reaches_the_armed_and_not_the_installing(box: Box) -> None:
    box.fetch("nuc2")
    before = {name: box.of(name).token for name in ("nuc1", "nuc2")}
    for name in before:
        box.put(f"plan/boot/{name}/{ENTRY}/01-{name}", "new @TOKEN@\n")
        box.put(f"plan/seed/{name}/user-data", "new @TOKEN@\n")
    box.do("publish")
    assert {name: box.of(name).token for name in before} == before
    assert box.entry("01-nuc1") == box.seeds("nuc1")["user-data"] == f"new {before['nuc1']}\n"
    assert box.entry("01-nuc2") == LOCAL
    assert box.seeds("nuc2")["user-data"] == f"nuc2 user-data {before['nuc2']}\n"


def test_a_machine_that_leaves_the_inventory_is_not_served_and_does_not_come_back_armed(box: Box) -> None:
    box.plan(nuc2="once")
    box.do("publish")
    assert sorted(box.served()) == sorted(
        [f"{ENTRY}/01-nuc2", f"{ENTRY}/.resting-01-nuc2", f"{ENTRY}/default"]
        + [f"{SEEDS}/nuc2/{box.of('nuc2').token}/{seed}" for seed in contract.SEED_FILES]
    )
    box.plan(nuc1="once", nuc2="once")
    box.do("publish")
    assert box.of("nuc1").state == "local"
    assert box.boots_disk("nuc1")


def test_files_of_others_stay(box: Box) -> None:
    for path in (f"{ENTRY}/memtest", "tftp/pxelinux.0", "http/images/x"):
        (box.root / path).parent.mkdir(parents=True, exist_ok=True)
        (box.root / path).write_text("mine")
    box.plan()
    box.do("publish")
    assert sorted(box.served()) == [
        "http/images/x",
        "tftp/pxelinux.0",
        f"{ENTRY}/default",
        f"{ENTRY}/memtest",
    ]


def test_a_machine_without_a_whole_plan_is_not_armed(box: Box) -> None:
    box.plan(nuc1="once", late="once")
    (box.state / "plan/seed/late/vendor-data").unlink()
    box.do("publish")
    assert not box.file("late").exists()
    assert box.boots_disk("late")
    assert "late: not armed, since the plan has no vendor-data for it" in box.said
    with pytest.raises(RefusedError, match="vendor-data"):
        box.do("arm", "late", "nuc1")


def test_arming_is_all_or_none(box: Box) -> None:
    box.do("disarm", "nuc1")
    for names, told in (
        (["nuc1", "spared"], "netboot_install is never"),
        (["nuc1", "nope"], "nope; known are nuc1"),
    ):
        with pytest.raises(RefusedError, match=told):
            box.do("arm", *names)
        assert box.boots_disk("nuc1")


def test_disarm_is_kept_for_always_too(box: Box) -> None:
    box.plan(nuc1="always")
    box.do("disarm", "nuc1")
    box.do("publish")
    assert box.boots_disk("nuc1")
    box.do("arm", "nuc1")
    box.fetch("nuc1")
    box.report("nuc1")
    assert box.of("nuc1").state == "armed"  # always: at once again, with another token


def test_any_takes_the_place_of_default_as_long_as_it_is_armed(box: Box) -> None:
    box.plan(rest="any", spared="never")
    box.do("publish")
    assert "/machines/rest/" in box.entry("default")
    box.fetch("rest")
    box.report("rest", "failed", body="one of many")
    assert "/machines/rest/" in box.entry("default")
    assert box.do("publish") == 0
    box.do("disarm", "rest")
    assert box.entry("default") == DEFAULT
    assert box.boots_disk("spared")


def test_seeds_are_withdrawn_after_four_hours_of_the_servers_time(box: Box) -> None:
    box.fetch("nuc1")
    token = box.of("nuc1").token
    box.since_boot += 4 * 3600 - 1
    box.do("expire")
    assert len(box.seeds("nuc1")) == 4
    box.since_boot += 1
    box.do("expire")
    assert box.of("nuc1").state == "failed"
    assert box.boots_disk("nuc1")
    assert box.of("nuc2").state == "armed"  # who has not begun waits as long as it takes
    box.report("nuc1", token=token)
    assert box.of("nuc1").state == "installed"


@pytest.mark.parametrize("what", ["", "{}", "\0" * 300, "folder", "link"])
def test_a_damaged_state_is_a_failure_and_is_kept_aside(box: Box, what: str) -> None:
    place = box.file("nuc1")
    place.unlink()
    if what == "folder":
        place.mkdir()
    elif what == "link":
        place.symlink_to("/etc/hostname")
    else:
        place.write_text(what)
    box.do("publish")
    assert box.of("nuc1").state == "failed"
    assert f"{place.name}.damaged" in box.of("nuc1").reason
    assert os.path.lexists(f"{place}.damaged")
    assert box.boots_disk("nuc1")
    assert box.of("nuc2").state == "armed"
    box.do("arm", "nuc1")
    assert box.of("nuc1").state == "armed"


def test_what_a_killed_run_left_is_removed(box: Box) -> None:
    left = [box.root / ENTRY / ".netboot-a.part", box.root / SEEDS / "nuc1" / ".netboot-b.part"]
    orphan = box.root / SEEDS / "nuc1" / ("0" * 32) / "user-data"
    orphan.parent.mkdir()
    for path in [*left, orphan]:
        path.write_text("x")
    (box.root / ENTRY / "01-nuc1").unlink()
    box.do("publish")
    assert not any(path.exists() for path in [*left, orphan, orphan.parent])
    assert box.of("nuc1").token in box.entry("01-nuc1")


def test_what_stories_are_written_to_just_now_is_left_alone(box: Box) -> None:
    """They have a lock of their own, so `publish` may run while `expire` writes them."""
    box.put("events/.netboot-a.part", "half a story")
    box.put("machines/.netboot-b.part", "half a state")
    box.do("publish")
    left = {path.name for path in Path(box.settings.state).rglob(".netboot-*.part")}
    assert left == {".netboot-a.part"}


def test_a_damaged_plan_is_said_and_nothing_changes(box: Box, capsys: Any, tmp_path: Path) -> None:
    before = box.served()
    box.put("plan/machines.json", "{")
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(vars(box.settings)))
    assert main(["--settings", str(file), "publish"]) == 1
    assert "run the playbook homelab.netboot.site" in capsys.readouterr().err
    assert box.served() == before


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "..", "", "a..b", "-a", "a\n"])
def test_a_name_never_leads_anywhere_else(box: Box, name: str) -> None:
    box.put("plan/machines.json", json.dumps({name: {"mac": "any", "image": "", "install": "always"}}))
    with pytest.raises(RefusedError):
        box.do("publish")


def test_the_command_line(box: Box, capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(vars(box.settings)))

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["--settings", str(file), *argv])
        out, err = capsys.readouterr()
        return code, out, err

    code, out, _err = run("status", "--json")
    rows = {row["machine"]: row for row in json.loads(out)}
    assert (code, rows["nuc1"]["state"], rows["spared"]["state"]) == (0, "armed", "local")
    assert box.of("nuc1").token not in out
    assert run("disarm", "nuc1")[1].splitlines()[-1] == (
        '{"changed": 6, "armed": {"nuc2": {"image": "focal", "wipe": "blank"}}}'
    )
    assert run("status", "nuc1")[1].splitlines()[1].split()[3] == "local"
    code, _out, err = run("arm", "nope")
    assert (code, "no such machine: nope" in err) == (1, True)
    assert run("status", "nope")[0] == 1
    for command in ("publish", "reports", "expire"):
        assert run(command)[0] == 0


def test_a_machine_is_woken_by_its_address() -> None:
    assert wake.packet("f4:4d:30:60:64:69").hex() == "ff" * 6 + "f44d30606469" * 16
    wake.send([])


def test_files_that_are_opened_grow_with_the_machines_and_for_one_report_not_at_all(tmp_path: Path) -> None:
    opened: dict[int, list[int]] = {}
    counter = Opened()
    for count in (20, 200):
        box = Box(tmp_path / str(count))
        box.plan(**{f"m{number:05}": "once" for number in range(count)})
        opened[count] = [
            counter.during(partial(box.do, "publish")),
            counter.during(partial(box.fetch, "m00001")),
        ]
    assert opened[200][0] <= 10 * opened[20][0]
    assert opened[200][1] == opened[20][1] < 100


class Opened:
    """Counts how often files and folders are opened, which is what machines cost; seconds are another computer's."""

    def __init__(self) -> None:
        self.count = 0
        sys.addaudithook(self._hear)  # for good: Python has no way to take it back

    def _hear(self, event: str, _arguments: object) -> None:
        self.count += event in ("open", "os.listdir", "os.scandir")

    def during(self, work: Callable[[], object]) -> int:
        before = self.count
        work()
        return self.count - before


@pytest.mark.parametrize("command", ["publish", "expire"])
def test_what_all_machines_were_handed_out_is_read_as_often_for_thirty_as_for_three(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows with the machines: read once for each, ten thousand would keep the lock for minutes."""
    boxes = {number: Box(tmp_path / str(number)) for number in (3, 30)}
    for number, box in boxes.items():
        box.plan(**{f"m{one}": "once" for one in range(number)})
        box.do("publish")
    reads: list[int] = []
    original = Store.listed

    def counted(store: Store) -> dict[str, str]:
        reads[-1] += 1
        return original(store)

    monkeypatch.setattr(Store, "listed", counted)
    for box in boxes.values():
        reads.append(0)
        box.do(command)
    assert reads[0] == reads[1] > 0
