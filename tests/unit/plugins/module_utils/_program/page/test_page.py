# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page: what it says, what it never says, and when it is written."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.homelab.netboot.plugins.module_utils._program import cli, contract
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor import examining
from ansible_collections.homelab.netboot.plugins.module_utils._program.doctor.finding import Finding, Result
from ansible_collections.homelab.netboot.plugins.module_utils._program.events.event import Event
from ansible_collections.homelab.netboot.plugins.module_utils._program.page import (
    data,
    gathering,
    index,
    story,
    style,
)
from ansible_collections.homelab.netboot.plugins.module_utils._program.page.known import (
    Image,
    Known,
    Row,
    moment,
)
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.box import mac_of
from ansible_collections.homelab.netboot.tests.unit.plugins.module_utils._program.page.showing import (
    Reader,
    Shown,
    pages,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "&lt;b&gt; ${title} $head",
    "\u202eevil\u2066\u200f\u061c",
    "a\x00b\x1b[31m\x7f\n\r\tc\u2028",
    "]]>--><!--",
    "\udcff\ud800",
)


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(tmp_path)


def test_a_machine_that_is_up_is_told_with_its_address(shown: Shown) -> None:
    shown.plan(nuc1="once")
    shown.do("publish")
    shown.fetch("nuc1")
    shown.report("nuc1")
    shown.report("nuc1", "up.192.168.1.77")
    shown.refresh()
    assert "nuc1 52:54:00:00:00:00 focal \u2714 up nothing is wrong" in " ".join(
        " ".join(Reader(shown.text()).texts).split()
    )
    own = " ".join(" ".join(Reader(shown.text("machines/nuc1.html")).texts).split())
    assert "address 192.168.1.77" in own
    assert "netboot: up at 192.168.1.77" in own
    told = (shown.state / "metrics.prom").read_text()
    assert 'homelab_netboot_machines{state="up"} 1' in told
    assert 'homelab_netboot_machine_state{machine="nuc1",state="installed"} 0' in told


def test_it_tells_machines_strangers_images_and_what_doctor_said(shown: Shown) -> None:
    shown.plan(nuc1="once", spared="never")
    shown.do("publish")
    version = shown.root / "http/images/noble/217c6811e195"
    version.mkdir(parents=True)
    note = {"release": "24.04.4", "arch": "amd64", "files": {"noble.iso": {"stamp": [64_500_000, 1]}}}
    (version / "manifest.json").write_text(json.dumps(note))
    (version.parent / "current").symlink_to(version.name)
    fault = {
        "where": "/x",
        "level": "wrong",
        "what": "the disk is full",
        "remedy": "make space",
        "shown_by": [],
    }
    results = [
        {"check": "disks", "good": "", "findings": [fault]},
        {"check": "pxe", "good": "4 ask", "findings": []},
    ]
    (shown.state / "doctor.json").write_text(json.dumps({"asked": 1795700000, "results": results}))
    shown.logs(*shown.asks(mac_of(0)), *shown.asks("02:00:00:00:00:07", 50))
    assert shown.refresh()
    words = " ".join(" ".join(Reader(shown.text()).texts).split())
    for told in (
        "nuc1 52:54:00:00:00:00 focal ◆ armed",
        "spared 52:54:00:00:00:01 focal ○ local",
        "the last 1 of 1",
        "02:00:00:00:00:07",
        "noble 24.04.4 amd64 217c6811e195 64 MB",
        "What doctor said at 2026-11-26",
        "disks ✗ wrong /x: the disk is full make space",
        "pxe ✓ ok 4 ask",
    ):
        assert told in words
    assert "from nuc1" not in words
    own = Reader(shown.text("machines/nuc1.html"))
    assert "dnsmasq: 52:54:00:00:00:00 asked (PXEClient) and was offered a loader" in own.texts
    assert "details" in own.names()
    assert (shown.page / "unknown/02-00-00-00-00-07.html").exists()


def test_programs_are_told_of_the_machines_and_of_nobody_else(shown: Shown) -> None:
    shown.plan(nuc1="once", spared="never", every="any")
    shown.do("publish")
    shown.logs(*shown.asks(mac_of(0), 105), *shown.asks("02:00:00:00:00:07", 50, "note"))
    shown.refresh()
    told = json.loads(shown.text("machines.json"))
    assert (told["version"], told["told"]) == (1, moment(shown.now))
    assert told["machines"]["nuc1"] == {
        "mac": mac_of(0),
        "image": "focal",
        "state": "armed",
        "since": None,  # no time of day in these tests
        "phase": "asked",
        "address": None,
    }
    assert {name: entry["mac"] for name, entry in told["machines"].items()} == {**shown.macs, "every": "any"}
    row = Row(
        mac_of(0),
        "nuc1",
        "noble",
        state="up",
        since=1795690000.9,
        reason="r",
        cause="c",
        address="192.168.1.9",
    )
    (entry,) = json.loads(data.text(Known((row,), strangers=(row,)), 1.0))["machines"].values()
    assert (entry["since"], entry["address"]) == ("2026-11-26T10:46:40Z", "192.168.1.9")
    assert not {"r", "c"} & set(entry.values())


def test_idle_writes_nothing_and_news_are_written_where_they_are(shown: Shown) -> None:
    shown.plan(nuc1="once", nuc2="once")
    shown.do("publish")
    assert shown.refresh()
    before = shown.stamps()
    shown.now += 3600
    assert not shown.refresh()
    assert shown.stamps() == before
    shown.now -= 3600
    shown.logs(*shown.asks(mac_of(0)))
    assert shown.refresh()
    after = shown.stamps()
    changed = {os.path.relpath(path, shown.page) for path in after if after[path] != before.get(path)}
    assert {"index.html", "machines/nuc1.html"} <= changed
    assert not {"machines/nuc2.html", "style.css"} & changed


def test_a_verdict_that_only_time_changes_is_made_again(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.plan(nuc1="once")
    shown.do("publish")
    shown.logs(*shown.asks(mac_of(0), 105))  # a moment after it was armed
    shown.refresh()
    assert "at work: asks for the network (1 of 13)" in shown.text()
    now = shown.now + 1000
    monkeypatch.setattr("time.time", lambda: now)
    assert shown.refresh()
    assert "does not go on" in shown.text()
    assert '<ul class="look">' in shown.text()
    assert not shown.refresh()


def test_who_leaves_the_inventory_has_no_page_and_no_page_is_left_when_none_is_wanted(shown: Shown) -> None:
    shown.plan(nuc1="once", nuc2="once")
    shown.refresh()
    shown.plan(nuc2="once")
    shown.refresh()
    assert [path.name for path in (shown.page / "machines").iterdir()] == ["nuc2.html"]
    shown.settings = type(shown.settings)(**{**shown.settings.__dict__, "page": False})
    shown.refresh()
    assert not shown.page.exists()
    before = shown.stamps()
    assert not shown.refresh()
    assert shown.stamps() == before


def test_what_somebody_took_away_or_damaged_is_written_again(shown: Shown) -> None:
    shown.plan(nuc1="once")
    shown.refresh()
    (shown.page / "index.html").unlink()
    shown.refresh()
    assert "nuc1" in shown.text()
    for damage in ("", "[]", '{"textfile": "", "form": 5}', '{"textfile": "", "known": {"rows": [[1, 2]]}}'):
        (shown.state / "shown.json").write_text(damage)
        shown.refresh()
        assert "nuc1" in shown.text()


def test_another_program_writes_all_of_it_again(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    shown.plan(nuc1="once")
    shown.refresh()
    monkeypatch.setattr(style, "STYLE", "body {}\n")
    monkeypatch.setattr(
        "ansible_collections.homelab.netboot.plugins.module_utils._program.page.writing.form", lambda: ["new"]
    )
    assert shown.refresh()
    assert shown.text("style.css") == "body {}\n"


def test_a_flood_of_strangers_fills_neither_page_nor_disk(shown: Shown) -> None:
    shown.plan(nuc1="once")
    shown.refresh()
    sizes = []
    for part in range(2):
        macs = [f"02:00:00:{part:02x}:{number >> 8:02x}:{number & 255:02x}" for number in range(5000)]
        shown.logs(*(line for mac in macs for line in shown.asks(mac, part)))
        shown.refresh()
        sizes.append(sum(path.stat().st_size for path in shown.page.rglob("*") if path.is_file()))
    files = [path for path in shown.page.rglob("*") if path.is_file()]
    assert len(files) == gathering.STRANGERS + 6
    assert max(sizes) < 150_000
    assert len(shown.text()) < 20_000
    assert "the last 20 of 200" in shown.text()
    assert (shown.state / "shown.json").stat().st_size < 50_000


@pytest.mark.parametrize("text", HOSTILE)
def test_what_comes_from_the_network_is_text_and_nothing_else(text: str) -> None:
    for told, plain in zip(_told(text), _told("x")):
        reader = Reader(told)
        assert [tag for tag, _given in reader.elements] == [tag for tag, _given in Reader(plain).elements]
        assert not [name for _tag, given in reader.elements for name in given if name.startswith("on")]
        assert not [char for char in told if not (char.isprintable() or char == "\n")]
        told.encode()


def _told(text: str) -> list[str]:
    """Both kinds of pages, with this text wherever one can be."""
    mac = "52:54:00:00:00:00"
    row = Row(mac, "nuc1", text, text, text, 1.0, text, "wrong", text, text, text, text, text, 3, 2.0, text)
    known = Known((row,), (row._replace(machine=""),), 1, (Image(text, text, text, text, 1),))
    known = known._replace(findings=tuple(gathering._findings(_results(text))), asked=3.0)
    kinds = ("offer", "loader", "tftp", "http", "state", "denied", "stopped", "new kind", text)
    events = [Event(1.0, kind, text, text, text, text, 1, 200, text) for kind in kinds]
    return [index.page(known, 1.0), story.page(row, {}, events, 1.0)]


def _results(text: str) -> list[dict[str, Any]]:
    finding = {"where": text, "level": "wrong", "what": text, "remedy": text}
    return [
        {"check": text, "good": text, "findings": [finding]},
        {"check": text, "good": text, "findings": []},
    ]


def test_no_token_and_nothing_of_user_data_is_told(shown: Shown) -> None:
    words = ("HUNTER2",)
    shown.plan(nuc1="once", every="any")
    shown.put("plan/seed/nuc1/user-data", words[0])
    shown.do("publish")
    tokens = [shown.of("nuc1").token, shown.of("every").token]
    shown.logs(shown.fetches(f"/machines/nuc1/{tokens[0]}/user-data"))
    shown.fetch("nuc1")
    for name in ("nuc1", "every"):
        shown.report(name, "failed", body=f"Command {words[0]} failed\nmore")
    shown.refresh()
    told = "".join(path.read_text() for path in (*pages(shown.page), shown.page / contract.TOLD))
    assert "✗" in told
    assert words[0] not in told
    assert not re.search(contract.TOKEN_PATTERN, told)
    kept = "".join(
        (shown.state / name).read_text() for name in ("shown.json", "metrics.prom", "metrics.json")
    )
    assert not [word for word in (*words, *tokens) if word in kept]


def test_notes_of_events_that_the_server_does_not_write_itself_are_not_shown() -> None:
    assert "HUNTER2" not in story.did(Event(1.0, "progress", "late commands", note="sh -c 'echo HUNTER2'"))
    assert "no report" in story.did(Event(1.0, "state", "local", note="no report"))


def test_everybody_may_read_the_page_and_only_root_what_it_is_made_from(shown: Shown) -> None:
    shown.plan(nuc1="once")
    shown.refresh()
    files = [path for path in shown.page.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (shown.page, shown.page / "machines")} == {0o755}
    assert (shown.state / "shown.json").stat().st_mode & 0o777 == 0o600


def test_every_link_of_the_first_page_leads_somewhere_and_every_page_back(shown: Shown) -> None:
    shown.plan(nuc1="once", **{"a.b-c": "never"}, every="any")
    shown.logs(*shown.asks("02:00:00:00:00:07"))
    shown.refresh()
    for page in pages(shown.page):
        reader = Reader(page.read_text())
        for link in (*reader.attributes("href"), *reader.attributes("src")):
            assert (page.parent / link).is_file(), (page, link)
        assert {"h1", "main", "header", "footer", "title"} <= reader.names()
        assert ("html", {"lang": "en"}) in reader.elements
        ids = reader.attributes("id")
        assert len(ids) == len(set(ids))


def test_what_doctor_finds_is_kept(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Result("disks", [Finding("disks", "/x", "it is full", "make space")], "")]
    monkeypatch.setattr(examining, "examine", lambda _settings: iter(found))
    examining.tell(shown.settings, as_json=False)
    shown.plan()
    shown.refresh()
    assert "it is full" in shown.text()
    assert (shown.state / "doctor.json").stat().st_mode & 0o777 == 0o600


def test_a_run_of_the_program_writes_it_and_says_what_is_in_the_way(
    shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    shown.plan(nuc1="once")
    settings = shown.state.parent / "settings.json"
    settings.write_text(json.dumps(shown.settings.__dict__))
    assert cli.main(["--settings", str(settings), "publish"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["armed"]
    assert "nuc1" in shown.text()
    assert cli.main(["--settings", str(settings), "page"]) == 0
    (shown.page / "index.html").unlink()
    (shown.page / "index.html").mkdir()
    assert cli.main(["--settings", str(settings), "page"]) == 1
    assert "index.html: Is a directory" in capsys.readouterr().err
    assert cli.main(["--settings", str(settings), "publish"]) == 0
    assert "status page and metrics" in capsys.readouterr().out


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_every_colour_of_a_text_can_be_read_on_every_ground(place: int) -> None:
    """WCAG 2.1, 1.4.3 and its definition of contrast."""
    colours = dict(
        re.findall(r"--(\w+): (#\w{6});", re.findall(r":root \{.*?\}", style.STYLE, re.DOTALL)[place])
    )
    for ground in ("back", "even"):
        for text in ("text", "soft", "link", "good", "bad", "work"):
            light, dark = sorted((_luminance(colours[one]) for one in (text, ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
